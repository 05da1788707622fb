"""Numbers of the refunds that an order gives back by itself: they follow from what they are for, so that the same debt
can never be paid under two numbers, and fit the 32 characters of WeChat Pay (docs/providers.md).

    of_parcels("SO2603020101", "02")               # RSO2603020101-C02
    of_parcel("SO2603020101", "02", whole=False)   # RSO2603020101-P02S
"""

LONGEST = 32
_SHORT = "TVWXYZABEFGHIJKMNO"
"""Letters of the first, second, … shortage of one parcel where the usual form is too long."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def of_parcels(order_no: str, first: str) -> str:
    """Parcels cancelled together, named by the first of them. `first`: `02` of child `{order_no}-02`."""
    return _fitting(f"R{order_no}-C{first}", f"R{order_no}-D", first)


def of_parcel(order_no: str, parcel: str, *, whole: bool, time: int = 1) -> str:
    """One parcel, or units missing from it; `time` tells apart shortages of one parcel that were told one by one."""
    if whole:
        return _fitting(f"R{order_no}-P{parcel}", f"R{order_no}-Q", parcel)
    again = "" if time == 1 else str(time)
    return _fitting(f"R{order_no}-P{parcel}S{again}", f"R{order_no}-{_SHORT[time - 1]}", parcel)


def of_late_payment(order_no: str) -> str:
    return f"R{order_no}-L1"


def of_all(order_no: str) -> str:
    """A paid order that never came to have parcels."""
    return f"R{order_no}-U1"


def _fitting(usual: str, shorter: str, parcel: str) -> str:
    """Letters of their own for the shorter form, so that it never is the usual one of another parcel."""
    return usual if len(usual) <= LONGEST else shorter + _base36(int(parcel))


def _base36(n: int) -> str:
    text = ""
    while n:
        n, digit = divmod(n, 36)
        text = _DIGITS[digit] + text
    return text or "0"
