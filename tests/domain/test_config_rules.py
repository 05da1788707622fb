import pytest

from domain.config_rules import Setting, SettingFault, Source, Violation, address_violation, is_test_address, violations

TEST_PRINT = "fp-test"


def codes(environment: str, item: Setting) -> list[SettingFault]:
    return [v.code for v in violations(environment, [item], {TEST_PRINT})]


def test_what_is_missing_is_nothing_but_missing() -> None:
    assert codes("prod", Setting("A", Source.MISSING, tag="test", fingerprint=TEST_PRINT)) == [SettingFault.MISSING]


def test_a_secret_in_a_file_of_settings_is_refused_everywhere_but_on_one_machine() -> None:
    assert codes("prod", Setting("A", Source.FILE_LITERAL)) == [SettingFault.SECRET_NOT_FROM_ENV]
    assert codes("test", Setting("A", Source.FILE_LITERAL)) == [SettingFault.SECRET_NOT_FROM_ENV]
    assert codes("local", Setting("A", Source.FILE_LITERAL)) == []
    assert codes("prod", Setting("A", Source.FILE_LITERAL, secret=False)) == []
    assert codes("prod", Setting("A", Source.FILE)) == []


@pytest.mark.parametrize(
    ("environment", "tag", "mixed"),
    [
        ("prod", "prod", False),
        ("prod", "test", True),
        ("prod", None, False),
        ("test", "test", False),
        ("test", "prod", True),
        ("local", "test", False),
        ("local", "prod", True),
        ("test", "prd", True),
        ("prod", "production", True),
    ],
)
def test_a_tag_fits_its_own_environment_only_and_a_misspelt_one_none(
    environment: str, tag: str | None, mixed: bool
) -> None:
    assert codes(environment, Setting("A", Source.ENV, tag)) == ([SettingFault.ENVIRONMENT_MIXED] if mixed else [])


def test_a_value_known_from_a_test_account_is_refused_in_production_whatever_its_tag_says() -> None:
    assert codes("prod", Setting("A", Source.ENV, "prod", TEST_PRINT)) == [SettingFault.ENVIRONMENT_MIXED]
    assert codes("test", Setting("A", Source.ENV, "test", TEST_PRINT)) == []


def test_every_mistake_of_every_item_is_told_in_their_order() -> None:
    items = [Setting("B", Source.FILE_LITERAL, "test"), Setting("A", Source.MISSING)]
    assert violations("prod", items, ()) == (
        Violation("B", SettingFault.SECRET_NOT_FROM_ENV),
        Violation("B", SettingFault.ENVIRONMENT_MIXED),
        Violation("A", SettingFault.MISSING),
    )


@pytest.mark.parametrize(
    "address",
    [
        "http://api.mch.weixin.qq.com",
        "https://openapi-sandbox.dl.alipaydev.com/gateway.do",
        "https://sfapi-sbox.sf-express.com/std/service",
        "https://localhost:8443",
        "https://127.1.2.3",
        "https://[::1]/x",
        "https://0.0.0.0",
        "https://wms-test.shop.example",
        "https://UAT.shop.example",
    ],
)
def test_addresses_that_are_never_right_in_production(address: str) -> None:
    assert is_test_address(address)
    assert address_violation("prod", "A", address, test_keys=False)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.mch.weixin.qq.com",
        "https://bspgw.sf-express.com",
        "https://latest.shop.example",
        "https://10.1.2.3",
    ],
)
def test_addresses_that_may_be_used_in_production(address: str) -> None:
    assert address_violation("prod", "A", address, test_keys=False) is None


def test_a_live_address_with_test_keys_is_refused_outside_production() -> None:
    live = "https://poll.kuaidi100.com"
    assert address_violation("test", "A", live, test_keys=True) == Violation("A", SettingFault.ENVIRONMENT_MIXED)
    assert address_violation("local", "A", live, test_keys=True) == Violation("A", SettingFault.ENVIRONMENT_MIXED)
    assert address_violation("test", "A", live, test_keys=False) is None
