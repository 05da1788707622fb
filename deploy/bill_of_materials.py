"""`python -m deploy.bill_of_materials [--check]`: what the image is made of, from its lock: `deploy/sbom.cdx.json`
(CycloneDX 1.6) and `deploy/licences.md`. Licences are what the installed packages say of themselves.

Without times and random numbers: the same lock gives the same files.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution, metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK, BILL, LICENCES = HERE / "production.lock", HERE / "sbom.cdx.json", HERE / "licences.md"
LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)(?: ; ([^\\]+))?", re.MULTILINE)
CLASSIFIER = "License :: OSI Approved :: "
LONGEST_NAME = 60
"""Of a licence; whoever writes more has written the licence itself there."""
UNSAID = "not said"
MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"


class NotInstalled(RuntimeError):
    """A package of the lock is not here, so nobody can say what its licence is. `make venv` installs it."""


@dataclass(frozen=True)
class Component:
    """`only`: the marker of the lock for where it is needed, empty for everywhere."""

    name: str
    version: str
    licence: str
    only: str = ""


def components(lock: str) -> Iterator[Component]:
    """In the lock's order. Raises `NotInstalled` for one that is needed everywhere."""
    for name, version, marker in LOCKED.findall(lock):
        try:
            licence = licence_of(name)
        except PackageNotFoundError:
            if not marker:
                raise NotInstalled(f"{name} {version} is locked and not installed: run `make venv`") from None
            licence = UNSAID
        yield Component(name, version, licence, marker.strip())


def licence_of(package: str) -> str:
    """As an SPDX expression where it says one, else in its own words."""
    told = metadata(package)
    if expression := _said(told, "License-Expression"):
        return expression
    named = [c.removeprefix(CLASSIFIER) for c in told.get_all("Classifier", []) if c.startswith(CLASSIFIER)]
    words = " ".join(_said(told, "License").split())
    return " AND ".join(sorted(named)) or (words if 0 < len(words) <= LONGEST_NAME else _by_its_text(package))


def _said(told: PackageMetadata, what: str) -> str:
    """The first of it, or ''."""
    return str(next(iter(told.get_all(what, [])), ""))


def _by_its_text(package: str) -> str:
    """By the licence that came along."""
    file = _said(metadata(package), "License-File")
    text = distribution(package).read_text(f"licenses/{file}") if file else None
    return "MIT" if MIT in " ".join((text or "").split()) else UNSAID


def bill(found: Sequence[Component]) -> str:
    listed = [
        {
            "type": "library", "name": c.name, "version": c.version, "purl": f"pkg:pypi/{c.name}@{c.version}",
            "bom-ref": f"{c.name}@{c.version}", "licenses": [{"license": {"name": c.licence}}],
            **({"properties": [{"name": "needed where", "value": c.only}]} if c.only else {}),
        }
        for c in found
    ]  # fmt: skip
    ours = {"type": "application", "name": "order-orchestrator", "bom-ref": "order-orchestrator"}
    told = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": ours},
        "components": listed,
    }  # fmt: skip
    return json.dumps(told, indent=1) + "\n"


def licences(found: Sequence[Component]) -> str:
    rows = "".join(f"| {c.name} | {c.version} | {c.licence} |\n" for c in found)
    head = "# Licences\n\nOf what the image holds (`make sbom`).\n\n| Package | Version | Licence |\n|---|---|---|\n"
    return head + rows


def main(words: Sequence[str]) -> int:
    found = list(components(LOCK.read_text()))
    made = {BILL: bill(found), LICENCES: licences(found)}
    if "--check" not in words:
        for file, text in made.items():
            file.write_text(text)
        return 0
    stale = [file.name for file, text in made.items() if not file.is_file() or file.read_text() != text]
    if stale:
        sys.stderr.write(f"{', '.join(stale)} do not fit production.lock: run `make sbom`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
