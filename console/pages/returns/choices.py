"""What this person may do with a case this moment. The page only offers: the worker decides when it is asked."""

from dataclasses import dataclass

from console.session.user import User
from domain.returns.enums import ENDS, GOODS_COME_BACK, MONEY_GOES_BACK, CaseStatus
from store.console.returns import ReturnContext

S = CaseStatus
TAKE_BACK = frozenset({S.APPLIED, S.SUPERVISOR_REVIEW, S.WAITING_RETURN})
SENT = frozenset({S.WAITING_RETURN, S.IN_RETURN, S.CLOSED_NOT_SENT})
PAYING = frozenset({S.REFUNDING, *ENDS})
DISPUTABLE = frozenset({S.RECEIVED, S.INSPECTED})


@dataclass(frozen=True)
class ReturnChoices:
    cancel: bool
    waybill: bool
    lower: bool
    dispute: bool
    slip: bool
    label: bool

    @property
    def any(self) -> bool:
        return self.cancel or self.waybill or self.lower or self.dispute


def choices_of(found: ReturnContext, user: User) -> ReturnChoices:
    case = found.case
    comes_back = case.type in GOODS_COME_BACK
    pays = case.type in MONEY_GOES_BACK and case.status not in PAYING
    return ReturnChoices(
        cancel=user.may_give("return.cancel") and case.status in TAKE_BACK and case.applied_by.id == user.id,
        waybill=user.may_give("return.enter_waybill") and comes_back and case.status in SENT,
        lower=user.may_give("return.lower") and pays,
        dispute=user.may_give("return.ask_supervisor") and pays and case.status in DISPUTABLE,
        slip=comes_back and case.status in SENT,
        label=case.status is S.REPLACEMENT_QC,
    )
