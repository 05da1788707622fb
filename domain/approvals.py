"""Who may decide what: an approval names one exact content, one role, and the people who may not decide (R44, R57).

    request = ask("merge_shipment", subject="SO26030201", n=1, version=1, role=Role.CS_SUPERVISOR,
                  requested_by="u-ops", content={"children": ["SO26030201-01", "SO26030201-02"]})
    may_decide(request, principal, now)      # Allowed(role, on_behalf_of) or Refused(code, why)

The hash covers kind, subject, version and content: whoever changes the amount needs a new approval.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from domain.order import Id, Text
from domain.strict import Strict


class Role(StrEnum):
    """What a person may do. ADMIN looks after people: asks for changes of them, and decides about those of another."""

    CS_AGENT = "CS_AGENT"
    CS_SUPERVISOR = "CS_SUPERVISOR"
    FINANCE = "FINANCE"
    WAREHOUSE = "WAREHOUSE"
    ORDER_OPS = "ORDER_OPS"
    RULE_EDITOR = "RULE_EDITOR"
    ADMIN = "ADMIN"
    SERVICE = "SERVICE"
    """A backend that gives commands for somebody; it decides nothing."""


class RefusalCode(StrEnum):
    """Why a decision was not taken. The type of the error that the caller gets."""

    SELF_APPROVAL = "SELF_APPROVAL"
    WRONG_ROLE = "WRONG_ROLE"
    NOT_DISTINCT = "NOT_DISTINCT"
    HASH_MISMATCH = "HASH_MISMATCH"
    ALREADY_DECIDED = "ALREADY_DECIDED"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105
    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105
    TOKEN_REPLAYED = "TOKEN_REPLAYED"  # noqa: S105
    PERSON_INACTIVE = "PERSON_INACTIVE"
    REMARK_REQUIRED = "REMARK_REQUIRED"
    UNKNOWN_APPROVAL = "UNKNOWN_APPROVAL"
    NOT_APPROVED = "NOT_APPROVED"
    """At execution: open, rejected or withdrawn."""
    APPROVAL_USED = "APPROVAL_USED"
    """At execution: it has served for something else."""
    BAD_DECISION = "BAD_DECISION"
    """A signal that is no decision message."""


Kind = Literal[
    "refund_application", "refund_payout", "refund_lowered", "merge_shipment", "manual_resplit", "publish_rules",
    "dispute", "state_correction", "exchange", "return_review", "outside_money", "money_fact", "cancel_paid",
    "change_people", "publish_policy", "forget_buyer", "correct_stock", "publish_automations", "publish_forms",
    "automation", "set_source",
]  # fmt: skip
ApprovalId = Annotated[str, StringConstraints(pattern=r"^A-[A-Za-z0-9][A-Za-z0-9._:/-]{0,80}-[0-9]{1,6}$")]
Subject = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Token = Annotated[str, Field(max_length=8_192)]


def content_hash(kind: str, subject: str, version: int, content: Mapping[str, Any]) -> str:
    """Hex sha256 of the canonical JSON of what is approved. Raises `ValueError` for floats: amounts are whole fen."""
    _refuse_floats(content)
    text = json.dumps([kind, subject, version, content], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("what is approved holds no fractions: amounts are in minor units")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError("names of what is approved are texts")
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)


class ApprovalRequest(Strict):
    """One question to one role. `subject`: order, return or rule set; `version` rises when it is asked anew."""

    approval_id: ApprovalId
    kind: Kind
    subject: Subject
    order_no: str | None = None
    version: Annotated[int, Field(ge=1)]
    role: Role
    requested_by: Id
    excluded: tuple[Id, ...] = ()
    """People who may not decide besides the requester: earlier approvers, the payer."""
    content: dict[str, Any]
    """What exactly is approved: amount_minor, currency, lines, remark, …"""
    content_hash: Hash

    @model_validator(mode="after")
    def _hash_is_of_the_content(self) -> Self:
        if self.content_hash != content_hash(self.kind, self.subject, self.version, self.content):
            raise ValueError("content_hash is not the hash of kind, subject, version and content")
        return self


def ask(
    kind: Kind,
    *,
    subject: str,
    n: int,
    version: int,
    role: Role,
    requested_by: str,
    content: dict[str, Any],
    order_no: str | None = None,
    excluded: Iterable[str] = (),
) -> ApprovalRequest:
    """A request with its number `A-{subject}-{n}` and its hash. Raises pydantic's `ValidationError`."""
    return ApprovalRequest(
        approval_id=f"A-{subject}-{n}",
        kind=kind,
        subject=subject,
        order_no=order_no,
        version=version,
        role=role,
        requested_by=requested_by,
        excluded=tuple(dict.fromkeys(excluded)),
        content=content,
        content_hash=content_hash(kind, subject, version, content),
    )


