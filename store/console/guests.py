"""The order of a guest: a buyer without an account, who knows a number of it and the phone that it goes to."""

import re
from dataclasses import dataclass

from store.pool import Pool

# By our number or the channel's; of one that several channels use, none: nobody says which is meant.
FIND = """
SELECT order_no, buyer_id, start #>> '{address,phone}' AS phone FROM orders
WHERE order_no = $1 OR channel_order_no = $1 LIMIT 2"""

NO_DIGIT = re.compile(r"[\s()-]+")
COUNTRY = "86"
MOBILE = re.compile(r"1\d{10}")


@dataclass(frozen=True)
class GuestOrder:
    order_no: str
    buyer_id: str
    phone: str


class GuestOrders:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, number: str, phone: str) -> GuestOrder | None:
        """None: no such order, another phone, or one that no message can be sent to."""
        rows = await self._pool.fetch(FIND, number)
        given = mobile(phone)
        if len(rows) != 1 or not given or mobile(rows[0]["phone"] or "") != given:
            return None
        return GuestOrder(rows[0]["order_no"], rows[0]["buyer_id"], given)


def mobile(phone: str) -> str:
    """Its eleven digits, as a message is sent to it; '' when it is no mobile phone of China, or is masked."""
    digits = NO_DIGIT.sub("", phone).removeprefix("+").removeprefix("00")
    if len(digits) == len(COUNTRY) + 11:
        digits = digits.removeprefix(COUNTRY)
    return digits if MOBILE.fullmatch(digits) and digits.isascii() else ""
