"""The parcel that somebody says the goods come back in."""

from starlette.requests import Request

from console.pages.acting import ActRefused, field, message
from console.text.catalogue import N_
from console.text.language import language_of
from domain.returns.models import Parcel
from domain.returns.waybills import as_printed, odd_number


async def parcel_of(request: Request, way: str) -> Parcel:
    """As the form has it. Raises `ActRefused`: also for a number that is none of its carrier's, unless the form says
    that it is right as it is."""
    carrier, number = (await field(request, "carrier")).strip(), as_printed(await field(request, "waybill_no"))
    parcel = message(request, Parcel, carrier=carrier, waybill_no=number, way=way)
    like = odd_number(carrier, number)
    if like and not await field(request, "as_is"):
        said = N_(
            "%(number)s does not look like a waybill of %(carrier)s, which is like %(like)s. Compare it with the "
            "label; if it is right, tick that it is right as it is."
        )
        raise ActRefused(422, language_of(request).say(said, number=number, carrier=carrier, like=like), "ODD_WAYBILL")
    return parcel
