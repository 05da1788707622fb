"""`oms subscription`: other systems that hear of our orders."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from config.settings import OutboundSettings, UnableToConfigure, load
from domain.outbound.published import USUAL, EventType, SubscriberRole, must_acknowledge
from domain.outbound.webhook_target import TargetRefused, read_new_target
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, run, say
from starter.cli.options import By, Json, Limit, actor, sentence
from starter.text.marking import N_
from store.outbound.subscriptions import Delivery, Subscription, SubscriptionStore

_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
_SECRET = re.compile(r"OMS_SUBSCRIPTION_[A-Z0-9_]{1,60}")
Name = Annotated[str, typer.Argument(metavar="ID", help="Name of the subscription.")]


class DeliveryState(StrEnum):
    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    DROPPED = "dropped"


def add(
    name: Annotated[str, typer.Argument(metavar="ID", help="Its name: small letters, digits and -.")],
    role: Annotated[SubscriberRole, typer.Option("--role", help="Who listens; finance has to acknowledge refunds.")],
    url: Annotated[str, typer.Option("--url", help="Where events are sent; https.")],
    secret: Annotated[str, typer.Option("--secret", help="NAME of the variable or secret file with its whsec_….")],
    types: Annotated[
        list[EventType] | None, typer.Option("--type", help="Only these; may be repeated. [default: by role]")
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Let a system hear what happens from now on.

    Example: oms subscription add erp --role finance --url https://erp.example/oms --secret OMS_SUBSCRIPTION_ERP
    """
    chosen = run(_add(name, role, url, secret, tuple(types or USUAL[role]), by))
    if json:
        output.as_json({"subscription_id": name, "types": chosen})
    else:
        output.line(f"Subscription {name} hears {', '.join(chosen)} from now on.")
    say(f"The relay signs with {secret}: make sure that it is set there.")


def _check(url: str) -> None:
    try:
        read_new_target(url, load(OutboundSettings).reach)
    except TargetRefused as e:
        raise BadInput(f"--url is not usable: {e}.") from None
    except UnableToConfigure as e:
        raise CommandFailed(f"sending is not configured: {e}.") from None


async def _add(
    name: str, role: SubscriberRole, url: str, secret: str, types: tuple[EventType, ...], by: str | None
) -> list[EventType]:
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} is no name of a subscription: 2 to 40 small letters, digits and -.")
    if not _SECRET.fullmatch(secret):
        raise BadInput("--secret takes the name of a variable, OMS_SUBSCRIPTION_…, and never the secret itself.")
    if not types:
        raise BadInput(f"role {role.value} hears nothing by itself; choose with --type.")
    _check(url)
    who = actor(by)
    async with database() as pool:
        await SubscriptionStore(pool).add(name, role, url, secret, types, who, _now())
    return sorted(set(types))


def list_subscriptions(json: Json = False) -> None:
    """List subscriptions and how they go. Warns when nobody in finance hears of refunds.

    Example: oms subscription list
    """
    found = run(_list())
    if json:
        output.as_json(found)
    else:
        columns = ("id", "role", "state", "hears", "waiting", "given up", "failing since", "why")
        rows = [
            (s.subscription_id, s.role, s.state, " ".join(s.types), s.waiting, s.failed, s.failing_since, s.why)
            for s in found
        ]
        output.table("Subscriptions", columns, rows)
    if not any(s.state == "enabled" and any(must_acknowledge(s.role, t) for t in s.types) for s in found):
        say("Warning: no enabled subscription with role finance hears refund.succeeded, so finance is not told (R05).")


async def _list() -> tuple[Subscription, ...]:
    async with database() as pool:
        return await SubscriptionStore(pool).list()


def show(name: Name, json: Json = False) -> None:
    """Show one subscription.

    Example: oms subscription show erp
    """
    s = run(_get(name))
    if json:
        output.as_json(s)
        return
    output.facts(
        [
            ("subscription", s.subscription_id),
            ("role", s.role),
            ("state", s.state),
            ("why", s.why),
            ("hears", ", ".join(s.types)),
            ("url", s.url),
            ("secret", s.secret_ref),
            ("waiting", s.waiting),
            ("given up", s.failed),
            ("failing since", s.failing_since),
            ("left alone until", s.quiet_until),
            ("ticket", s.ticket_id),
            ("added", s.created_at),
            ("changed", s.changed_at),
        ]
    )


async def _get(name: str) -> Subscription:
    async with database() as pool:
        found = await SubscriptionStore(pool).get(name) if _NAME.fullmatch(name) else None
    if found is None:
        raise CommandFailed(f"there is no subscription {name!r}; look with `oms subscription list`.")
    return found


