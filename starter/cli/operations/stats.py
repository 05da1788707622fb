"""`oms event stats`: the callback board, live."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from domain.inbox.callback_rates import Bucket, total_bp
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, fail, run
from starter.cli.options import Json, span
from store.inbox.callback_rates import BoardStore, SourceBucket, bucket_start

BAR = 20
LONGEST = timedelta(days=7)


def stats(
    source: Annotated[str | None, typer.Option("--source", help="Only of: wechat, qimen, tms, kuaidi100 …")] = None,
    since: Annotated[str, typer.Option("--since", help="How far back: 30m, 2h, 7d (at most 7d).")] = "1h",
    json: Json = False,
) -> None:
    """Show how many callbacks of each source were accepted, in spans of five minutes. The last one is still running.

    Repeats count as accepted; what we asked for ourselves does not count.

    Examples:

        oms event stats

        oms event stats --source wechat --since 1d --json
    """
    now = datetime.now(UTC)
    found = run(_read(_start(since, now), now, source))
    total = total_bp(Bucket(b.bucket, b.received, b.accepted) for b in found)
    if json:
        output.as_json({"total_bp": total, "buckets": found})
    else:
        _show(found, total)


async def _read(start: datetime, now: datetime, source: str | None) -> tuple[SourceBucket, ...]:
    async with database() as pool:
        return await BoardStore(pool).buckets(start, now, source)


def _start(since: str, now: datetime) -> datetime:
    try:
        ago = span("--since", since)
    except BadInput as why:
        fail(why)
    if ago > LONGEST:
        fail(BadInput(f"--since {since!r} is too long: at most 7d."))
    return bucket_start(now - ago)


def _show(found: tuple[SourceBucket, ...], total: int | None) -> None:
    rows = [
        (b.bucket, b.source, b.received, b.accepted, _percent(b.rate_bp), _bar(b.rate_bp), _reasons(b)) for b in found
    ]
    columns = ("from", "source", "received", "accepted", "rate", "", "refused")
    output.table("Callbacks", columns, rows)
    if total is not None:
        received, accepted = sum(b.received for b in found), sum(b.accepted for b in found)
        output.line(f"{accepted} of {received} callbacks were accepted: {_percent(total)}.")


def _percent(bp: int) -> str:
    return f"{bp // 100}.{bp % 100:02} %"


def _bar(bp: int) -> str:
    """Full only when nothing was refused."""
    filled = BAR * bp // 10_000
    return "█" * filled + "·" * (BAR - filled)


def _reasons(bucket: SourceBucket) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in sorted(bucket.refused.items(), key=lambda r: (-r[1], r[0])))
