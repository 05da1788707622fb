"""Changes of the controls themselves: who may decide, by which policy, by which rule tables (decision 0039).

    message = ChangeOfControls(change=AddPerson(person_id="u-fin", roles=(Role.FINANCE,)), by="u-admin")
    control_workflow_id(subject_of(message.change), 1)      # controls/people/u-fin-1; its approval: A-people/u-fin-1

What gives more power than before is asked for by one entitled person and decided by another. What only takes power
away, and cannot wait for a second person, is done at once (`at_once`).
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from domain.access.api_tokens import LETS, ApiScope, ApiService, PublicHalf, TokenNo
from domain.access.callback_sources import SetSource
from domain.approvals import Kind, Role
from domain.automation.model import AutomationBook
from domain.order import Id, Tag, Text
from domain.policy import Policy
from domain.returns.forms import FormBook
from domain.strict import Strict

CHANGE_CONTROLS = "ChangeControls"
"""The workflow of one change."""
CONTROLS = "controls"
"""What the ids of its workflows begin with."""
COMMAND = "controls.change"
DECIDED_WITHIN = timedelta(days=14)
"""Then the question is withdrawn: what was seen when it was asked no longer is."""
MADE_WITHIN = timedelta(hours=24)
"""After the decision; a later change needs a new question."""


class AddPerson(Strict):
    """A person, with roles; one who is known gets them added."""

    kind: Literal["add_person"] = "add_person"
    person_id: Id
    roles: Annotated[tuple[Role, ...], Field(max_length=len(Role))] = ()


class SetRole(Strict):
    """`held`: given; else taken away."""

    kind: Literal["set_role"] = "set_role"
    person_id: Id
    role: Role
    held: bool


class SetActive(Strict):
    kind: Literal["set_active"] = "set_active"
    person_id: Id
    active: bool


class DelegateRoles(Strict):
    """`delegate` may decide what `delegator` may, until then."""

    kind: Literal["delegate_roles"] = "delegate_roles"
    delegator: Id
    delegate: Id
    until: AwareDatetime


class EndDelegation(Strict):
    kind: Literal["end_delegation"] = "end_delegation"
    delegator: Id
    delegate: Id


class AddApiToken(Strict):
    """A program of others gets a token; its text was made where it was asked for, and is not here. `channels`,
    `warehouses` None: all of them."""

    kind: Literal["add_api_token"] = "add_api_token"
    service: ApiService
    token_no: TokenNo
    public_key: PublicHalf
    scopes: Annotated[tuple[ApiScope, ...], Field(min_length=1, max_length=len(ApiScope))]
    channels: Annotated[tuple[Id, ...], Field(min_length=1, max_length=50)] | None = None
    warehouses: Annotated[tuple[Tag, ...], Field(min_length=1, max_length=50)] | None = None
    per_minute: Annotated[int, Field(ge=1, le=60_000)] = 600
    expires_at: AwareDatetime


class RevokeApiToken(Strict):
    kind: Literal["revoke_api_token"] = "revoke_api_token"
    service: ApiService
    token_no: TokenNo


class SetScope(Strict):
    """The shops (channels) and warehouses whose orders a person sees in the console; none named: all of them."""

    kind: Literal["set_scope"] = "set_scope"
    person_id: Id
    channels: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    warehouses: Annotated[tuple[Id, ...], Field(max_length=100)] = ()


class PublishPolicy(Strict):
    """`policy.version` as given is ignored. `draft_no`: the draft that was tried, which says the same."""

    kind: Literal["publish_policy"] = "publish_policy"
    policy: Policy
    # Left out where nobody says it: as in questions from before there were drafts.
    draft_no: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(default=None, exclude_if=lambda v: v is None)


class PublishRules(Strict):
    kind: Literal["publish_rules"] = "publish_rules"
    draft_no: Annotated[int, Field(ge=1, le=2**31 - 1)]


class PublishAutomations(Strict):
    """All automations as they are to be from then on. Those that move goods or money were tried as they are."""

    kind: Literal["publish_automations"] = "publish_automations"
    book: AutomationBook


class PublishForms(Strict):
    """All rules of after-sales forms as they are to be from then on."""

    kind: Literal["publish_forms"] = "publish_forms"
    book: FormBook


class ForgetBuyer(Strict):
    """Names, phones, addresses, free words and pictures of the buyer's ended orders and returns go, for ever."""

    kind: Literal["forget_buyer"] = "forget_buyer"
    buyer_id: Id


class CorrectStock(Strict):
    """Available units are as they were found. `counted`: units on the shelf at a stock-take, reserved ones among them;
    or `delta`: more (positive) or fewer (negative) for another reason."""

    kind: Literal["correct_stock"] = "correct_stock"
    sku: Id
    warehouse: Tag
    counted: Annotated[int, Field(ge=0, le=10**9)] | None = None
    delta: Annotated[int, Field(ge=-(10**9), le=10**9)] | None = None
    reason: Text

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.counted is None) == (self.delta is None):
            raise ValueError("a correction has either counted or delta")
        return self


PeopleChange = AddPerson | SetRole | SetActive | DelegateRoles | EndDelegation | SetScope | AddApiToken | RevokeApiToken
ControlChange = Annotated[
    PeopleChange | PublishPolicy | PublishRules | PublishAutomations | PublishForms | ForgetBuyer | CorrectStock
    | SetSource,
    Field(discriminator="kind"),
]  # fmt: skip


