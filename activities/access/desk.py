"""What proven people do at the desk, in the worker: the operator's role in the database may write none of it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.insight.reports import BuildReport, InsightActivities
from activities.insight.risk_model import RiskActivities, TrainRisk
from domain.access.desk import (
    AccountChargeback,
    AskAboutMoney,
    BookOutsideMoney,
    BuildReportNow,
    DecideChargeback,
    DeskDone,
    DeskTask,
    DraftPolicy,
    DraftRules,
    OpenChargeback,
    PutSkus,
    ReceiveGoods,
    SetInsight,
    StopAutomations,
    TellPayment,
    TryAutomation,
)
from domain.approvals import ApprovalRequest
from domain.insight.complaints import TellComplaint
from domain.insight.improvements import AddAction, CloseAction
from domain.order import Id
from domain.records import AuditEntry
from domain.rules.check import InvalidRuleSet
from domain.strict import Strict
from providers.money_facts import payment_key
from store.audit.audit import AuditStore
from store.automation.desk import AutomationDesk
from store.errors import DecisionRefused, StoreError
from store.inbox.inbox import InboxStore
from store.insight.actions import ActionStore
from store.insight.complaints import ComplaintStore
from store.insight.reports import ReportStore
from store.outside_money.booking import OutsideMoneyStore
from store.outside_money.chargebacks import Chargeback, ChargebackStore, NewChargeback
from store.outside_money.told import ToldPayments
from store.pool import Pool
from store.rules.policy_drafts import PolicyDrafts
from store.rules.rule_sets import RuleSetStore
from store.stock.catalog import CatalogStore
from store.stock.goods_receipts import announce, insist_known
from store.stock.ledger import StockStore

REFUSED = "DeskRefused"
INVALID_RULES = "InvalidRuleSet"
"""Its details are the findings."""


class DoAtDesk(Strict):
    """`by`: who has been proven to ask; `at`: the same on every attempt."""

    work: DeskTask
    by: Id
    at: AwareDatetime


class DeskActivities:
    def __init__(self, pool: Pool, merchants: Mapping[str, str] | None = None) -> None:
        """`merchants`: who we are at each payment channel."""
        self._money = OutsideMoneyStore(pool)
        self._told = ToldPayments(pool, merchants)
        self._chargebacks = ChargebackStore(pool)
        self._stock = StockStore(pool)
        self._catalog = CatalogStore(pool)
        self._inbox = InboxStore(pool)
        self._audit = AuditStore(pool)
        self._rules = RuleSetStore(pool)
        self._policies = PolicyDrafts(pool)
        self._insight = ReportStore(pool)
        self._actions = ActionStore(pool)
        self._complaints = ComplaintStore(pool)
        self._automations = AutomationDesk(pool)
        self._pool = pool

    @activity.defn(name="desk.do")
    async def do(self, message: DoAtDesk) -> DeskDone:
        """May be repeated. Raises, finally, DeskRefused, or InvalidRuleSet; nothing was done."""
        with _refusals():
            return DeskDone(result=json.dumps(await self._do(message), ensure_ascii=False))

    async def _do(self, message: DoAtDesk) -> Any:  # noqa: PLR0911 - a table of kinds
        by, at = message.by, message.at
        match message.work:
            case AskAboutMoney() | TellPayment() as m:
                return (await self._asked(m, by, at)).model_dump(mode="json")
            case BookOutsideMoney() as m:
                progress = await self._money.book(m.money_no, by, at)
                return {"state": progress.state, "request": progress.request.model_dump(mode="json")}
            case OpenChargeback() | DecideChargeback() | AccountChargeback() as m:
                return dict(vars(await self._chargeback(m, by, at)))
            case ReceiveGoods() as m:
                return await self._receive(m, message)
            case PutSkus() as m:
                return dict(vars(await self._catalog.put(m.skus, by, at, m.source or "")))
            case TryAutomation() as m:
                return asdict(await self._automations.try_on_past(m.automation, m.days, by, at))
            case StopAutomations() as m:
                return {"stopped": await self._automations.stop(m.why, by, at)}
            case TellComplaint() as m:
                return {"channel": await self._complaints.tell(m, by, at)}
            case DraftRules() | DraftPolicy() | BuildReportNow() | SetInsight() | AddAction() | CloseAction() as m:
                return await self._paper(m, message)

    async def _asked(self, wanted: AskAboutMoney | TellPayment, by: str, at: datetime) -> ApprovalRequest:
        if isinstance(wanted, TellPayment):
            return await self._told.tell(wanted, payment_key(wanted.channel, wanted.transaction_id), by, at)
        m = wanted
        return await self._money.ask(
            m.money_no, m.book_as, by, at, evidence=m.evidence, amount_minor=m.amount_minor, units=m.units
        )

    async def _chargeback(
        self, wanted: OpenChargeback | DecideChargeback | AccountChargeback, by: str, at: datetime
    ) -> Chargeback:
        number = wanted.chargeback_id
        match wanted:
            case OpenChargeback() as m:
                new = NewChargeback(number, m.order_no, m.amount_minor, by, m.payment_key)
                return await self._chargebacks.open(new, at)
            case DecideChargeback() as m:
                return await self._chargebacks.decide(number, m.outcome, by, at)
            case AccountChargeback() as m:
                return await self._chargebacks.account(number, by, m.remark, at)

    async def _receive(self, goods: ReceiveGoods, message: DoAtDesk) -> Any:
        await insist_known(self._pool, goods.sku, goods.warehouse)
        booked = await self._stock.receive(goods.sku, goods.warehouse, goods.qty, goods.ref)
        if booked:
            detail = goods.model_dump(exclude={"kind"})
            await self._audit.append(AuditEntry(actor=message.by, action="stock.receive", detail=detail), message.at)
        told = await announce(self._stock, self._inbox, goods.sku, goods.warehouse, goods.ref, message.at)
        return {"booked": booked, "told": list(told)}

    async def _paper(
        self,
        wanted: DraftRules | DraftPolicy | BuildReportNow | SetInsight | AddAction | CloseAction,
        message: DoAtDesk,
    ) -> Any:
        """What moves neither goods nor money: drafts, reports and what they go by."""
        if isinstance(wanted, DraftRules | DraftPolicy):
            return {"draft_no": await self._draft(wanted, message)}
        if isinstance(wanted, AddAction):
            return {"action_no": await self._actions.add(wanted, message.by, message.at)}
        if isinstance(wanted, CloseAction):
            await self._actions.close(wanted, message.by, message.at)
            return {"action_no": wanted.action_no}
        if isinstance(wanted, SetInsight):
            version = await self._insight.put_parameters(wanted.parameters, message.by, message.at)
            return {"version": version}
        if wanted.report == "risk":
            risk = RiskActivities(self._pool, lambda: message.at)
            trained = await risk.trained(TrainRisk(month=wanted.period, as_of=message.at), message.by)
            return trained.model_dump(mode="json")
        build = BuildReport(report=wanted.report, period=wanted.period, as_of=message.at)
        built = await InsightActivities(self._pool, lambda: message.at).build(build)
        return built.model_dump(mode="json")

    async def _draft(self, wanted: DraftRules | DraftPolicy, message: DoAtDesk) -> int:
        if isinstance(wanted, DraftPolicy):
            args = (wanted.policy, wanted.name, wanted.based_on, message.by, message.at)
            return await self._policies.draft(*args)
        if wanted.rules is not None:
            return (await self._rules.draft(wanted.rules, message.by, message.at, wanted.based_on)).draft_no
        if wanted.rolls_back is not None:
            return (await self._rules.roll_back(wanted.rolls_back, message.by, message.at)).draft_no
        raise ApplicationError("say which rules to draft", type=REFUSED, non_retryable=True)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except InvalidRuleSet as error:
        findings = [f.model_dump(mode="json") for f in error.findings[:100]]
        raise ApplicationError(str(error)[:2000], *findings, type=INVALID_RULES, non_retryable=True) from error
    except DecisionRefused as error:
        raise ApplicationError(error.why, type=error.code.value, non_retryable=True) from error
    except StoreError as error:
        raise ApplicationError(str(error), type=REFUSED, non_retryable=True) from error
