"""`oms order explain`: why an order was split as it was, what else was possible, and whether it still plans so."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.fulfilment.explanation import ChildExplanation, Explanation, replay
from domain.fulfilment.explanation_text import Words, change, matched, reason, turned_down
from domain.records import ChildPlan
from starter.cli import language, output
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, run
from starter.cli.options import Json
from starter.cli.text import amount
from starter.text.marking import N_
from store.orders.plans import KeptPlan, PlanStore


def explain(
    number: Annotated[str, typer.Argument(metavar="NO", help="Order number, or a parcel number for that parcel only.")],
    again: Annotated[
        bool, typer.Option("--replay", help="Plan again from the stored inputs and compare; exit code 1 if it differs.")
    ] = False,
    json: Json = False,
) -> None:
    """Explain a split: reasons with rule and version, rejected alternatives, and the nearest change that avoids it.

    Examples:

        oms order explain SO2603020101

        oms order explain SO2603020101-02 --lang zh

        oms order explain SO2603020101 --replay
    """
    kept = run(_read(number))
    if again:
        _replay(kept.explanation, json=json)
        return
    every = kept.explanation.children
    # A parcel that was made later, out of others, is not in the plan of the split: then the whole split is shown.
    children = [c for c in every if c.child_no == number] or list(every)
    if json:
        whole = kept.explanation.model_dump(mode="json")
        numbers = {c.child_no for c in children}
        whole["children"] = [c for c in whole["children"] if c["child_no"] in numbers]
        later = [one for one in kept.later if number in (one.child_no, kept.explanation.order_no)]
        output.as_json({"planned_at": kept.planned_at, "nearest_as_of": kept.as_of, "later": later, **whole})
    else:
        _print(kept, children)


async def _read(number: str) -> KeptPlan:
    async with database() as pool:
        kept = None if "\x00" in number else await PlanStore(pool).explanation_now(number, datetime.now(UTC))
    if kept is None:
        raise CommandFailed(
            f"no plan is stored for {number!r}: it is unknown, not yet paid, or older than explanations; "
            "look with `oms order show`."
        )
    return kept


def _print(kept: KeptPlan, children: list[ChildExplanation]) -> None:
    explanation = kept.explanation
    decision = explanation.inputs.decision
    output.facts(
        [
            ("order", explanation.order_no),
            ("planned", kept.planned_at),
            ("nearest change as of", kept.as_of),
            ("rule set", decision.version if decision.version is not None else N_("none")),
            ("policy", explanation.inputs.policy_version),
            ("split order", " > ".join(decision.split_priority)),
            ("sourcing", "" if explanation.exact else N_("bounded search: large order")),
            ("details", "" if explanation.complete else N_("reasons only: large order")),
        ]
    )
    for child in children:
        rows = _rows(child, matched(explanation, child.child_no))
        first = f"{child.child_no}: {child.warehouse}{_carrier(child)}"
        output.table(first, ("what", "words"), [(_words(what), _words(text)) for what, text in rows])
    for one in kept.later:
        made = (("由来", "made of"), (", ".join(one.of), ", ".join(one.of)))
        output.table(f"{one.child_no}: {one.warehouse}", ("what", "words"), [tuple(_words(words) for words in made)])


def _rows(child: ChildExplanation, rules: Sequence[Words]) -> list[tuple[Words, Words]]:
    because = [reason(one) for one in child.reasons] or [("未被拆分", "nothing divided it")]
    joins = child.joins or ""
    return [
        *((("拆分原因", "because"), one) for one in because),
        *((("规则", "rules"), one) for one in rules),
        *((("未采用", "rejected"), turned_down(one)) for one in child.rejected),
        *(((f"与 {joins} 同包需", f"with {joins} if"), one) for one in _nearest(child)),
    ]


def _nearest(child: ChildExplanation) -> list[Words]:
    if child.joins and not child.nearest:
        return [("无需改变：现在拆单会同包", "nothing changes: planned now, they would travel together")]
    return [change(one) for one in child.nearest]


def _carrier(child: ChildExplanation) -> str:
    if child.carrier is None:
        return ""
    return f", {child.carrier} {amount(child.shipping_cost_minor or 0)}"


def _words(words: Words) -> str:
    return words[0] if language.is_chinese() else words[1]


def _replay(explanation: Explanation, *, json: bool) -> None:
    planned = replay(explanation)
    same = planned == explanation.plan
    if json:
        output.as_json(
            {"order_no": explanation.order_no, "same": same, "stored": explanation.plan, "replayed": planned}
        )
    elif same:
        output.line(f"order {explanation.order_no}: {len(planned)} parcels, planned again to the same result.")
    else:
        rows = [(_summary(a), _summary(b)) for a, b in _pairs(explanation.plan, planned) if a != b]
        output.table(f"order {explanation.order_no}: planned differently now", ("stored", "replayed"), rows)
    if not same:
        raise typer.Exit(1)


def _pairs(
    stored: tuple[ChildPlan, ...], planned: tuple[ChildPlan, ...]
) -> list[tuple[ChildPlan | None, ChildPlan | None]]:
    length = max(len(stored), len(planned))
    pad: tuple[None, ...] = (None,) * length
    return list(zip((*stored, *pad)[:length], (*planned, *pad)[:length], strict=True))


def _summary(plan: ChildPlan | None) -> str:
    if plan is None:
        return N_("none")
    units = ", ".join(f"{line_id}×{qty}" for line_id, qty in plan.lines.items())
    return f"{plan.child_no} {plan.warehouse} {plan.status} {units} {plan.carrier or ''}"
