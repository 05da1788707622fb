"""Lists as files that spreadsheets open: no text in them begins a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from starlette.responses import Response

from console.text.spreadsheets import cell


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]], cut_at: int | None = None) -> Response:
    """`cut_at`: so many rows it has, and there were more; its last line says so."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(head)
    out.writerows([cell(value) for value in row] for row in rows)
    if cut_at is not None:
        out.writerow([f"# only the newest {cut_at}"])
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    # With the mark by which spreadsheets know that it is UTF-8.
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
