"""Kuaidi100's state codes, state names and company codes in our words (docs/providers.md, Parcel states)."""

from providers.tracking import ParcelStatus as S

STATUS_OF_CODE: dict[str, S] = {
    "0": S.IN_TRANSIT,
    "1": S.PICKED_UP,
    "2": S.EXCEPTION,
    "3": S.DELIVERED,
    "4": S.RETURNED,
    "5": S.OUT_FOR_DELIVERY,
    "6": S.REFUSED,
    "7": S.IN_TRANSIT,
    "8": S.CUSTOMS,
    "10": S.CUSTOMS,
    "11": S.CUSTOMS,
    "12": S.CUSTOMS,
    "13": S.EXCEPTION,
    "14": S.REFUSED,
    # advanced codes (resultv2=4)
    "101": S.PRE_TRANSIT,
    "102": S.PRE_TRANSIT,
    "103": S.PICKED_UP,
    "1001": S.IN_TRANSIT,
    "1002": S.IN_TRANSIT,
    "1003": S.IN_TRANSIT,
    "501": S.READY_FOR_PICKUP,
    "301": S.DELIVERED,
    "302": S.DELIVERED,
    "303": S.DELIVERED,
    "304": S.DELIVERED,
    "201": S.EXCEPTION,
    "202": S.EXCEPTION,
    "203": S.REFUSED,
    "204": S.EXCEPTION,
    "205": S.EXCEPTION,
    "206": S.EXCEPTION,
    "207": S.EXCEPTION,
    "208": S.EXCEPTION,
    "209": S.EXCEPTION,
    "210": S.CANCELLED,
    "401": S.CANCELLED,
}

STATUS_OF_NAME: dict[str, S] = {
    "揽收": S.PICKED_UP,
    "在途": S.IN_TRANSIT,
    "干线": S.IN_TRANSIT,
    "转投": S.IN_TRANSIT,
    "清关": S.CUSTOMS,
    "派件": S.OUT_FOR_DELIVERY,
    "投柜或驿站": S.READY_FOR_PICKUP,
    "签收": S.DELIVERED,
    "疑难": S.EXCEPTION,
    "拒签": S.REFUSED,
    "退回": S.REFUSED,
    "退签": S.RETURNED,
}
"""Row status of subscriptions without advanced codes (resultv2=1)."""

_COMPANY: dict[str, str] = {
    "SF": "shunfeng",
    "YTO": "yuantong",
    "ZTO": "zhongtong",
    "STO": "shentong",
    "YUNDA": "yunda",
    "JTSD": "jtexpress",
    "EMS": "ems",
    "POSTB": "youzhengguonei",
    "JD": "jd",
    "DBKD": "debangkuaidi",
}
_CARRIER = {company: carrier for carrier, company in _COMPANY.items()}


def status_of(code: str, name: str = "") -> S:
    """Code first, else the name; neither known: UNKNOWN."""
    return STATUS_OF_CODE.get(code) or STATUS_OF_NAME.get(name) or S.UNKNOWN


def company_of(carrier: str) -> str:
    """Our carrier code (`YTO`) to Kuaidi100's (`yuantong`). An unlisted one goes as it is, in small letters."""
    return _COMPANY.get(carrier.upper(), carrier.lower())


def carrier_of(company: str) -> str:
    """Kuaidi100's company code to ours, or as it is."""
    return _CARRIER.get(company.lower(), company)
