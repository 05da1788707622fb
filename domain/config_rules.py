"""Which settings a process may start with (R16, R17): nothing missing, no secret in a file, no mix of test and live.

    violations("prod", [Item("OMS_TMS_TOKEN", Source.ENV, tag="test", fingerprint="9f86d081884c")], known_test=())
    # (Violation("OMS_TMS_TOKEN", Code.ENVIRONMENT_MIXED),)

Names, codes and fingerprints only: no value ever gets here.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

PROD, LOCAL = "prod", "local"


class Source(StrEnum):
    """Where a setting's value stands. FILE: a secret of its own outside the tree; FILE_LITERAL: written into a file."""

    ENV = "env"
    FILE = "file"
    FILE_LITERAL = "file_literal"
    MISSING = "missing"


class SettingFault(StrEnum):
    MISSING = "MISSING"
    SECRET_NOT_FROM_ENV = "SECRET_NOT_FROM_ENV"  # noqa: S105
    ENVIRONMENT_MIXED = "ENVIRONMENT_MIXED"


@dataclass(frozen=True)
class Setting:
    """One setting. `tag`: what its owner says it is for (test, prod), if anything. `secret` False: a merchant number,
    an address: it may stand in a file."""

    name: str
    source: Source
    tag: str | None = None
    fingerprint: str | None = None
    secret: bool = True


@dataclass(frozen=True)
class Violation:
    name: str
    code: SettingFault


def violations(environment: str, items: Iterable[Setting], known_test: Collection[str]) -> tuple[Violation, ...]:
    """In the order of `items`, for one item in the order of `SettingFault`; empty: the process may start.

    `known_test`: fingerprints of values that belong to test accounts. Everything but "prod" is a test environment, and
    only "local" may keep secrets in a file, for there they are made up.
    """
    return tuple(Violation(item.name, code) for item in items for code in _codes(environment, item, known_test))


def _codes(environment: str, item: Setting, known_test: Collection[str]) -> Iterable[SettingFault]:
    if item.source is Source.MISSING:
        yield SettingFault.MISSING
        return
    if item.secret and item.source is Source.FILE_LITERAL and environment != LOCAL:
        yield SettingFault.SECRET_NOT_FROM_ENV
    if not _tag_fits(environment, item.tag) or (environment == PROD and item.fingerprint in known_test):
        yield SettingFault.ENVIRONMENT_MIXED


def _tag_fits(environment: str, tag: str | None) -> bool:
    """A tag that nobody knows fits nowhere: it is misspelt."""
    if tag is None:
        return True
    return tag == PROD if environment == PROD else tag in (environment, "test")


def is_test_value(item: Setting, known_test: Collection[str]) -> bool:
    return item.tag not in (None, PROD) or item.fingerprint in known_test


LIVE_HOSTS = frozenset(
    {
        "api.mch.weixin.qq.com", "api2.mch.weixin.qq.com", "openapi.alipay.com", "bspgw.sf-express.com",
        "poll.kuaidi100.com", "api.kuaidi100.com", "qimen.api.taobao.com",
    }
)  # fmt: skip
"""Where the partners of docs/providers.md take real money and real parcels."""

_TEST_LABEL = re.compile(r"(^|[.-])(test|testing|uat|dev|staging|mock|localhost)([.-]|$)|sandbox|sbox|alipaydev")


def is_test_address(address: str) -> bool:
    """A sandbox's, this machine's, or one without TLS: never right in production."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    return parts.scheme != "https" or _is_loopback(host) or _TEST_LABEL.search(host) is not None


def address_violation(environment: str, name: str, address: str, *, test_keys: bool) -> Violation | None:
    """`address` of a partner, or of ours as given to a partner. `test_keys`: a secret of the same partner is a test's.

    Test addresses are refused in production. Elsewhere a live address is refused together with test keys: a partner
    without a sandbox is tried out with keys of a live account, tagged by nobody.
    """
    if environment == PROD:
        mixed = is_test_address(address)
    else:
        mixed = test_keys and (urlsplit(address).hostname or "").lower() in LIVE_HOSTS
    return Violation(name, SettingFault.ENVIRONMENT_MIXED) if mixed else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