def enable(name: Name, by: By = None) -> None:
    """Send again, beginning with what has waited; closes the ticket of the disabling.

    Example: oms subscription enable erp
    """
    run(_enable(name, by))
    output.line(f"Subscription {name} is enabled; what has waited is sent now.")


async def _enable(name: str, by: str | None) -> None:
    who = actor(by)
    await _get(name)
    async with database() as pool:
        await SubscriptionStore(pool).enable(name, who, _now())


def disable(
    name: Name,
    why: Annotated[str, typer.Option("--why", help="Kept with the subscription.")],
    by: By = None,
) -> None:
    """Send nothing for now; events are collected for 30 days.

    Example: oms subscription disable erp --why "moves to another host this weekend"
    """
    run(_disable(name, why, by))
    output.line(f"Subscription {name} is disabled; `oms subscription enable {name}` sends what it misses.")


async def _disable(name: str, why: str, by: str | None) -> None:
    reason, who = sentence("--why", why), actor(by)
    await _get(name)
    async with database() as pool:
        await SubscriptionStore(pool).disable(name, reason, who, _now())


def remove(name: Name, by: By = None) -> None:
    """End a subscription for good; what has waited is dropped, and its name stays taken.

    Example: oms subscription remove erp
    """
    run(_remove(name, by))
    output.line(f"Subscription {name} is removed.")


async def _remove(name: str, by: str | None) -> None:
    who = actor(by)
    await _get(name)
    async with database() as pool:
        await SubscriptionStore(pool).remove(name, who, _now())


def deliveries(
    name: Name,
    state: Annotated[DeliveryState | None, typer.Option("--state", help="Only in this state.")] = None,
    event: Annotated[str | None, typer.Option("--event", help="Only this event, evt_….")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Only events of this order.")] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Show what was told, newest first, with every attempt.

    Example: oms subscription deliveries erp --state failed
    """
    found = run(_deliveries(name, state, event, order, limit))
    if json:
        output.as_json(found)
        return
    columns = ("event", "type", "order", "state", "tries", "next try", "settled", "ticket")
    rows = [
        (d.event_id, d.type, d.order_no, d.state, d.attempts, _next_try(d), d.settled_at, d.ticket_id) for d in found
    ]
    output.table(f"Deliveries to {name}", columns, rows)
    tries = [
        (d.event_id, t.n, t.started_at, t.ended_at, t.outcome or N_("no end known"), t.status, t.note)
        for d in found
        for t in d.tries
    ]
    output.table("Attempts", ("event", "try", "began", "ended", "outcome", "HTTP", "note"), tries)


def _next_try(delivery: Delivery) -> datetime | None:
    return delivery.next_try_at if delivery.state == DeliveryState.PENDING else None


async def _deliveries(
    name: str, state: DeliveryState | None, event: str | None, order: str | None, limit: int
) -> tuple[Delivery, ...]:
    await _get(name)
    async with database() as pool:
        store = SubscriptionStore(pool)
        return await store.deliveries(name, state=state, event_id=event, order_no=order, limit=limit)


def redeliver(
    name: Name,
    event: Annotated[str | None, typer.Option("--event", help="This event, whatever became of it.")] = None,
    failed_since: Annotated[
        str | None, typer.Option("--failed-since", help="All given up since, as 2026-03-02T10:00:00+08:00.")
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Send one event again, or all that were given up since; their ids stay the same.

    Example: oms subscription redeliver erp --failed-since 2026-03-02T10:00:00+08:00
    """
    if (event is None) == (failed_since is None):
        raise typer.BadParameter("say what: either --event or --failed-since")
    subscription, n = run(_redeliver(name, event, failed_since, by))
    if json:
        output.as_json({"subscription_id": name, "deliveries": n})
    else:
        output.line(f"{n} events are on their way to {name} again.")
    if subscription.state == "disabled":
        say(f"Subscription {name} is disabled: they wait until it is enabled.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadInput(f"{text!r} is no time with an offset, such as 2026-03-02T10:00:00+08:00.")
    return moment


async def _redeliver(
    name: str, event: str | None, failed_since: str | None, by: str | None
) -> tuple[Subscription, int]:
    who, since = actor(by), None if failed_since is None else _moment(failed_since)
    subscription = await _get(name)
    async with database() as pool:
        again = SubscriptionStore(pool).redeliver(name, who, _now(), event_id=event, failed_since=since)
        return subscription, await again


def _now() -> datetime:
    return datetime.now(UTC)
