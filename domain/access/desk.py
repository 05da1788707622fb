"""What people do through `oms` that is not a running order's or case's: it is asked for as a proven command, and the
worker does it (decision 0046). The operator's role in the database writes none of it.

    message = AtDesk(work=ReceiveGoods(sku="CUP", warehouse="WH-EAST", qty=100, ref="GR-1"), by="u-wh")
    desk_workflow_id(message.work, n)      # desk/receive_goods-{digest}-{n}
"""

import hashlib
import json
from typing import Annotated, Literal

from pydantic import Field

from domain.automation.model import Automation
from domain.catalog.records import SkuRecord
from domain.insight.complaints import TellComplaint
from domain.insight.improvements import AddAction, CloseAction
from domain.insight.parameters import InsightParameters
from domain.order import Currency, Id, Minor, OrderNo, OrderTime, PayChannel, Qty, Sku, Tag, Text
from domain.policy import Policy
from domain.refunds.outside import BookAs
from domain.rules.sets import RuleSet
from domain.strict import Strict

DESK_WORK = "DeskWork"
"""The workflow of one such command."""
COMMAND = "desk.do"
Number = Annotated[int, Field(ge=1, le=2**62)]


class AskAboutMoney(Strict):
    """Finance is asked to let money from outside count. `units`: by line, of a refund."""

    kind: Literal["ask_about_money"] = "ask_about_money"
    money_no: Number
    book_as: BookAs
    evidence: Text
    amount_minor: Minor | None = None
    units: dict[str, Annotated[int, Field(ge=1, le=10**6)]] = Field(default_factory=dict, max_length=10_000)


class BookOutsideMoney(Strict):
    """What finance has approved is booked."""

    kind: Literal["book_outside_money"] = "book_outside_money"
    money_no: Number


class TellPayment(Strict):
    """An order that was paid at its channel under another number than ours, as a marketplace's orders are: nothing
    there tells us. Told with its evidence, and finance decides (decision 0067)."""

    kind: Literal["tell_payment"] = "tell_payment"
    order_no: OrderNo
    channel: PayChannel
    merchant_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
    """Who got the money there: one of ours."""
    transaction_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,64}$")]
    """The channel's own number of the payment."""
    amount_minor: Annotated[int, Field(ge=1, le=10**12)]
    currency: Currency = "CNY"
    paid_at: OrderTime
    evidence: Text
    """Where it can be seen: the channel's page, a statement, a file."""


class OpenChargeback(Strict):
    kind: Literal["open_chargeback"] = "open_chargeback"
    chargeback_id: Id
    order_no: OrderNo
    amount_minor: Annotated[int, Field(ge=1, le=10**12)]
    payment_key: Annotated[str, Field(max_length=200)] | None = None


class DecideChargeback(Strict):
    kind: Literal["decide_chargeback"] = "decide_chargeback"
    chargeback_id: Id
    outcome: Literal["won", "lost"]


class AccountChargeback(Strict):
    """A lost one was compared with what is owed: refunds of the order go out again."""

    kind: Literal["account_chargeback"] = "account_chargeback"
    chargeback_id: Id
    remark: Annotated[str, Field(min_length=1, max_length=500)]


class ReceiveGoods(Strict):
    """Goods that came in. `ref`: the receipt's number, which counts once."""

    kind: Literal["receive_goods"] = "receive_goods"
    sku: Sku
    warehouse: Tag
    qty: Qty
    ref: Id


class PutSkus(Strict):
    """What is known of SKUs, added or written anew, all of them or none."""

    kind: Literal["put_skus"] = "put_skus"
    skus: Annotated[tuple[SkuRecord, ...], Field(min_length=1, max_length=500)]
    source: Text | None = None


class DraftRules(Strict):
    """`rules`: tables to keep as a draft; or `rolls_back`: an old version to bring back as one. `based_on`: the version
    that the tables were made from; when another one counts by now, nothing is kept."""

    kind: Literal["draft_rules"] = "draft_rules"
    rules: RuleSet | None = None
    rolls_back: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    # Left out of the digest in the workflow's id where nobody says it: as before there was such a field.
    based_on: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(default=None, exclude_if=lambda v: v is None)


class DraftPolicy(Strict):
    """A policy to keep as a draft. `based_on`: the version that it was made from."""

    kind: Literal["draft_policy"] = "draft_policy"
    policy: Policy
    name: Text
    based_on: Annotated[int, Field(ge=0, le=2**31 - 1)]


class BuildReportNow(Strict):
    """A report of a month (2026-04) or week (2026-W17), built again of what is known now; or the return risk, trained
    again as after that month."""

    kind: Literal["build_report"] = "build_report"
    report: Literal["health", "weekly", "risk"]
    period: Id


class SetInsight(Strict):
    """Tiers of cities, points of severity, the dispatch promise, for the reports that are built from now on."""

    kind: Literal["set_insight"] = "set_insight"
    parameters: InsightParameters


class TryAutomation(Strict):
    """What it would have done with the orders of the last days. Kept: who moves goods or money needs it."""

    kind: Literal["try_automation"] = "try_automation"
    automation: Automation
    days: Annotated[int, Field(ge=1, le=365)] = 30


class StopAutomations(Strict):
    """All of them do nothing any more, until a version is published again."""

    kind: Literal["stop_automations"] = "stop_automations"
    why: Text


DeskTask = Annotated[
    AskAboutMoney | BookOutsideMoney | TellPayment | OpenChargeback | DecideChargeback | AccountChargeback
    | ReceiveGoods | PutSkus | TryAutomation | StopAutomations | DraftRules | DraftPolicy | BuildReportNow | SetInsight
    | AddAction | CloseAction | TellComplaint,
    Field(discriminator="kind"),
]  # fmt: skip


class DeskDone(Strict):
    """`result`: JSON; what it is depends on the work."""

    result: str


def authority_row(work: DeskTask) -> str:
    """Of the table of authority."""
    if isinstance(work, BuildReportNow) and work.report == "risk":
        return f"{COMMAND}: {work.kind}: {work.report}"
    return f"{COMMAND}: {work.kind}"


def desk_workflow_id(work: DeskTask, n: int) -> str:
    """`n` tells the same work, wanted twice, apart; its proof is made for this id."""
    said = json.dumps(work.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"desk/{work.kind}-{hashlib.sha256(said.encode()).hexdigest()[:24]}-{n}"
