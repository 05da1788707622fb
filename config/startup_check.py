"""Do the settings of this machine fit together? Worker and relay ask before they start, `oms config check` at any time.

Names, codes and fingerprints only; a value never leaves this module (R16, R17).
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from config.optional import GenericSettings
from config.processes import GROUPS, NEEDED, Process
from config.settings import EnvironmentSettings
from config.sources import SettingsGroup, UnableToConfigure, listed, load, origin, variable
from domain.config_rules import (
    Setting,
    SettingFault,
    Source,
    Violation,
    address_violation,
    is_test_value,
    violations,
)
from providers.generic.loading import UnableToMap, load_mapping

ADVICE = {
    SettingFault.MISSING: "is not set; for a local stack run `make up`",
    SettingFault.SECRET_NOT_FROM_ENV: "stands in a file of settings; give it as a variable, or as a file of its own "
    "outside the checkout (OMS_SECRETS_DIR)",
    SettingFault.ENVIRONMENT_MIXED: "does not belong to environment {environment}",
}


@dataclass(frozen=True)
class Checked:
    """`environment` is empty when nobody has said which one this is."""

    environment: str
    items: tuple[Setting, ...]
    violations: tuple[Violation, ...]

    @property
    def start_allowed(self) -> bool:
        return not self.violations

    def lines(self) -> Iterator[str]:
        """A line a violation."""
        prints = {item.name: item.fingerprint for item in self.items}
        for found in self.violations:
            advice = ADVICE[found.code].format(environment=self.environment)
            shown = f" [{prints[found.name]}]" if prints.get(found.name) else ""
            yield f"{found.code} {found.name}{shown} {advice}"


def insist(process: Process) -> None:
    """Raises `UnableToConfigure`, a line a violation, unless this process may start with these settings."""
    checked = check(process)
    if not checked.start_allowed:
        raise UnableToConfigure("\n".join(("its settings are refused (oms config check)", *checked.lines())))


def check(process: Process = Process.WORKER) -> Checked:
    """All settings that it needs or uses. Raises `UnableToConfigure` for an environment that does not exist."""
    groups = [group for group in GROUPS[process] if group in NEEDED or _is_touched(group)]
    groups.sort(key=lambda group: NEEDED.index(group) if group in NEEDED else len(NEEDED))
    items = tuple(item for group in groups for item in _items(group))
    if GenericSettings in GROUPS[process]:
        items += tuple(
            item for name in _named_by_sources() for item in _item(name, secret=True, required=True, several=True)
        )
    if origin("OMS_ENVIRONMENT")[1] is Source.MISSING:
        # Nothing can be mixed as long as nobody says with what.
        unnamed = [Setting(i.name, i.source, secret=i.secret) for i in items]
        return Checked("", items, violations("", unnamed, ()))
    settings = load(EnvironmentSettings)
    environment, known = settings.oms_environment, settings.oms_known_test_fingerprints
    found = violations(environment, items, known)
    mixed = [v for group in groups for v in _addresses(group, environment, known)]
    return Checked(environment, items, (*found, *(v for v in mixed if v not in found)))


def _named_by_sources() -> Iterator[str]:
    """Variables with the secrets of sources that a mapping file describes."""
    for file in load(GenericSettings).sources:
        try:
            yield from load_mapping(Path(file)).secrets
        except UnableToMap as why:
            raise UnableToConfigure(f"OMS_GENERIC_SOURCES: {why}") from None


def fingerprint(value: str) -> str:
    """As `printf %s "$VALUE" | sha256sum | cut -c1-12` prints it."""
    return hashlib.sha256(value.strip().encode()).hexdigest()[:12]


def _is_touched(group: type[SettingsGroup]) -> bool:
    return any(
        origin(variable(group, name))[1] is not Source.MISSING
        for name, field in group.model_fields.items()
        if field.is_required() or "SecretStr" in str(field.annotation)
    )


def _items(group: type[SettingsGroup]) -> Iterator[Setting]:
    for name, field in group.model_fields.items():
        secret = "SecretStr" in str(field.annotation)
        if secret or field.is_required():
            several = "tuple" in str(field.annotation)
            yield from _item(variable(group, name), secret=secret, required=field.is_required(), several=several)


def _item(name: str, *, secret: bool, required: bool, several: bool = False) -> Iterator[Setting]:
    """A list of secrets is an item a secret: any of them may be a test's."""
    value, source = origin(name)
    if source is Source.MISSING:
        if required:
            yield Setting(name, source, secret=secret)
        return
    tag = origin(f"{name}_TAG")[0] or None
    values = listed(value) if several else [value]
    for n, one in enumerate(values):
        numbered = f"{name}[{n}]" if len(values) > 1 else name
        yield Setting(numbered, source, tag, fingerprint(one), secret)


def _addresses(group: type[SettingsGroup], environment: str, known: Iterable[str]) -> Iterator[Violation]:
    """Of a partner's group: where we call it, and where it is told to call us."""
    fields = group.model_fields
    if "base_url" not in fields:
        return
    test_keys = any(is_test_value(item, tuple(known)) for item in _items(group) if item.secret)
    for name in (name for name in fields if name.endswith("_url")):
        address, source = origin(variable(group, name))
        if source is not Source.MISSING:
            found = address_violation(environment, variable(group, name), address, test_keys=test_keys)
            if found:
                yield found
