import subprocess
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.optional import AnchorCopySettings, AuditSettings
from config.processes import Process, variables_of
from config.sources import SettingsGroup, variable
from deploy.local.temporal import TUNING

FILE = Path(__file__).resolve().parents[2] / "deploy" / "temporal-compose.yml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return content


def secrets_of(service: dict[str, Any]) -> list[tuple[str, str]]:
    """Source and name inside, of each."""
    return [(source_of(entry), target_of(entry)) for entry in service.get("secrets", [])]


def test_every_process_has_a_login_of_its_own_and_only_the_migrations_the_owners(compose: dict[str, Any]) -> None:
    logins = {
        name: source
        for name, service in compose["services"].items()
        for source, target in secrets_of(service)
        if target == "oms_database_url"
    }
    assert logins == {
        "migrations": "oms_database_url",
        "relay": "oms_relay_database_url",
        "worker": "oms_worker_database_url",
        "oms": "oms_operator_database_url",
        "codec": "oms_operator_database_url",
        "console": "oms_console_database_url",
    }
    roles = (FILE.parent / "postgres-roles.sh").read_text()
    assert all(
        f"GRANT {role} TO {role}_login" in roles for role in ("oms_relay", "oms_worker", "oms_operator", "oms_console")
    )


def test_the_file_follows_the_compose_specification() -> None:
    checker = Path(sysconfig.get_path("scripts")) / "check-jsonschema"
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_server_lets_as_many_signals_wait_as_the_local_one(compose: dict[str, Any]) -> None:
    (mounted,) = compose["services"]["temporal"]["configs"]
    assert compose["services"]["temporal"]["environment"]["OMS_TEMPORAL_DYNAMIC"] == mounted["target"]
    given = yaml.safe_load((FILE.parent / compose["configs"][mounted["source"]]["file"]).read_text())
    local = dict(setting.split("=") for setting in TUNING)
    assert {name: str(value["value"]) for name, (value,) in given.items()}.items() <= local.items()


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
    jobs = {"temporal-schema", "temporal-namespace", "migrations", "oms"}
    without = {name for name, service in compose["services"].items() if "healthcheck" not in service}
    assert without == jobs


def test_nothing_runs_as_root(compose: dict[str, Any]) -> None:
    image = (FILE.parent / "Dockerfile").read_text()
    assert "\nUSER oms\n" in image
    for name, service in compose["services"].items():
        assert "build" in service or service.get("user") not in (None, "root", "0"), name


