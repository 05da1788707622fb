"""What a process refuses to start with, read from a real environment."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import startup_check
from config.processes import Process
from config.settings import Settings, UnableToConfigure
from config.startup_check import fingerprint
from domain.config_rules import SettingFault

ROOT = Path(startup_check.__file__).parents[1]
SECRETS = {
    "OMS_DATABASE_URL": "postgres://oms:pw-of-database@db/oms",
    "OMS_WECHAT_PRIVATE_KEY": "pem-of-merchant",
    "OMS_WECHAT_APIV3_KEY": "k" * 32,
    "OMS_QIMEN_SECRET": "secret-of-qimen",
    "OMS_TMS_TOKEN": "token-of-tms",
    "OMS_TMS_WEBHOOK_SECRETS": "whsec_new, whsec_old",
    "OMS_KUAIDI100_KEY": "key-of-kuaidi",
    "OMS_KUAIDI100_SALT": "salt-of-kuaidi",
}
REST = {
    "TEMPORAL_ADDRESS": "temporal:7233",
    "OMS_WECHAT_BASE_URL": "https://api.mch.weixin.qq.com",
    "OMS_WECHAT_MCHID": "1900000109",
    "OMS_WECHAT_APPID": "wx1",
    "OMS_WECHAT_SERIAL_NO": "AB",
    "OMS_WECHAT_NOTIFY_URL": "https://relay.shop.example/hooks/wechat",
    "OMS_QIMEN_BASE_URL": "https://wms.shop.example",
    "OMS_QIMEN_APP_KEY": "a",
    "OMS_QIMEN_CUSTOMER_ID": "c",
    "OMS_TMS_BASE_URL": "https://tms.shop.example",
    "OMS_KUAIDI100_BASE_URL": "https://poll.kuaidi100.com",
    "OMS_KUAIDI100_CUSTOMER": "c",
    "OMS_KUAIDI100_CALLBACK_URL": "https://relay.shop.example/hooks/kuaidi100",
}


@pytest.fixture(autouse=True)
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole configuration of production, with every secret in the environment."""
    for name, value in {**SECRETS, **REST, "OMS_ENVIRONMENT": "prod"}.items():
        monkeypatch.setenv(name, value)


def found(process: Process = Process.WORKER) -> list[tuple[str, SettingFault]]:
    return [(v.name, v.code) for v in startup_check.check(process).violations]


def test_a_whole_configuration_may_start() -> None:
    assert found() == []
    for process in (Process.WORKER, Process.RELAY):
        startup_check.insist(process)


def test_what_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMS_QIMEN_SECRET")
    monkeypatch.setenv("OMS_TMS_BASE_URL", "")
    assert found() == [("OMS_QIMEN_SECRET", SettingFault.MISSING), ("OMS_TMS_BASE_URL", SettingFault.MISSING)]


def test_nobody_starts_without_saying_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMS_ENVIRONMENT")
    assert found() == [("OMS_ENVIRONMENT", SettingFault.MISSING)]
    monkeypatch.setenv("OMS_ENVIRONMENT", "production")
    with pytest.raises(UnableToConfigure, match="OMS_ENVIRONMENT"):
        startup_check.check()


def test_a_secret_in_the_file_of_settings_is_refused_and_other_settings_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OMS_TMS_TOKEN")
    monkeypatch.delenv("OMS_QIMEN_APP_KEY")
    (tmp_path / "settings.env").write_text("OMS_TMS_TOKEN=t\nOMS_QIMEN_APP_KEY=a\n")
    monkeypatch.setenv("OMS_ENV_FILE", str(tmp_path / "settings.env"))
    assert found() == [("OMS_TMS_TOKEN", SettingFault.SECRET_NOT_FROM_ENV)]
    monkeypatch.setenv("OMS_ENVIRONMENT", "local")
    assert found() == []


def test_a_secret_file_counts_unless_it_lies_in_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OMS_TMS_TOKEN")
    (tmp_path / "oms_tms_token").write_text("t\n")
    monkeypatch.setenv("OMS_SECRETS_DIR", str(tmp_path))
    assert found() == []
    monkeypatch.setattr("config.sources.ROOT", tmp_path.parent)
    assert found() == [("OMS_TMS_TOKEN", SettingFault.SECRET_NOT_FROM_ENV)]


def test_a_test_secret_is_refused_by_its_tag_or_by_its_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_TMS_TOKEN_TAG", "test")
    prints = [fingerprint("whsec_old"), fingerprint("1900000109")]
    monkeypatch.setenv("OMS_KNOWN_TEST_FINGERPRINTS", ", ".join(prints))
    assert found() == [
        ("OMS_WECHAT_MCHID", SettingFault.ENVIRONMENT_MIXED),
        ("OMS_TMS_TOKEN", SettingFault.ENVIRONMENT_MIXED),
        ("OMS_TMS_WEBHOOK_SECRETS[1]", SettingFault.ENVIRONMENT_MIXED),
    ]


