"""The bytes of evidence: there for good or not at all, in a folder or in an S3-compatible store, under our names."""

from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from moto.server import ThreadedMotoServer

from store.object_stores import S3Access
from store.returns.evidence_storage import NotInVault, Vault, VaultFull, VaultUnavailable

NAME = "00112233445566778899aabbccddeeff"


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
async def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    if request.param == "folder":
        return Vault.at((tmp_path / "evidence").as_uri())
    address = request.getfixturevalue("s3_address")
    access = S3Access("key", "not-so-secret", address)
    bucket = f"evidence-{tmp_path.name[-20:].strip('-_0').lower().replace('_', '-')}-x"
    await make_bucket(address, bucket)
    return Vault.at(f"s3://{bucket}/pictures", access)


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


async def make_bucket(address: str, bucket: str) -> None:
    import httpx

    async with httpx.AsyncClient() as client:
        # The stand-in checks no signature; it only wants to see one.
        signed = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        answer = await client.put(f"{address}/{bucket}", headers={"Authorization": signed})
        assert answer.status_code == 200, answer.text


async def test_what_is_put_is_there(vault: Vault) -> None:
    await vault.put(NAME, "image/jpeg", b"pixels")
    assert await vault.get(NAME, "image/jpeg") == b"pixels"


async def test_nothing_is_ever_overwritten(vault: Vault) -> None:
    await vault.put(NAME, "image/jpeg", b"first")
    with pytest.raises(VaultUnavailable):
        await vault.put(NAME, "image/jpeg", b"second")
    assert await vault.get(NAME, "image/jpeg") == b"first"


async def test_what_was_removed_is_gone_and_removing_again_is_no_error(vault: Vault) -> None:
    await vault.put(NAME, "image/png", b"pixels")
    await vault.remove(NAME, "image/png")
    await vault.remove(NAME, "image/png")
    with pytest.raises(NotInVault):
        await vault.get(NAME, "image/png")


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "C:\\x", "a\0b", "a" * 20 + "/b", "", "名字"])
async def test_only_names_of_our_own_making_are_taken(tmp_path: Path, name: str) -> None:
    vault = Vault.at((tmp_path / "evidence").as_uri())
    with pytest.raises(ValueError, match="our own"):
        await vault.put(name, "image/jpeg", b"pixels")
    assert files(tmp_path) == []


async def test_a_full_disk_refuses_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault.at((tmp_path / "evidence").as_uri())

    async def full(*_: object, **__: object) -> None:
        raise obstore.exceptions.GenericError("Unable to copy data to file: No space left on device (os error 28)")

    monkeypatch.setattr(obstore, "put_async", full)
    with pytest.raises(VaultFull, match="full"):
        await vault.put(NAME, "image/jpeg", b"pixels")
    assert files(tmp_path) == []


async def test_a_store_that_does_not_answer_is_worth_repeating() -> None:
    vault = Vault.at("s3://bucket/prefix", S3Access("key", "not-so-secret", "http://127.0.0.1:9"))
    with pytest.raises(VaultUnavailable, match="try again"):
        await vault.put(NAME, "image/jpeg", b"pixels")


@pytest.mark.parametrize("url", ["", "evidence", "http://shop/evidence", "file://host/evidence", "file:///", "s3:///x"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="evidence cannot be stored"):
        Vault.at(url)


def test_keys_are_never_shown() -> None:
    assert "not-so-secret" not in repr(S3Access("key", "not-so-secret"))
