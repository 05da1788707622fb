"""`oms sandbox`: the other side of a local stack, played by hand: the buyer pays, parcels move, systems fail."""

from typing import Annotated, Any

import httpx
import typer

from config.sources import environment, is_local_stack
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, run
from starter.cli.options import Json
from store.orders.orders import OrderStore

SYSTEMS = ("wechat", "alipay", "qimen", "tms", "kuaidi100", "sf")
CHANNELS = ("wechat", "alipay")
PATIENCE_S = 20.0
AT_ITS_END = 409
MOST_STOPS = 20
"""Of one parcel's way; the longest has eight."""

System = Annotated[str, typer.Argument(metavar="SYSTEM", help=f"One of {', '.join(SYSTEMS)}.")]


def pay(
    number: Annotated[str, typer.Argument(metavar="NO", help="Order number.")],
    channel: Annotated[str, typer.Option("--channel", help="wechat or alipay; without it whichever knows it.")] = "",
    amount: Annotated[
        int | None, typer.Option("--amount", min=1, help="In fen; another one than the order's plays a wrong payment.")
    ] = None,
    late: Annotated[
        bool, typer.Option("--late", help="Although the payment was closed: the buyer was too slow.")
    ] = False,
    json: Json = False,
) -> None:
    """Pay an order in a sandbox, as its buyer would with a telephone.

    Example: oms sandbox pay SO2603020101
    """
    if channel and channel not in CHANNELS:
        raise BadInput(f"{channel!r} is no payment channel; give {' or '.join(CHANNELS)}.")
    asked = {"out_trade_no": number} | ({"amount_minor": amount} if amount else {}) | ({"late": True} if late else {})
    refusals = []
    for name in (channel,) if channel else CHANNELS:
        answer = _post(name, "/_pay", asked)
        if answer.is_success:
            told = answer.json()
            shown = {
                "order_no": number,
                "channel": name,
                "transaction": told.get("transaction_id") or told.get("trade_no"),
            }
            output.as_json(shown) if json else output.facts(shown.items())
            return
        refusals.append(f"{name}: {_why(answer)}")
    raise CommandFailed(f"order {number} was not paid ({'; '.join(refusals)}); look with `oms order show {number}`.")


def move(
    number: Annotated[str, typer.Argument(metavar="NO", help="Order, parcel or waybill number.")],
    code: Annotated[str, typer.Option("--code", help="The courier's own code of the scan, as `302` or `203`.")] = "",
    to_end: Annotated[bool, typer.Option("--to-end", help="Stop by stop until the parcel is signed for.")] = False,
    json: Json = False,
) -> None:
    """Let the parcels of an order come to their next stop. They move by themselves too, once a minute or so.

    Examples:

        oms sandbox move SO2603020101 --to-end

        oms sandbox move YT0000000000001 --code 203
    """
    parcels = run(_parcels(number))
    moved = [_move(waybill_no, carrier, code, to_end) for waybill_no, carrier in parcels]
    if json:
        output.as_json(moved)
    else:
        rows = [(p["waybill_no"], p["scans"][-1]["code"], p["scans"][-1]["text"], p["finished"]) for p in moved]
        output.table("Parcels", ("waybill", "code", "what", "at its end"), rows)


