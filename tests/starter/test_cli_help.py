"""`oms` says what it can do at once, and every command says what it is for."""

import subprocess
import sys

import pytest

from starter.cli.groups import MADE, listed
from starter.cli.groups.said import SAID
from tests.starter.conftest import Oms

HEAVY = ("temporalio", "asyncpg", "pydantic", "httpx", "openpyxl", "cryptography", "domain", "store", "workflows")


ASKED = [
    [], ["--help"], ["--version"], ["order"], ["order", "--help"], ["--lang", "zh", "stock", "--help"],
    ["config", "policy", "--help"], ["return", "evidence"],
]  # fmt: skip


@pytest.mark.parametrize("words", ASKED, ids=" ".join)
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


def test_what_a_group_lists_is_what_its_commands_say_of_themselves() -> None:
    assert listed.FILE.read_text(encoding="utf-8") == listed.as_they_say(), "run `python -m starter.cli.groups.listed`"


def test_a_group_that_is_only_looked_at_answers_as_the_whole_one(oms: Oms) -> None:
    shown = oms("config", "policy", "--help").out
    assert "Usage: oms config policy [OPTIONS] COMMAND [ARGS]..." in shown
    assert "bring-back" in shown
    assert "--install-completion" not in shown
    assert oms("config", "policy").code == 2
    slip = oms("config", "policy", "shw")
    assert (slip.code, "Did you mean 'show'?" in slip.err) == (2, True)
    assert "See `oms config policy --help`" in slip.err


def test_the_list_fits_eighty_columns(oms: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, oms("--help").out.splitlines())) <= 80


def test_the_version_is_told_and_a_slip_is_answered(oms: Oms) -> None:
    assert oms("--version").out.startswith("oms 0.")
    slip = oms("ordr", "show")
    assert (slip.code, "Did you mean 'order'?" in slip.err) == (2, True)
