"""What the order learns of one child's customs assessment."""

from domain.fulfilment.customs import CustomsDecision
from domain.order import Minor
from domain.strict import Strict


class Assessment(Strict):
    """`may_go` False: over a limit, or a rate is unknown: `why`, for a person. Fees are what is declared."""

    child_no: str
    identity: str
    """Reference of the buyer's identity: the same on the documents of order, payment and logistics."""
    may_go: bool
    why: str = ""
    decision: CustomsDecision | None = None
    tax_minor: Minor | None = None
    product_fee_minor: Minor = 0
    transport_fee_minor: Minor = 0
