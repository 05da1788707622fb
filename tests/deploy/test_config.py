from pathlib import Path

import pytest

from config import settings as config
from config.settings import TmsSettings, UnableToConfigure, WechatSettings, load

TMS = {
    "OMS_TMS_BASE_URL": "http://127.0.0.1:1/",
    "OMS_TMS_TOKEN": "t0ken",
    "OMS_TMS_WEBHOOK_SECRETS": "whsec_b, whsec_a",
}


def give(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_missing_variables_are_named_in_one_line() -> None:
    with pytest.raises(UnableToConfigure) as refused:
        load(TmsSettings)
    text = str(refused.value)
    assert "\n" not in text
    assert "OMS_TMS_BASE_URL, OMS_TMS_TOKEN, OMS_TMS_WEBHOOK_SECRETS" in text
    assert "make up" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OMS_WECHAT_APIV3_KEY", "too-short-a-key"),
        ("OMS_WECHAT_PLATFORM_KEYS", "{not json"),
        ("OMS_WECHAT_BASE_URL", "ftp://someone:s3cret@files"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UnableToConfigure) as refused:
        load(WechatSettings)
    assert name in str(refused.value) or "OMS_WECHAT_*" in str(refused.value)
    assert value not in str(refused.value)
    assert refused.value.__cause__ is None


def test_secrets_do_not_show_in_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, TMS)
    settings = load(TmsSettings)
    assert "t0ken" not in repr(settings)
    assert settings.token.get_secret_value() == "t0ken"
    assert [s.get_secret_value() for s in settings.webhook_secrets] == ["whsec_b", "whsec_a"]
    assert settings.base_url == "http://127.0.0.1:1"


def test_the_environment_wins_over_the_file_of_the_running_stack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "stack.env"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in TMS.items()))
    monkeypatch.setenv("OMS_ENV_FILE", str(file))
    monkeypatch.setenv("OMS_TMS_TOKEN", "of the environment")
    assert load(TmsSettings).token.get_secret_value() == "of the environment"
    assert load(TmsSettings).base_url == "http://127.0.0.1:1"


def test_without_a_name_the_running_stack_of_the_state_folder_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OMS_ENV_FILE")
    monkeypatch.setenv("OMS_STATE_DIR", str(tmp_path))
    assert config.env_file() is None
    (tmp_path / "stack.env").write_text("TEMPORAL_ADDRESS='127.0.0.1:7'\n")
    assert config.Settings().temporal.temporal_address == "127.0.0.1:7"
    assert config.Settings().temporal.connect_arguments()["target_host"] == "127.0.0.1:7"


def test_secrets_may_be_files_of_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    give(monkeypatch, {k: v for k, v in TMS.items() if k != "OMS_TMS_TOKEN"})
    (tmp_path / "oms_tms_token").write_text("from a file\n")
    monkeypatch.setenv("OMS_SECRETS_DIR", str(tmp_path))
    assert load(TmsSettings).token.get_secret_value() == "from a file"


def test_production_refuses_the_address_of_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, {**TMS, "OMS_ENVIRONMENT": "prod"})
    with pytest.raises(UnableToConfigure, match="OMS_TMS_BASE_URL"):
        load(TmsSettings)


def test_the_warehouse_needs_no_settings_of_the_carrier(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, TMS)
    settings = config.Settings()
    assert settings.tms.token.get_secret_value() == "t0ken"
    with pytest.raises(UnableToConfigure, match="OMS_QIMEN_SECRET"):
        _ = settings.qimen