def subject_of(change: ControlChange) -> str:  # noqa: PLR0911 - a table of kinds
    """What the change is about; its questions are numbered under it. Of a buyer a digest: ids are read by everybody; of
    goods in a warehouse one, too: names of warehouses may have spaces."""
    match change:
        case PublishPolicy():
            return "policy"
        case PublishRules():
            return f"rules/{change.draft_no}"
        case PublishAutomations() | PublishForms():
            return change.kind.removeprefix("publish_")
        case ForgetBuyer():
            return f"buyers/{hashlib.sha256(change.buyer_id.encode()).hexdigest()[:20]}"
        case CorrectStock():
            place = f"{change.sku} {change.warehouse}"
            return f"stock/{hashlib.sha256(place.encode()).hexdigest()[:20]}"
        case SetSource():
            return f"sources/{change.source}"
        case DelegateRoles() | EndDelegation():
            return f"people/{change.delegator}"
        case AddApiToken() | RevokeApiToken():
            return f"people/{change.service}"
        case _:
            return f"people/{change.person_id}"


def approval_kind(change: ControlChange) -> Kind:
    if isinstance(change, PeopleChange):
        return "change_people"
    return change.kind


def authority_row(change: ControlChange) -> str:  # noqa: PLR0911 - a table of kinds
    """Of the table of authority."""
    match change:
        case PublishPolicy():
            return f"{COMMAND}: policy"
        case PublishRules():
            return f"{COMMAND}: rules"
        case PublishAutomations() | PublishForms():
            return f"{COMMAND}: {change.kind.removeprefix('publish_')}"
        case ForgetBuyer():
            return f"{COMMAND}: buyers"
        case CorrectStock():
            return f"{COMMAND}: stock"
        case SetSource():
            return f"{COMMAND}: sources"
        case _:
            return f"{COMMAND}: people"


def at_once(change: ControlChange) -> bool:
    """Only takes power away, and is urgent when a key was lost: one person is enough. (Not of an administrator: see
    `store/approvals/controls.py`.)"""
    if isinstance(change, SetActive | SetSource):
        return not (change.active if isinstance(change, SetActive) else change.enabled)
    return isinstance(change, EndDelegation | RevokeApiToken)


def concerned(change: ControlChange) -> tuple[str, ...]:
    """Who decides nothing here: those whom it is about."""
    match change:
        case _ if not isinstance(change, PeopleChange):
            return ()
        case DelegateRoles() | EndDelegation():
            return (change.delegator, change.delegate)
        case AddApiToken() | RevokeApiToken():
            return (change.service,)
        case _:
            return (change.person_id,)


def control_workflow_id(subject: str, n: int) -> str:
    return f"{CONTROLS}/{subject}-{n}"


def number_in(workflow_id: str, change: ControlChange) -> int | None:
    """Which question of its subject this workflow is; None: its id is not one of this change."""
    before, dash, n = workflow_id.rpartition("-")
    plain = n.isascii() and n.isdigit() and 0 < int(n[:7]) < 10**6 and n == str(int(n[:7]))
    if not dash or not plain or before != f"controls/{subject_of(change)}":
        return None
    return int(n)


MAY: dict[Role, tuple[str, str]] = {
    Role.CS_AGENT: ("取消订单、改地址、代客申请售后", "cancels orders, changes addresses, applies for buyers"),
    Role.CS_SUPERVISOR: ("审批退款初审和小额退款", "approves refunds on application, small ones alone"),
    Role.FINANCE: ("审批放款、账外资金和政策", "approves payouts, money from outside and the policy"),
    Role.WAREHOUSE: ("收货验货", "receives and inspects goods"),
    Role.ORDER_OPS: ("审批规则、改订单", "approves rules, changes orders"),
    Role.RULE_EDITOR: ("提交规则发布", "asks for rules to be published"),
    Role.ADMIN: ("审批人员变更", "decides who may decide"),
    Role.SERVICE: ("以系统名义下指令", "gives commands as a backend"),
}
"""What a role lets its holder do, Chinese and English."""


def more_power(change: PeopleChange, held: Iterable[Role]) -> tuple[str, ...]:
    """What a change of people lets somebody do that they could not, in words. `held`: the person's roles now, of a
    delegation the delegator's."""
    match change:
        case AddPerson():
            return tuple(_gets(change.person_id, role) for role in change.roles if role not in set(held))
        case SetRole():
            return (_gets(change.person_id, change.role),) if change.held and change.role not in set(held) else ()
        case SetActive():
            return tuple(_gets(change.person_id, role) for role in sorted(held)) if change.active else ()
        case DelegateRoles():
            return tuple(_gets(change.delegate, role, change.delegator) for role in sorted(held))
        case AddApiToken():
            return tuple(_lets(change, scope) for scope in change.scopes)
        case _:
            return (_sees(change),) if isinstance(change, SetScope) else ()


def _sees(change: SetScope) -> str:
    """Told whole, whatever was before: who decides sees what will be seen."""
    shops, places = ", ".join(sorted(change.channels)), ", ".join(sorted(change.warehouses))
    who = change.person_id
    zh = f"{who} 可见渠道：{shops or '全部'}；可见仓库：{places or '全部'}"
    return f"{zh} / {who} sees channels: {shops or 'all'}; warehouses: {places or 'all'}"


def _lets(change: AddApiToken, scope: ApiScope) -> str:
    zh, en = LETS[scope]
    where = [*(change.channels or ()), *(change.warehouses or ())]
    of = (f"（{'、'.join(where)}）", f" of {', '.join(where)}") if where else ("", "")
    token = f"{change.service} 令牌 {change.token_no} 获得 {scope}{of[0]}：{zh}"
    return f"{token} / {change.service} with token {change.token_no} gets {scope}{of[1]}: {en}"


def _gets(person: str, role: Role, of: str = "") -> str:
    zh, en = MAY[role]
    whose = (f"（代 {of}）", f" in the place of {of}") if of else ("", "")
    return f"{person} 获得 {role}{whose[0]}：{zh} / {person} gets {role}{whose[1]}: {en}"
