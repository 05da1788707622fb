"""`oms` says what it can do at once, and every command says what it is for."""

import subprocess
import sys

import pytest

from starter.cli.groups import MADE
from starter.cli.groups.said import SAID
from tests.starter.conftest import Oms

HEAVY = ("temporalio", "asyncpg", "pydantic", "httpx", "openpyxl", "cryptography", "domain", "store", "workflows")


@pytest.mark.parametrize("words", [["--help"], ["--version"], []], ids=["help", "version", "nothing"])
def test_help_and_version_import_nothing_of_the_product(words: list[str]) -> None:
    """Imports are what a command costs before it does anything: 0.9 s of CPU with all of them."""
    code = (
        "import sys\nfrom starter.cli.main import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        f"print([n for n in {HEAVY!r} if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1] == "[]"


def test_every_command_is_in_the_list_and_can_be_called(oms: Oms) -> None:
    assert set(SAID) == set(MADE)
    listed = oms("--help").out
    for name in SAID:
        assert f" {name} " in listed
        shown = oms(name, "--help")
        assert (shown.code, f"oms {name}" in shown.out) == (0, True), name


def test_the_list_fits_eighty_columns(oms: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, oms("--help").out.splitlines())) <= 80


def test_the_version_is_told_and_a_slip_is_answered(oms: Oms) -> None:
    assert oms("--version").out.startswith("oms 0.")
    slip = oms("ordr", "show")
    assert (slip.code, "Did you mean 'order'?" in slip.err) == (2, True)
