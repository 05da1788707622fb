"""Who may give which command, and what a proof of it is bound to (F6). The page docs/authority.md prints the table.

    found = may_give(row, caller, person, by)    # the role in which it is given, or NotAdmitted(code, why)

A command is an update that moves goods, money, access or addresses. Its proof is a token made for one workflow, one
command and one content; what the message says of its sender (`by`) must be whom the proof names.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, get_args

from domain.approvals import Principal, Role
from domain.dispatch.holds import RELEASERS
from domain.order import PayChannel

R = Role


class ProofCode(StrEnum):
    """Why a command was not admitted. The type of the error that the caller gets; nothing has moved."""

    PROOF_REQUIRED = "PROOF_REQUIRED"
    PROOF_MISMATCH = "PROOF_MISMATCH"
    """It was made for another workflow, command or content."""
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105
    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105
    TOKEN_REPLAYED = "TOKEN_REPLAYED"  # noqa: S105
    UNKNOWN_PERSON = "UNKNOWN_PERSON"
    PERSON_INACTIVE = "PERSON_INACTIVE"
    WRONG_ROLE = "WRONG_ROLE"
    NOT_THE_SENDER = "NOT_THE_SENDER"
    """The message speaks in the name of somebody else than its proof."""


@dataclass(frozen=True)
class Authority:
    """One row of the table. `service`: a backend may give it, for somebody who is no person of ours."""

    roles: tuple[Role, ...]
    service: bool = False
    note: str = ""


SAID_OF_MONEY = "of a money step: given up; a result supplied, which another person of finance decides"

RELEASE = "order.release"
START = "order.start"
"""Of an order; the one command whose message names no sender but the buyer."""

AUTHORITY: Mapping[str, Authority] = {
    START: Authority((R.ORDER_OPS,), service=True, note="a service for its buyer, of channels that it is entitled to"),
    "order.cancel": Authority((R.CS_AGENT, R.CS_SUPERVISOR, R.ORDER_OPS), service=True),
    "order.change_address": Authority((R.CS_AGENT, R.CS_SUPERVISOR, R.ORDER_OPS), service=True),
    "order.confirm_receipt": Authority((R.CS_AGENT, R.CS_SUPERVISOR, R.ORDER_OPS), service=True),
    "order.hold": Authority(
        (R.CS_AGENT, R.CS_SUPERVISOR, R.WAREHOUSE, R.ORDER_OPS, R.FINANCE), service=True, note="nothing leaves on it"
    ),
    **{
        f"{RELEASE}: {kind}": Authority(roles, note="whoever looks after what it is about")
        for kind, roles in RELEASERS.items()
        if roles
    },
    "order.request_merge": Authority((R.CS_AGENT, R.CS_SUPERVISOR, R.ORDER_OPS), note="another supervisor decides"),
    "order.request_resplit": Authority((R.CS_AGENT, R.CS_SUPERVISOR, R.ORDER_OPS), note="another supervisor decides"),
    "order.book_money": Authority((R.FINANCE,), note="another person of finance has decided"),
    "order.resolve_ticket": Authority((R.CS_AGENT, R.CS_SUPERVISOR, R.WAREHOUSE, R.ORDER_OPS, R.FINANCE)),
    "order.resolve_ticket: money": Authority((R.FINANCE,), note=SAID_OF_MONEY),
    "controls.change: people": Authority((R.ADMIN,), note="another one decides; to deactivate takes one"),
    "controls.change: policy": Authority((R.FINANCE, R.ORDER_OPS, R.ADMIN), note="another person, of finance, decides"),
    "controls.change: rules": Authority(
        (R.RULE_EDITOR, R.ORDER_OPS),
        note="another of order operations decides; of finance, where it says who approves money",
    ),
    "controls.change: automations": Authority(
        (R.RULE_EDITOR, R.ORDER_OPS),
        note="another of order operations decides; of finance, where one pays back or finance is asked no more",
    ),
    "controls.change: forms": Authority((R.CS_SUPERVISOR, R.ORDER_OPS), note="another supervisor decides"),
    "desk.do: ask_about_money": Authority((R.CS_AGENT, R.CS_SUPERVISOR, R.FINANCE), note="another of finance decides"),
    "desk.do: book_outside_money": Authority(
        (R.CS_AGENT, R.CS_SUPERVISOR, R.FINANCE), note="what finance has approved, as it was approved"
    ),
    "desk.do: tell_payment": Authority(
        (R.ORDER_OPS, R.FINANCE), service=True, note="finance decides, somebody else than who has told"
    ),
    "desk.do: tell_complaint": Authority(
        (R.CS_AGENT, R.CS_SUPERVISOR, R.ORDER_OPS), service=True, note="counted; moves nothing"
    ),
    "desk.do: open_chargeback": Authority((R.FINANCE,), note="holds refunds"),
    "desk.do: decide_chargeback": Authority((R.FINANCE,), note="the bank's word"),
    "desk.do: account_chargeback": Authority((R.FINANCE,), note="refunds go out again"),
    "desk.do: receive_goods": Authority((R.WAREHOUSE, R.ORDER_OPS), service=True),
    "desk.do: put_skus": Authority((R.ORDER_OPS,), service=True, note="a few hundred at a time"),
    "desk.do: draft_rules": Authority((R.RULE_EDITOR, R.ORDER_OPS), note="who drafts does not decide"),
    "desk.do: try_automation": Authority((R.RULE_EDITOR, R.ORDER_OPS), note="on past orders; moves nothing"),
    "desk.do: stop_automations": Authority(
        (R.CS_SUPERVISOR, R.ORDER_OPS, R.FINANCE, R.ADMIN), note="all of them, at once; two people begin again"
    ),
    "desk.do: draft_policy": Authority((R.FINANCE, R.ORDER_OPS, R.ADMIN), note="who drafts does not decide"),
    "desk.do: build_report": Authority((R.ORDER_OPS, R.CS_SUPERVISOR, R.FINANCE), service=True, note="moves nothing"),
    "desk.do: build_report: risk": Authority(
        (R.ORDER_OPS, R.CS_SUPERVISOR, R.FINANCE), note="what the return risk is judged by, trained again"
    ),
    "desk.do: set_insight": Authority((R.ORDER_OPS,), note="of reports built from then on"),
    "desk.do: add_action": Authority((R.ORDER_OPS, R.CS_SUPERVISOR, R.FINANCE), note="moves nothing"),
    "desk.do: close_action": Authority(
        (R.ORDER_OPS, R.CS_SUPERVISOR, R.FINANCE), note="only with the version that holds it"
    ),
    "controls.change: buyers": Authority(
        (R.CS_SUPERVISOR, R.ADMIN), note="an administrator who has not asked decides; nothing of the buyer may be open"
    ),
    "controls.change: sources": Authority(
        (R.ORDER_OPS, R.ADMIN), note="an administrator, another person, decides; to stop one takes one"
    ),
    "controls.change: stock": Authority(
        (R.WAREHOUSE, R.ORDER_OPS), note="another person, of order operations, decides"
    ),
    "return.apply": Authority((), service=True, note="for the buyer who applies"),
    "return.apply: by staff": Authority((R.CS_AGENT, R.CS_SUPERVISOR), note="for the buyer that they name"),
    "return.cancel": Authority((R.CS_AGENT, R.CS_SUPERVISOR), service=True, note="only who has applied"),
    "return.lower": Authority((R.CS_AGENT, R.CS_SUPERVISOR), note="everybody who has agreed is asked again"),
    "return.enter_waybill": Authority((R.CS_AGENT, R.CS_SUPERVISOR, R.WAREHOUSE), service=True),
    "return.receive": Authority((R.WAREHOUSE,), note="nobody who applied or decided"),
    "return.scan": Authority((R.WAREHOUSE,), note="nobody who applied or decided"),
    "return.finish_inspection": Authority((R.WAREHOUSE,), note="nobody who applied or decided"),
    "return.ask_supervisor": Authority((R.WAREHOUSE, R.CS_AGENT, R.CS_SUPERVISOR)),
    "return.check_outbound": Authority((R.WAREHOUSE,), note="nobody who applied or decided"),
    "return.print_label": Authority((R.WAREHOUSE,)),
    "return.pay": Authority((R.FINANCE, R.CS_SUPERVISOR), note="asks only; the case pays by itself"),
    "return.resolve_ticket": Authority((R.CS_AGENT, R.CS_SUPERVISOR, R.WAREHOUSE, R.ORDER_OPS, R.FINANCE)),
    "return.resolve_ticket: money": Authority((R.FINANCE,), note=SAID_OF_MONEY),
}
"""By command: workflow and update. What follows a colon is a kind of it that its workflow tells apart."""
MONEY = ": money"
BY_STAFF = ": by staff"
MONEY_WORDS = ("payment", "refund", "chargeback")


@dataclass(frozen=True)
class Binding:
    """What a proof is made for. `content_hash`: `message_hash` of the message."""

    workflow_id: str
    command: str
    content_hash: str

    @property
    def nonce(self) -> str:
        """Hex sha256 of `{workflow_id}.{command}.{content_hash}`: for logins at an identity provider."""
        return hashlib.sha256(f"{self.workflow_id}.{self.command}.{self.content_hash}".encode()).hexdigest()


READERS = (R.CS_SUPERVISOR, R.ORDER_OPS)
"""Who may read what stands encrypted in histories. Every look is written down."""


@dataclass(frozen=True)
class ProvenCaller:
    """What a verified proof says. `token_id`: issuer and its own number, spent once; `roles`: as the issuer tells them,
    None where our own books tell; `claims`: the whole token, kept as evidence; `key_id`: of the key that it is signed
    with."""

    person_id: str
    token_id: str
    source: Literal["local", "oidc", "service"]
    roles: frozenset[Role] | None
    on_behalf_of: str | None
    claims: Mapping[str, Any]
    key_id: str = ""


@dataclass(frozen=True)
class NotAdmitted:
    code: ProofCode
    why: str


def message_hash(fields: Mapping[str, Any]) -> str:
    """Hex sha256 of a message as it is sent, without its `proof`: JSON with sorted keys and no spaces, UTF-8."""
    said = {name: value for name, value in fields.items() if name != "proof"}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


READING = Binding("histories", "histories.read", message_hash({}))
"""What a token is made for with which somebody reads histories, as often as it lives."""


def may_read(person: Principal) -> "Role | NotAdmitted":
    """Roles that somebody lends to a person do not count: they are for decisions."""
    if not person.active:
        return NotAdmitted(ProofCode.PERSON_INACTIVE, f"{person.person_id} is deactivated")
    held = [role for role in READERS if role in person.roles]
    if held:
        return held[0]
    why = f"histories are read by {' or '.join(READERS)}; {person.person_id} is none of them"
    return NotAdmitted(ProofCode.WRONG_ROLE, why)


def may_give(row: str, caller: ProvenCaller, person: Principal, by: str, *, for_a_person: bool) -> Role | NotAdmitted:
    """The role in which the command is given. `person`: the caller as the books know it; `for_a_person`: the books know
    the one for whom a service speaks, and such a one speaks for themselves."""
    who, allowed = caller.person_id, AUTHORITY[row]
    if not person.active:
        return NotAdmitted(ProofCode.PERSON_INACTIVE, f"{who} is deactivated")
    if by not in (who, caller.on_behalf_of) and (row != START or caller.source == "service"):
        why = f"the message is in the name of {by}, its proof in that of {who}"
        return NotAdmitted(ProofCode.NOT_THE_SENDER, why)
    if caller.source == "service":
        if for_a_person:
            why = f"{caller.on_behalf_of} is known here and signs in; {who} cannot speak for them"
            return NotAdmitted(ProofCode.NOT_THE_SENDER, why)
        if allowed.service:
            return Role.SERVICE
    else:
        held = [role for role in allowed.roles if role in person.roles]
        if held:
            return held[0]
    needed = " or ".join(["a service"] * allowed.service + list(allowed.roles))
    return NotAdmitted(ProofCode.WRONG_ROLE, f"{row} is given by {needed}; {who} is none of them")


def is_money_step(system: str, step: str) -> bool:
    """Of a ticket: what it asks for is money that moves, or has moved."""
    return system in get_args(PayChannel) or any(word in step for word in MONEY_WORDS)


def authority_table() -> list[str]:
    """Lines of Markdown, for the page that people read."""
    lines = ["| Command | Who may give it | |", "|---|---|---|"]
    for command, row in AUTHORITY.items():
        who = ", ".join(f"`{role}`" for role in (*row.roles, *[Role.SERVICE] * row.service))
        lines.append(f"| `{command}` | {who} | {row.note} |")
    return lines
