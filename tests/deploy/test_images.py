"""Images are pinned by digest with one command; whatever is not asked for by name and tag is not there."""

import os
import re
from pathlib import Path

import pytest
import yaml

from deploy import images

DEPLOY = Path(images.__file__).parent
COMPOSE = (DEPLOY / "temporal-compose.yml").read_text()
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In Docker's place: answers with what `answer` holds."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncat {tmp_path}/answer\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.defpath}")
    (tmp_path / "answer").write_text(DIGEST + "\n")
    return tmp_path


def test_every_image_that_is_not_our_own_can_be_pinned() -> None:
    built = re.compile(r"order-orchestrator(-temporal)?:")
    named = [s["image"] for s in yaml.safe_load(COMPOSE)["services"].values()]
    assert all(images.IMAGE.fullmatch(name) or built.match(name) for name in named)
    known = set(images.images(COMPOSE).values())
    for file in (DEPLOY / "Dockerfile", DEPLOY / "server" / "Dockerfile"):
        text = file.read_text()
        usual = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", text, re.MULTILINE))
        assert set(usual.values()) <= known
        assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {f"${{{name}}}" for name in usual}
        assert all(f"{name}: ${{OMS_IMAGE_" in COMPOSE for name in usual)


def test_each_is_written_with_the_digest_that_the_registry_has(docker: Path) -> None:
    file = docker / "images.txt"
    assert images.main([str(file)]) == 0
    wanted = images.images(COMPOSE)
    assert images.pinned(file.read_text()) == {name: f"{image}@{DIGEST}" for name, image in wanted.items()}
    assert len((docker / "asked").read_text().splitlines()) == len(wanted) >= 6
    assert images.main([str(file), "--check"]) == 0


@pytest.mark.parametrize("said", ["", "sha256:short", "manifest unknown"])
def test_without_a_digest_nothing_is_written(docker: Path, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    (docker / "answer").write_text(said)
    assert images.main([str(docker / "images.txt")]) == 1
    assert not (docker / "images.txt").exists()
    assert "nothing was written" in capsys.readouterr().err


def test_what_is_not_pinned_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "images.txt").write_text(
        f"OMS_IMAGE_POSTGRES=postgres:18@{DIGEST}\nOMS_IMAGE_UI=temporalio/ui:2.54.1\n"
    )
    assert images.main([str(tmp_path / "images.txt"), "--check"]) == 1
    told = capsys.readouterr().err
    assert "OMS_IMAGE_UI" in told and "OMS_IMAGE_POSTGRES" not in told
