import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

FILE = Path(__file__).resolve().parents[2] / "deploy" / "temporal-compose.yml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return content


def test_the_file_follows_the_compose_specification() -> None:
    checker = Path(sysconfig.get_path("scripts")) / "check-jsonschema"
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_ports_are_published_on_loopback_only(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_what_is_published_is_not_on_the_internal_network_alone(compose: dict[str, Any]) -> None:
    """Docker does not publish ports of a container that is only on an internal network."""
    for service in compose["services"].values():
        if service.get("ports"):
            assert "outside" in service["networks"]


def test_everything_that_stays_up_has_a_health_check(compose: dict[str, Any]) -> None:
    jobs = {"temporal-schema", "temporal-namespace", "migrations"}
    without = {name for name, service in compose["services"].items() if "healthcheck" not in service}
    assert without == jobs


def test_nothing_runs_as_root(compose: dict[str, Any]) -> None:
    image = (FILE.parent / "Dockerfile").read_text()
    assert "\nUSER oms\n" in image
    for name, service in compose["services"].items():
        assert "build" in service or service.get("user") not in (None, "root", "0"), name


def test_secrets_come_from_files_and_the_database_is_inside(compose: dict[str, Any]) -> None:
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())
    used = {name for service in compose["services"].values() for name in service.get("secrets", [])}
    assert used == set(compose["secrets"])
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            secret = name.endswith(("PASSWORD", "PWD", "SECRET", "TOKEN", "_KEY", "SALT")) and not name.endswith(
                "APP_KEY"
            )
            assert not (secret and value), name
    assert compose["services"]["postgres"]["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}


def test_the_image_takes_every_module_of_the_root() -> None:
    copied = (FILE.parent / "Dockerfile").read_text().split()
    assert {path.name for path in FILE.parents[1].glob("*.py")} <= set(copied)


def test_the_image_takes_every_room_that_the_programs_import() -> None:
    copied = {
        line.split()[1] for line in (FILE.parent / "Dockerfile").read_text().splitlines() if line.startswith("COPY")
    }
    rooms = {"domain", "providers", "store", "activities", "workflows", "relay", "starter", "deploy", "rules"}
    assert rooms <= copied
    assert all((FILE.parents[1] / name).exists() for name in copied - {"--from=installed"})
