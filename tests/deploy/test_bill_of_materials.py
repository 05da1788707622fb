"""What the image is made of is written down, and is what its lock says."""

import json

import pytest

from deploy.bill_of_materials import BILL, LICENCES, LOCK, LOCKED, UNSAID, NotInstalled, bill, components, licences


def test_the_bill_and_the_licences_are_those_of_the_lock() -> None:
    found = list(components(LOCK.read_text()))
    assert BILL.read_text() == bill(found), "run `make sbom`"
    assert LICENCES.read_text() == licences(found), "run `make sbom`"


def test_every_locked_package_is_in_it_and_says_its_licence() -> None:
    told = json.loads(BILL.read_text())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    locked = {(name, version) for name, version, _ in LOCKED.findall(LOCK.read_text())}
    assert len(locked) == sum("==" in line.partition(" ")[0] for line in LOCK.read_text().splitlines())
    assert {(c["name"], c["version"]) for c in told["components"]} == locked
    needed = [c for c in told["components"] if "properties" not in c]
    assert [c["name"] for c in needed if c["licenses"][0]["license"]["name"] == UNSAID] == []


def test_what_is_not_installed_is_not_guessed() -> None:
    with pytest.raises(NotInstalled, match="make venv"):
        list(components("no-such-package==1.0 \\\n    --hash=sha256:00\n"))
    (elsewhere,) = components("no-such-package==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n")
    assert (elsewhere.licence, elsewhere.only) == (UNSAID, "sys_platform == 'win32'")