def test_secrets_come_from_files_and_the_database_is_inside(compose: dict[str, Any]) -> None:
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())
    used = {source for service in compose["services"].values() for source, _ in secrets_of(service)}
    assert used == set(compose["secrets"])
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            secret = name.endswith(("PASSWORD", "PWD", "SECRET", "TOKEN", "_KEY", "SALT")) and not name.endswith(
                ("APP_KEY", "PASS_ACCESS_TOKEN")
            )
            assert not (secret and value) or value.startswith("/run/secrets/"), name
    assert compose["services"]["postgres"]["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}


def source_of(entry: str | dict[str, str]) -> str:
    return entry if isinstance(entry, str) else entry["source"]


def target_of(entry: str | dict[str, str]) -> str:
    return entry if isinstance(entry, str) else entry["target"]


def test_each_process_seals_with_a_key_that_the_other_does_not_have(compose: dict[str, Any]) -> None:
    keys = {
        name: [source_of(e) for e in service.get("secrets", []) if target_of(e) == "oms_seal_keys"]
        for name, service in compose["services"].items()
    }
    assert {name: found for name, found in keys.items() if found} == {
        "worker": ["oms_worker_seal_keys"],
        "relay": ["oms_relay_seal_keys"],
    }


def test_each_process_shows_temporal_its_own_certificate_and_token_and_holds_no_others(compose: dict[str, Any]) -> None:
    """Of the files that `python -m deploy.temporal_keys` writes."""
    shown = {"worker": "worker", "relay": "relay", "console": "console", "oms": "operator"}
    shown["temporal-namespace"] = "keeper"
    for name, service in compose["services"].items():
        held = {source for source, _ in secrets_of(service) if source.startswith("temporal_")}
        own = {s for s in held if s.endswith(("_token", "_certificate", "_key"))}
        if name in shown:
            assert own == {f"temporal_{shown[name]}_{kind}" for kind in ("token", "certificate", "key")}, name
        elif name == "temporal-ui":
            assert own == {"temporal_web_ui_certificate", "temporal_web_ui_key"}
        elif name == "temporal":
            assert own == {f"temporal_{of}_{kind}" for of in ("frontend", "node") for kind in ("certificate", "key")}
        else:
            assert not own, name
    walled = compose["services"]["temporal"]
    assert walled["environment"]["OMS_TEMPORAL_WALLS"] == "/run/secrets/temporal_walls"
    assert "temporal_walls" in walled["secrets"]


def test_the_front_end_alone_listens_beyond_its_container(compose: dict[str, Any]) -> None:
    given = compose["services"]["temporal"]["environment"]
    assert {name for name, value in given.items() if value == "0.0.0.0"} == {"FRONTEND_BIND_ON_IP"}


def test_who_talks_through_temporal_has_the_payload_keys_and_nobody_else(compose: dict[str, Any]) -> None:
    services = compose["services"]
    keys = {n for n, service in services.items() if "oms_payload_keys" in {s for s, _ in secrets_of(service)}}
    assert keys == {"worker", "relay", "codec", "console", "oms"}
    named = {n for n, service in services.items() if "OMS_PAYLOAD_OWN" in service.get("environment", {})}
    assert named == keys


ELSEWHERE = {
    "OMS_TOKENS_PRIVATE_KEY": "signs, so it lies where tokens are made, never at who believes them",
    "OMS_SERVICE_NAME": "of a backend, for which only the issuer signs",
    "OMS_SERVICE_PRIVATE_KEY": "of a backend, for which only the issuer signs",
    "OMS_OUTBOUND_LOOPBACK": "for trials on a developer's machine; refused in production",
    "OMS_OUTBOUND_SPEED": "for trials; refused in production",
}
"""Settings that no service of the file has but the issuer, which makes tokens."""
NOT_THERE = {
    Process.WORKER: set[str](),
    Process.RELAY: {
        *("OMS_WECHAT_BASE_URL", "OMS_WECHAT_SERIAL_NO", "OMS_WECHAT_PRIVATE_KEY"),
        *("OMS_SEAL_SINCE", "OMS_SEAL_CALLS_SINCE"),
    },
    Process.CODEC: set[str](),
    Process.CONSOLE: {"OMS_TOKENS_LIFE_S"},
    Process.OPERATOR: {
        variable(group, field) for group in (AuditSettings, AnchorCopySettings) for field in group.model_fields
    },
    Process.ISSUER: set[str](),
}
"""Settings that a service could read and does not get. The relay fetches no certificates, so it does not have the
merchant's key, and it judges nothing by seals; the anchor is looked at from the machine that keeps it."""


def groups(of: type[SettingsGroup] = SettingsGroup) -> Iterator[type[SettingsGroup]]:
    for group in of.__subclasses__():
        if group.__module__.startswith("config."):
            yield group
        yield from groups(group)


def given_to(service: dict[str, Any]) -> set[str]:
    """As a variable or as a secret. A tag belongs to the setting that it is about."""
    names = {*service["environment"], *(target.upper() for _, target in secrets_of(service))}
    return {name.removesuffix("_TAG") for name in names}


@pytest.mark.parametrize("process", NOT_THERE)
def test_each_service_has_the_settings_that_its_process_reads_and_no_others(
    compose: dict[str, Any], process: Process
) -> None:
    given = given_to(compose["services"][process])
    assert given - variables_of(process) == set()
    assert variables_of(process) - given - set(ELSEWHERE) == NOT_THERE[process]


def test_every_setting_belongs_to_a_process() -> None:
    read = {variable(group, field) for group in groups() for field in group.model_fields}
    assert read > {"OMS_EVIDENCE_URL", "OMS_RELAY_PROXIES", "TEMPORAL_ADDRESS"}
    assert read == {name for process in Process for name in variables_of(process)}


SHARED = {
    "temporal_client_authority": "public: who signs the certificates",
    "oms_payload_keys": "who talks through Temporal reads the others there",
    "oms_operator_database_url": "the codec server writes down, as people's `oms`, who reads",
    "oms_evidence_s3_secret_access_key": "people's `oms` and the web console keep one store of pictures",
    "temporal_database_password": "Temporal's own, and its schema's job; PostgreSQL makes the login",
    "oms_wechat_apiv3_key": "one key of the channel opens its answers and its callbacks",
    "oms_wechat_platform_keys": "public keys",
    "oms_qimen_secret": "the warehouse signs both ways with it",
    "oms_tms_webhook_secrets": "the worker's settings name them",
    "oms_kuaidi100_salt": "given to the courier with each subscription, and found again in its pushes",
    "oms_alipay_alipay_public_key": "public key",
    "oms_sf_push_keys": "the worker's settings name them",
    "oms_messenger_secret": "one app of the company's messenger signs people in and tells them",
}


def test_no_service_holds_anothers_secret(compose: dict[str, Any]) -> None:
    holders = Counter(source for service in compose["services"].values() for source, _ in secrets_of(service))
    database = {source for source, _ in secrets_of(compose["services"]["postgres"])}
    assert {source for source, times in holders.items() if times > 1} - set(SHARED) == set()
    assert database == {name for name in holders if name.endswith("_password")} - {"oms_mail_password"}


def test_what_has_to_stay_lies_in_a_volume_that_the_account_may_write(compose: dict[str, Any]) -> None:
    services = [compose["services"][name] for name in ("oms", "relay")]
    mounted = [entry.split(":")[1] for service in services for entry in service["volumes"]]
    made = next(line for line in (FILE.parent / "Dockerfile").read_text().splitlines() if "install -d -o oms" in line)
    assert all(folder in made for folder in mounted if folder.startswith("/var/lib/oms/"))
    assert compose["services"]["oms"]["environment"]["OMS_EVIDENCE_URL"].endswith(f"file://{mounted[0]}}}")


def test_the_image_takes_every_module_of_the_root() -> None:
    copied = (FILE.parent / "Dockerfile").read_text().split()
    assert {path.name for path in FILE.parents[1].glob("*.py")} <= set(copied)


def test_the_image_takes_every_room_that_the_programs_import() -> None:
    copied = {
        line.split()[1] for line in (FILE.parent / "Dockerfile").read_text().splitlines() if line.startswith("COPY")
    }
    rooms = {"domain", "providers", "store", "activities", "workflows", "relay", "starter", "deploy", "rules", "wire"}
    assert rooms <= copied
    assert all((FILE.parents[1] / name).exists() for name in copied - {"--from=installed"})
