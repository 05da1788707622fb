"""Labels of many orders' parcels at once: each copy a row of the books, all of them one file for the printer."""

import base64
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console.pages.acting import field
from console.pages.orders.batch import MOST_LABELS, PRINTERS, chosen_orders
from console.pages.rendering import render
from console.session.user import User
from console.wiring import wiring_of
from store.orders.labels import LabelStore, NoLabel, Printable, Printed, ReprintNeedsReason

router = APIRouter()
LONGEST_REASON = 200


@dataclass(frozen=True)
class GivenLabel:
    """`printed` None: it needs a reason, or has no label any more."""

    parcel: Printable
    printed: Printed | None
    needs_reason: bool = False


@router.post("/orders-batch/print")
async def print_labels(request: Request, user: Annotated[User, Depends(PRINTERS)]) -> Response:
    """Shown as the answer and not by 303: the file is in it, and each time it is made is a copy."""
    wiring, labels = wiring_of(request), LabelStore(wiring_of(request).pool)
    numbers = await chosen_orders(request, user)
    reason = (await field(request, "reason"))[:LONGEST_REASON]
    results = []
    for parcel in await labels.printable(numbers, user.scope.warehouses, MOST_LABELS):
        try:
            printed = await labels.give_out(parcel.child_no, user.id, reason or None, wiring.now())
            results.append(GivenLabel(parcel, printed))
        except (NoLabel, ReprintNeedsReason) as why:
            results.append(GivenLabel(parcel, None, needs_reason=isinstance(why, ReprintNeedsReason)))
    without = sorted(set(numbers) - {result.parcel.order_no for result in results})
    archive = base64.b64encode(_archive(results)).decode() if any(result.printed for result in results) else ""
    return render(request, "orders/printed.html", user, results=results, without=without, archive=archive)


def _archive(results: Sequence[GivenLabel]) -> bytes:
    """A PDF each, and those for label printers one behind the other in one file."""
    made, for_printers = io.BytesIO(), b""
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for result in results:
            if result.printed is None:
                continue
            label = result.printed.label
            if label.format == "ZPL":
                for_printers += label.content + b"\n"
            else:
                packed.writestr(f"{result.parcel.child_no}.pdf", label.content)
        if for_printers:
            packed.writestr("labels.zpl", for_printers)
    return made.getvalue()
