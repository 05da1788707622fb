"""Publishing automations and forms: what another person is asked, and what is done once they have agreed."""

from datetime import datetime
from typing import Any

from domain.access.controls import PublishAutomations, PublishForms
from domain.access.loosening_books import asks_finance_no_longer, looser_automations, looser_forms
from domain.approvals import ApprovalRequest, Role
from domain.automation.acts import RefundAct
from domain.automation.model import Automation, AutomationBook
from domain.returns.forms import FormBook
from store.approvals.control_question import ControlQuestion
from store.automation.books import newest_book, publish_book
from store.automation.desk import insist_tried, publish_automations
from store.errors import ChangeRefused
from store.pool import Connection


async def book_question(
    connection: Connection, change: PublishAutomations | PublishForms, at: datetime
) -> ControlQuestion:
    """Raises `ChangeRefused` for what nothing would change, or cannot be published."""
    if isinstance(change, PublishAutomations):
        return await _about_automations(connection, change.book, at)
    last = await newest_book(connection, "forms")
    now = FormBook() if last is None else last.read(FormBook)
    lines = _changed({r.id: r for r in now.rules}, {r.id: r for r in change.book.rules})
    if now.slips != change.book.slips:
        lines.append(f"slips: {_short(now.slips)} → {_short(change.book.slips)}")
    if not lines:
        raise ChangeRefused(f"nothing differs from version {now.version} of the forms; nothing was asked")
    looser = looser_forms(now, change.book)
    return ControlQuestion(Role.CS_SUPERVISOR, {"based_on": now.version, "changed": lines}, looser)


async def _about_automations(connection: Connection, wanted: AutomationBook, at: datetime) -> ControlQuestion:
    await insist_tried(connection, wanted, at)
    last = await newest_book(connection, "automations")
    now = AutomationBook() if last is None else last.read(AutomationBook)
    before = {one.id: one for one in now.automations}
    lines = _changed(before, {one.id: one for one in wanted.automations})
    running = await connection.fetchval("SELECT running FROM automation_switch")
    if not running:
        lines.append("they run again")
    if not lines:
        raise ChangeRefused(f"nothing differs from version {now.version} of the automations; nothing was asked")
    moves = [_moves(one) for one in wanted.automations if one.enabled and one.moves and before.get(one.id) != one]
    pays = any(isinstance(one.do, RefundAct) and before.get(one.id) != one for one in wanted.automations if one.enabled)
    of_finance = pays or asks_finance_no_longer(now, wanted)
    looser = (*looser_automations(now, wanted), *moves)
    role = Role.FINANCE if of_finance else Role.ORDER_OPS
    return ControlQuestion(role, {"based_on": now.version, "changed": lines}, looser)


async def make_book(
    connection: Connection, change: PublishAutomations | PublishForms, request: ApprovalRequest, by: str, at: datetime
) -> int:
    """Inside the transaction that spends the approval: the version that counts from now on. Raises `ChangeRefused`."""
    based_on, number = int(request.content["based_on"]), request.approval_id
    if isinstance(change, PublishAutomations):
        return await publish_automations(connection, change.book, based_on=based_on, by=by, approval_id=number, at=at)
    content = change.book.model_dump(mode="json", exclude={"version"})
    return await publish_book(connection, "forms", content, {}, based_on=based_on, by=by, approval_id=number, at=at)


def _moves(one: Automation) -> str:
    most = f"，最多 {one.do.at_most_minor} 分" if isinstance(one.do, RefundAct) else ""
    most_en = f", at most {one.do.at_most_minor} fen" if isinstance(one.do, RefundAct) else ""
    return f"{one.id} 自动执行 {one.do.act}{most} / {one.id} does {one.do.act} by itself{most_en}"


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    gone = [f"{name}: {_short(before[name])} → –" for name in before if name not in after]
    return gone + [
        f"{name}: {_short(before.get(name))} → {_short(one)}" for name, one in after.items() if before.get(name) != one
    ]


def _short(one: Any) -> str:
    text = "–" if one is None else one.model_dump_json(exclude_defaults=True)
    return text if len(text) <= 300 else f"{text[:297]}..."
