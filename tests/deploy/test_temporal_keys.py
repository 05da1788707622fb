"""What `python -m deploy.temporal_keys` writes, and how a running process takes a new token."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from temporalio.client import Client, TLSConfig

import temporal_connection
from config.settings import TemporalSettings, load
from deploy.temporal_keys.__main__ import ROLES, main, write_all
from deploy.temporal_keys.tokens import AUDIENCE, ISSUER

WEEK = timedelta(days=7)


def made(place: Path, *, again: bool = False, backends: tuple[str, ...] = ("shop",)) -> list[str]:
    return write_all(place, namespace="orders", hosts=["temporal"], backends=backends, lives=WEEK, again=again)


def certificate(place: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((place / f"temporal_{name}_certificate").read_bytes())


def said(place: Path, name: str) -> dict[str, object]:
    """What a token says, verified with the key set that the server has."""
    token = (place / f"temporal_{name}_token").read_text()
    (key,) = json.loads((place / "temporal_token_keys").read_text())["keys"]
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    found: dict[str, object] = jwt.decode(
        token, jwt.PyJWK(key).key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER
    )
    return found


def test_each_process_has_a_certificate_and_a_token_of_its_own_name_and_role(tmp_path: Path) -> None:
    made(tmp_path)
    for name, permission in {
        **{r: f"orders:{r}" for r in ROLES},
        "shop": "orders:backend",
        "keeper": "*:keeper",
    }.items():
        told = said(tmp_path, name)
        assert (told["sub"], told["permissions"]) == (name, [permission])
        own = certificate(tmp_path, name)
        assert own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == name
        key = load_pem_private_key((tmp_path / f"temporal_{name}_key").read_bytes(), None)
        assert key.public_key() == own.public_key()
    assert not (tmp_path / "temporal_web_ui_token").exists()


def test_a_clients_certificate_serves_as_no_server_and_opens_no_node(tmp_path: Path) -> None:
    made(tmp_path)

    def usage(name: str) -> set[x509.ObjectIdentifier]:
        return set(certificate(tmp_path, name).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)

    assert usage("worker") == {ExtendedKeyUsageOID.CLIENT_AUTH}
    assert usage("frontend") == {ExtendedKeyUsageOID.SERVER_AUTH}
    nodes, clients = (
        x509.load_pem_x509_certificate((tmp_path / f"temporal_{name}_authority").read_bytes())
        for name in ("node", "client")
    )
    certificate(tmp_path, "worker").verify_directly_issued_by(clients)
    certificate(tmp_path, "node").verify_directly_issued_by(nodes)
    with pytest.raises(ValueError, match="issuer"):
        certificate(tmp_path, "worker").verify_directly_issued_by(nodes)


def test_making_again_changes_nothing_and_adds_what_is_new(tmp_path: Path) -> None:
    made(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert made(tmp_path) == []
    assert made(tmp_path, backends=("shop", "mobile")) == [
        "temporal_mobile_certificate", "temporal_mobile_key", "temporal_mobile_token",
    ]  # fmt: skip
    assert {file: file.read_bytes() for file in before} == before


def test_renewing_leaves_who_signs(tmp_path: Path) -> None:
    made(tmp_path)
    names = ("authority/clients.pem", "authority/nodes.key", "temporal_client_authority", "temporal_token_keys")
    before = {name: (tmp_path / name).read_bytes() for name in names}
    worker = (tmp_path / "temporal_worker_certificate").read_bytes()
    made(tmp_path, again=True)
    assert {name: (tmp_path / name).read_bytes() for name in names} == before
    assert (tmp_path / "temporal_worker_certificate").read_bytes() != worker
    assert said(tmp_path, "worker")["sub"] == "worker"


def test_a_backend_cannot_be_called_as_one_of_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("worker", "keeper", "web-ui", "../shop", ""):
        assert main(["make", str(tmp_path), "--backend", name]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "cannot be called" in capsys.readouterr().err


def test_keys_lie_where_only_their_owner_looks(tmp_path: Path) -> None:
    made(tmp_path / "secrets")
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "secrets" / "authority").iterdir())


def test_token_and_certificate_come_from_secret_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "temporal_api_key": "t0ken",
        "temporal_tls_client_cert_data": "CERT",
        "temporal_tls_client_key_data": "KEY",
    }
    for name, content in {**given, "temporal_tls_server_ca_cert_data": "CA"}.items():
        (tmp_path / name).write_text(content + "\n")
    monkeypatch.setenv("OMS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal:7233")
    settings = load(TemporalSettings)
    arguments = settings.connect_arguments()
    tls = arguments["tls"]
    assert isinstance(tls, TLSConfig)
    assert (tls.client_cert, tls.client_private_key, tls.server_root_ca_cert) == (b"CERT", b"KEY", b"CA")
    assert arguments["api_key"] == "t0ken"
    assert "t0ken" not in repr(settings)


async def test_a_token_that_is_replaced_is_taken_and_one_that_is_gone_leaves_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal:7233")
    file, client = tmp_path / "temporal_api_key", SimpleNamespace(api_key="old")
    looking = asyncio.create_task(temporal_connection.keep_token(cast(Client, client), every_s=0.01))
    try:
        for content in ("new", None, "", "newer"):
            file.unlink(missing_ok=True) if content is None else file.write_text(content)
            expected = content or client.api_key
            async with asyncio.timeout(10):
                while client.api_key != expected:
                    await asyncio.sleep(0.01)
    finally:
        looking.cancel()
    assert client.api_key == "newer"