class Decision(Strict):
    """A person's answer; update `decide` and signal `decide_by_signal` take the same. `token` proves who it is."""

    approval_id: ApprovalId
    decision: Literal["approve", "reject"]
    remark: Annotated[str, Field(max_length=200)]
    """Required: an empty one is refused (REMARK_REQUIRED), with an audit row."""
    content_hash: Hash
    """Of what the person has seen."""
    token: Token


class Decided(Strict):
    """A decision in the books."""

    approval_id: str
    decision: Literal["approve", "reject"]
    person_id: str
    role: Role
    on_behalf_of: str | None = None
    """The delegator, when the decision was taken for somebody else."""
    remark: Text
    at: AwareDatetime
    content_hash: Hash

    @property
    def approved(self) -> bool:
        return self.decision == "approve"


@dataclass(frozen=True)
class Identity:
    """What a verified token says. `token_id`: issuer and its own number, used once; `approval_id` and `content_hash`:
    what it was made for; `roles`: as the identity provider tells them, None where our own books tell."""

    person_id: str
    token_id: str
    approval_id: str
    content_hash: str
    source: Literal["local", "oidc"] = "local"
    roles: frozenset[Role] | None = None


@dataclass(frozen=True)
class Delegation:
    """`delegator` has given what they may decide to the principal, until `ends_at`."""

    delegator: str
    roles: frozenset[Role]
    active: bool
    ends_at: datetime


@dataclass(frozen=True)
class Principal:
    """A person as known at the moment of the decision; who it is has been proven by a token."""

    person_id: str
    roles: frozenset[Role]
    active: bool = True
    delegations: tuple[Delegation, ...] = ()


@dataclass(frozen=True)
class Allowed:
    """`role` the person decides in; `on_behalf_of` the delegator whose role it is."""

    role: Role
    on_behalf_of: str | None = None


@dataclass(frozen=True)
class DecisionRefused:
    code: RefusalCode
    why: str


def may_decide(request: ApprovalRequest, principal: Principal, now: datetime) -> Allowed | DecisionRefused:
    """In this order: never one's own request, also not as its requester's delegate; only who is not out for having
    decided before or for paying; only who is active; only who holds the role, or acts for somebody who does."""
    who, number = principal.person_id, request.approval_id
    lent = [d for d in principal.delegations if d.ends_at > now]
    if who == request.requested_by:
        return DecisionRefused(RefusalCode.SELF_APPROVAL, f"{who} has asked for {number} and cannot decide it")
    if any(d.delegator == request.requested_by for d in lent):
        why = f"{who} is a delegate of {request.requested_by}, who has asked for {number}, and cannot decide it"
        return DecisionRefused(RefusalCode.SELF_APPROVAL, why)
    if who in request.excluded:
        why = f"{who} has a part in {request.subject} already; {number} needs another person"
        return DecisionRefused(RefusalCode.NOT_DISTINCT, why)
    if not principal.active:
        return DecisionRefused(RefusalCode.PERSON_INACTIVE, f"{who} is deactivated")
    if request.role in principal.roles:
        return Allowed(request.role)
    return _as_delegate(request, who, lent)


def _as_delegate(request: ApprovalRequest, who: str, lent: list[Delegation]) -> Allowed | DecisionRefused:
    """The first delegator by name through whom it is allowed."""
    refused: DecisionRefused | None = None
    for d in sorted(lent, key=lambda d: d.delegator):
        if request.role not in d.roles:
            continue
        if not d.active:
            refused = DecisionRefused(
                RefusalCode.PERSON_INACTIVE, f"{d.delegator}, for whom {who} acts, is deactivated"
            )
        elif d.delegator in request.excluded:
            why = f"{d.delegator}, for whom {who} acts, has a part in {request.subject} already"
            refused = DecisionRefused(RefusalCode.NOT_DISTINCT, why)
        else:
            return Allowed(request.role, d.delegator)
    return refused or DecisionRefused(
        RefusalCode.WRONG_ROLE, f"{request.approval_id} needs {request.role}; {who} has not"
    )
