"""A process says which walls its settings leave open, and never a value of them."""

from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from config.processes import Process
from config.walls import tell, walls_off

KEY = "x.1:" + "A" * 44
TEMPORAL = {
    "TEMPORAL_ADDRESS": "temporal:7233",
    "TEMPORAL_API_KEY": "t0ken",
    "TEMPORAL_TLS_CLIENT_CERT_PATH": "/run/secrets/certificate",
}
WHOLE: Mapping[str, str] = {
    **TEMPORAL,
    "OMS_ENVIRONMENT": "prod",
    "OMS_DATABASE_URL": "postgres://oms:pw@db/oms?sslmode=verify-full",
    "OMS_SEAL_KEYS": KEY,
    "OMS_PAYLOAD_KEYS": KEY,
    "OMS_PAYLOAD_OWN": "x.1",
    "OMS_RELAY_ALLOW": '{"wechat": ["192.0.2.0/24"]}',
    "OMS_AUDIT_ANCHOR_FILE": "/anchor",
    "OMS_AUDIT_COPY_URL": "s3://anchors",
}


@pytest.fixture(autouse=True)
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)


def off(process: Process) -> set[str]:
    return {wall.name for wall in walls_off(process)}


@pytest.mark.parametrize("process", list(Process))
def test_behind_all_walls_nothing_is_told(process: Process) -> None:
    assert off(process) == set()
    with capture_logs() as said:
        tell(process)
    assert said == []


@pytest.mark.parametrize(
    ("process", "changed", "wall"),
    [
        (Process.WORKER, {"TEMPORAL_API_KEY": ""}, "temporal token"),
        (Process.RELAY, {"TEMPORAL_TLS_CLIENT_CERT_PATH": ""}, "temporal certificate"),
        (Process.RELAY, {"TEMPORAL_TLS": "false"}, "temporal tls"),
        (Process.WORKER, {"OMS_SEAL_KEYS": ""}, "seals"),
        (Process.WORKER, {"OMS_SEAL_SINCE": "2026-11-30T00:00:00Z"}, "seals of all messages"),
        (Process.CONSOLE, {"OMS_PAYLOAD_KEYS": ""}, "encryption"),
        (Process.OPERATOR, {"OMS_PAYLOAD_OWN": "clear"}, "encryption of what is written"),
        (Process.WORKER, {"OMS_PROOFS_DEMANDED": "false"}, "proofs"),
        (Process.CODEC, {"OMS_DATABASE_URL": "postgres://oms:pw@db/oms?sslmode=disable"}, "database tls"),
        (Process.WORKER, {"OMS_DATABASE_URL": "postgres://oms:pw@db/oms"}, "database tls"),
        (Process.RELAY, {"OMS_RELAY_ALLOW": ""}, "callers' networks"),
        (Process.RELAY, {"OMS_WECHAT_PRIVATE_KEY": "PEM"}, "merchant's key"),
        (Process.RELAY, {"OMS_AUDIT_ANCHOR_FILE": ""}, "audit anchor"),
        (Process.RELAY, {"OMS_AUDIT_COPY_URL": ""}, "copies of anchors"),
    ],
)
def test_each_wall_that_is_off_is_named(
    monkeypatch: pytest.MonkeyPatch, process: Process, changed: dict[str, str], wall: str
) -> None:
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    assert off(process) == {wall}


def test_a_database_on_this_machine_needs_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_DATABASE_URL", "postgres://oms:pw@127.0.0.1:5432/oms?sslmode=disable")
    assert off(Process.WORKER) == set()


def test_what_one_process_lacks_says_nothing_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMS_RELAY_ALLOW", "OMS_AUDIT_ANCHOR_FILE", "OMS_SEAL_KEYS"):
        monkeypatch.setenv(name, "")
    assert off(Process.CODEC) == off(Process.OPERATOR) == off(Process.CONSOLE) == set()


def test_a_process_that_starts_warns_of_them_and_on_a_developers_machine_only_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "")
    for environment, level in (("prod", "warning"), ("local", "info")):
        monkeypatch.setenv("OMS_ENVIRONMENT", environment)
        with capture_logs() as said:
            tell(Process.WORKER)
        assert [(line["log_level"], line["process"]) for line in said] == [(level, "worker")]
        assert "temporal token" in str(said)
        assert not [value for value in (KEY, "pw@db") if value in str(said)]