def fault(
    system: System,
    operation: Annotated[str, typer.Argument(help="What it is to fail at, as `refund`; `*` is anything.")] = "",
    name: Annotated[
        str, typer.Argument(metavar="FAULT", help="How, as `error_after`; docs/sandbox.md lists them.")
    ] = "",
    times: Annotated[int, typer.Option("--times", min=1, help="So many times.")] = 1,
    order: Annotated[str, typer.Option("--order", help="Only for this order.")] = "",
    delay_s: Annotated[float | None, typer.Option("--delay", min=0, help="Seconds, of faults that wait.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take back all that are armed.")] = False,
    json: Json = False,
) -> None:
    """Have a sandbox fail; without an operation, show what is armed.

    Examples:

        oms sandbox fault qimen push silence --order SO2603020101

        oms sandbox fault wechat refund error_after --times 2

        oms sandbox fault wechat --clear
    """
    if clear:
        _did(system, _call(system, "DELETE", "/_faults"))
    elif operation:
        if not name:
            raise BadInput(f"say how {operation} is to fail; docs/sandbox.md lists the faults of {system}.")
        match = {"order_no": order} if order else {}
        asked = {"operation": operation, "fault": name, "times": times, "match": match, "delay_s": delay_s}
        _did(system, _post(system, "/_faults", asked))
    armed = _did(system, _call(system, "GET", "/_faults")).json()
    if json:
        output.as_json(armed)
    else:
        rows = [(f["operation"], f["fault"], f["times"], f["match"] or "") for f in armed]
        output.table(f"Armed at {system}", ("operation", "fault", "times", "only"), rows)


async def _parcels(number: str) -> list[tuple[str, str]]:
    """Waybill and carrier of each parcel that has left. A number that is no order's is a waybill's."""
    async with database() as pool:
        detail = None if "\x00" in number else await OrderStore(pool).view(number)
    if detail is None:
        return [(number, "")]
    left = [
        (child["waybill_no"], child["carrier"] or "")
        for child in detail.children
        if child["waybill_no"] and number in (detail.order.order_no, child["child_no"], child["waybill_no"])
    ]
    if not left:
        raise CommandFailed(f"no parcel of {number} has a waybill yet: the warehouse needs about half a minute for it.")
    return left


def _move(waybill_no: str, carrier: str, code: str, to_end: bool) -> dict[str, Any]:
    system = "sf" if carrier == "SF" else "kuaidi100"
    asked = {"waybill_no": waybill_no} | ({"code": code} if code else {})
    parcel: dict[str, Any] = {}
    for _ in range(MOST_STOPS if to_end else 1):
        answer = _post(system, "/_world/advance", asked)
        if answer.status_code == AT_ITS_END and to_end:
            # It moves by itself too, and may have come to its end before we asked.
            answer = _call(system, "GET", f"/_world/parcels/{waybill_no}")
        parcel = _did(system, answer).json()
        if parcel["finished"]:
            break
    return parcel


def _post(system: str, path: str, content: dict[str, Any]) -> httpx.Response:
    return _call(system, "POST", path, content)


def _call(system: str, method: str, path: str, content: dict[str, Any] | None = None) -> httpx.Response:
    """Raises `CommandFailed` unless it is a sandbox of this machine's local stack."""
    if system not in SYSTEMS:
        raise BadInput(f"there is no sandbox {system!r}; there are {', '.join(SYSTEMS)}.")
    address = environment().get(f"OMS_{system.upper()}_BASE_URL", "")
    if not (is_local_stack() and address):
        raise CommandFailed("sandboxes belong to a local stack, and none runs here; start one with `make up`.")
    base = httpx.URL(address).copy_with(path="/")
    try:
        with httpx.Client(base_url=base, timeout=PATIENCE_S, trust_env=False) as http:
            # A real provider knows nothing of /_health: nothing is ever asked of one by mistake.
            known = http.get("/_health")
            if not known.is_success or known.json().get("sandbox") != system:
                raise CommandFailed(f"what answers at {base} is no sandbox of {system}; nothing was done.")
            return http.request(method, path, json=content)
    except (httpx.HTTPError, ValueError) as error:
        told = f"the sandbox of {system} does not answer ({type(error).__name__}); look with `make status`"
        raise CommandFailed(f"{told}.") from None


def _did(system: str, answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise CommandFailed(f"the sandbox of {system} refused: {_why(answer)}.")
    return answer


def _why(answer: httpx.Response) -> str:
    try:
        told = answer.json()
    except ValueError:
        return answer.text[:200] or str(answer.status_code)
    return str(told.get("message") or told.get("sub_msg") or told.get("error") or told)[:200]
