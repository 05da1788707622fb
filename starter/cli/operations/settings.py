"""`oms config check`: may worker and relay start with the settings of this machine?"""

from collections.abc import Sequence
from typing import Annotated

import typer

from config import startup_check
from config.processes import Process
from config.settings import UnableToConfigure
from config.startup_check import Checked
from config.walls import WallOff, walls_off
from starter.cli import output
from starter.cli.errors import BadInput, CommandFailed, fail
from starter.cli.options import Json
from starter.text.marking import N_

Of = Annotated[Process, typer.Option("--process", help="Whose settings: each process reads its own.")]


def check(process: Of = Process.WORKER, json: Json = False) -> None:
    """Look at every setting: is it there, does its secret come from where it may, does it belong to this environment?

    Shows names, fingerprints and codes, never a value, and which walls this process stands without. Exit code 1 when it
    would refuse to start.

    Example: OMS_ENVIRONMENT=prod oms config check --json
    """
    try:
        checked = startup_check.check(process)
    except UnableToConfigure as e:
        fail(BadInput(f"{e}."))
    if json:
        output.as_json(_told(checked, walls_off(process)))
    else:
        _show(checked)
        output.table("Walls that are off", ("wall", "what can happen"), [(w.name, w.what) for w in walls_off(process)])
    if not checked.start_allowed:
        names = sorted({v.name for v in checked.violations})
        fail(CommandFailed(f"the {process} refuses to start: {', '.join(names)}."))


def _told(checked: Checked, off: Sequence[WallOff]) -> dict[str, object]:
    return {
        "environment": checked.environment or None,
        "start_allowed": checked.start_allowed,
        "violations": checked.violations,
        "items": checked.items,
        "walls_off": off,
    }


def _show(checked: Checked) -> None:
    rows = [
        (
            item.name,
            item.source,
            N_("yes") if item.secret else "",
            item.tag,
            item.fingerprint,
            ", ".join(v.code for v in checked.violations if v.name == item.name),
        )
        for item in checked.items
    ]
    columns = ("setting", "from", "secret", "tag", "fingerprint", "refused")
    output.table(f"Settings, environment {checked.environment or 'unknown'}", columns, rows)
    for line in checked.lines():
        output.line(line)
    if checked.start_allowed:
        output.line(f"All {len(rows)} settings fit; worker and relay may start.")
