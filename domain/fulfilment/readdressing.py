"""Another address for an order, as the store takes it."""

from domain.order import Address
from domain.strict import Strict


class NewAddress(Strict):
    """`kept`: children that go to the old one, for they are being picked already."""

    order_no: str
    address: Address
    kept: tuple[str, ...]
