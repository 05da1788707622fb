"""The groups of `oms`: each is put together when one of its commands is called (decision 0066)."""

from collections.abc import Callable, Mapping

import typer

from starter.cli.groups import business, running

MADE: Mapping[str, Callable[[typer.Typer], None]] = business.MADE | running.MADE