def test_a_sandbox_is_refused_as_partner_and_as_our_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_TMS_BASE_URL", "https://tms-sandbox.shop.example")
    monkeypatch.setenv("OMS_KUAIDI100_CALLBACK_URL", "http://relay.shop.example")
    assert found() == [
        ("OMS_TMS_BASE_URL", SettingFault.ENVIRONMENT_MIXED),
        ("OMS_KUAIDI100_CALLBACK_URL", SettingFault.ENVIRONMENT_MIXED),
    ]


def test_the_test_installation_does_not_touch_what_is_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_ENVIRONMENT", "test")
    assert found() == []
    monkeypatch.setenv("OMS_WECHAT_APIV3_KEY_TAG", "prod")
    monkeypatch.setenv("OMS_KUAIDI100_KEY_TAG", "test")
    assert found() == [
        ("OMS_WECHAT_APIV3_KEY", SettingFault.ENVIRONMENT_MIXED),
        ("OMS_KUAIDI100_BASE_URL", SettingFault.ENVIRONMENT_MIXED),
    ]


def test_names_codes_and_fingerprints_are_told_and_never_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(f"{name}_TAG", "test")
    checked = startup_check.check()
    with pytest.raises(UnableToConfigure) as refused:
        startup_check.insist(Process.WORKER)
    text = f"{refused.value}\n{checked}\n" + "\n".join(checked.lines())
    assert fingerprint(SECRETS["OMS_TMS_TOKEN"]) in text
    for value in SECRETS.values():
        for part in value.split(","):
            assert part.strip() not in text


@pytest.mark.parametrize(
    ("program", "wrong"),
    [(["worker.py"], "OMS_TMS_TOKEN"), (["-m", "relay"], "OMS_QIMEN_SECRET")],
    ids=["worker", "relay"],
)
async def test_worker_and_relay_refuse_to_start_with_a_line_a_mistake(program: list[str], wrong: str) -> None:
    env = {**SECRETS, **REST, "PATH": os.defpath, "OMS_ENV_FILE": "", "OMS_ENVIRONMENT": "prod"}
    env |= {f"{wrong}_TAG": "test", "OMS_KUAIDI100_SALT_TAG": "test"}
    ran = await asyncio.create_subprocess_exec(
        sys.executable, *program, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await asyncio.wait_for(ran.communicate(), 60)
    lines = err.decode().splitlines()
    assert (ran.returncode, out) == (2, b"")
    assert [line.split()[:2] for line in lines[1:]] == [
        ["ENVIRONMENT_MIXED", wrong],
        ["ENVIRONMENT_MIXED", "OMS_KUAIDI100_SALT"],
    ]
    assert not [value for value in SECRETS.values() if value in err.decode()]


def test_the_secrets_of_a_described_source_are_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_GENERIC_SOURCES", str(ROOT / "examples" / "generic-source.yaml"))
    assert found(Process.RELAY) == [("OMS_ACME_WMS_SECRETS", SettingFault.MISSING)]
    monkeypatch.setenv("OMS_ACME_WMS_SECRETS", "whsec_x")
    monkeypatch.setenv("OMS_ACME_WMS_SECRETS_TAG", "test")
    assert found(Process.RELAY) == [("OMS_ACME_WMS_SECRETS", SettingFault.ENVIRONMENT_MIXED)]


def test_a_partner_that_may_be_left_out_is_whole_or_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_SF_PARTNER_ID", "P")
    assert ("OMS_SF_BASE_URL", SettingFault.MISSING) in found()


def test_addresses_of_notices_are_a_secret_that_a_file_of_settings_must_not_hold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.env"
    file.write_text("OMS_NOTICE_URLS=wecombot://key-of-the-group\n")
    monkeypatch.setenv("OMS_ENV_FILE", str(file))
    assert found(Process.RELAY) == [("OMS_NOTICE_URLS", SettingFault.SECRET_NOT_FROM_ENV)]
    assert "key-of-the-group" not in repr(startup_check.check(Process.RELAY))


def test_the_relay_needs_nothing_that_only_the_worker_calls_with(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OMS_WECHAT_PRIVATE_KEY",
        "OMS_TMS_TOKEN",
        "OMS_TMS_BASE_URL",
        "OMS_KUAIDI100_KEY",
        "OMS_QIMEN_BASE_URL",
    ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMS_WECHAT_PLATFORM_KEYS", '{"PUB_KEY_ID_1": "PEM"}')
    assert found(Process.RELAY) == []
    assert Settings().receiving.wechat.private_key is None
    assert {name for name, _ in found(Process.WORKER)} >= {"OMS_WECHAT_PRIVATE_KEY", "OMS_TMS_TOKEN"}


def test_a_relay_with_neither_platform_keys_nor_the_merchants_own_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMS_WECHAT_PRIVATE_KEY")
    with pytest.raises(UnableToConfigure, match="PLATFORM_KEYS"):
        _ = Settings().receiving.wechat
