"""`oms config forms`: what after-sales applications have to say, by goods and type."""

from pathlib import Path
from typing import Annotated

import typer

from domain.access.controls import PublishForms
from domain.returns.forms import FormBook
from domain.strict import UnableToRead, parse
from starter.cli import output
from starter.cli.approvals.controls import ask_for
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, fail, run, several
from starter.cli.options import By, Json, Proof, read
from store.automation.books import BookStore

MAX_BYTES = 200_000


def show(
    version: Annotated[int | None, typer.Option("--version", min=1, help="One version.", show_default="newest")] = None,
    json: Json = False,
) -> None:
    """Show the after-sales forms that count, or a version of them.

    Example: oms config forms show --json > forms.json
    """
    book = run(_book(version))
    if json:
        output.as_json(book)
    else:
        rows = [
            (r.id, r.name.zh, ", ".join(r.types), r.pictures, ", ".join(f.id for f in r.fields)) for r in book.rules
        ]
        title = f"After-sales forms, version {book.version}"
        output.table(title, ("id", "name", "types", "pictures", "fields"), rows, empty="none of your own")


def publish(
    file: Annotated[Path, typer.Argument(help="JSON (as `show --json` prints it), - for stdin.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask for the forms to be as in a file; another supervisor decides.

    Example: oms config forms set forms.json --by u-sup
    """
    try:
        book = parse(FormBook, read(file, MAX_BYTES))
    except UnableToRead as e:
        fail(BadInput(f"{file} is no usable file of forms, nothing was asked: {several(str(e))}."))
    except BadInput as e:
        fail(e)
    ask_for(PublishForms(book=book.model_copy(update={"version": 0})), by, proof, json)


def rollback(
    version: Annotated[int, typer.Argument(min=1, help="Which version counts again.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask for an earlier version to count again.

    Example: oms config forms rollback 3 --by u-sup
    """
    ask_for(PublishForms(book=run(_book(version)).model_copy(update={"version": 0})), by, proof, json)


async def _book(version: int | None) -> FormBook:
    async with database() as pool:
        books = BookStore(pool)
        found = await (books.newest("forms") if version is None else books.version("forms", version))
        if found is None and version is not None:
            raise CommandFailed(f"the forms have no version {version}: `oms config forms show`.")
        return FormBook() if found is None else found.read(FormBook)
