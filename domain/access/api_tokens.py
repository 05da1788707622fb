"""What a program of others may do here: a token of the open API is a service, with scopes, for shops and warehouses.

    oms_{token_no}_{secret}      what the program sends; the secret is nowhere in the books

Decision 0045. Administrators make tokens by two and revoke them alone (`domain/access/controls.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

SERVICE = "api/"
"""What names of programs begin with; backends with keys of their own are called otherwise."""
LONGEST_LIFE = timedelta(days=366)
TEXT = re.compile(r"oms_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")

ApiService = Annotated[str, StringConstraints(pattern=r"^api/[a-z][a-z0-9-]{1,39}$")]
TokenNo = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
PublicHalf = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""Of the key that the token's text makes: proves what is signed with it, and makes nothing."""


class ApiScope(StrEnum):
    """What a token lets a program do. To change something does not let it look."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    RETURNS_READ = "returns:read"
    RETURNS_WRITE = "returns:write"
    EVIDENCE_WRITE = "evidence:write"
    EVENTS_READ = "events:read"
    STOCK_READ = "stock:read"
    STOCK_WRITE = "stock:write"
    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    REPORTS_READ = "reports:read"
    REPORTS_WRITE = "reports:write"
    FINANCE_READ = "finance:read"
    FINANCE_WRITE = "finance:write"
    TICKETS_READ = "tickets:read"
    CALLBACKS_READ = "callbacks:read"


LETS: Mapping[ApiScope, tuple[str, str]] = {
    ApiScope.ORDERS_READ: ("查看订单、地址和收款", "reads orders, addresses and payments"),
    ApiScope.ORDERS_WRITE: (
        "下单、报告平台已付款和客诉、取消、改地址、确认收货、暂停发货",
        "places, cancels and holds orders, tells of their payments and complaints, changes addresses",
    ),
    ApiScope.RETURNS_READ: ("查看售后单", "reads returns"),
    ApiScope.RETURNS_WRITE: ("代买家申请和撤销售后", "applies for returns and withdraws them, for buyers"),
    ApiScope.EVIDENCE_WRITE: ("上传售后凭证", "uploads pictures for returns"),
    ApiScope.EVENTS_READ: ("读取全部事件", "hears of all events"),
    ApiScope.STOCK_READ: ("查看库存", "reads stock"),
    ApiScope.STOCK_WRITE: ("登记入库", "books goods that came in"),
    ApiScope.CATALOG_READ: ("查看商品资料", "reads the catalogue"),
    ApiScope.CATALOG_WRITE: ("修改商品资料", "changes the catalogue"),
    ApiScope.REPORTS_READ: (
        "查看健康报告、每周异常、流程、看板和退货风险",
        "reads health reports, the weeks' anomalies, how orders went, boards and the return risk",
    ),
    ApiScope.REPORTS_WRITE: ("重新生成报告、排布看板", "has reports built again and arranges boards"),
    ApiScope.FINANCE_READ: (
        "查看收付款、待付退款和对账差异",
        "reads payments, refunds, payouts that wait, differences",
    ),
    ApiScope.FINANCE_WRITE: ("立即发起对账", "has the books compared now"),
    ApiScope.TICKETS_READ: ("查看工单", "reads tickets"),
    ApiScope.CALLBACKS_READ: (
        "查看回调来源、消息和订阅",
        "reads what came from outside and what is told to others",
    ),
}
"""Chinese and English: for whoever decides."""

ASKED_FOR: Mapping[str, ApiScope] = {
    "order.start": ApiScope.ORDERS_WRITE,
    "order.cancel": ApiScope.ORDERS_WRITE,
    "order.change_address": ApiScope.ORDERS_WRITE,
    "order.confirm_receipt": ApiScope.ORDERS_WRITE,
    "order.hold": ApiScope.ORDERS_WRITE,
    "return.apply": ApiScope.RETURNS_WRITE,
    "return.cancel": ApiScope.RETURNS_WRITE,
    "return.enter_waybill": ApiScope.RETURNS_WRITE,
    "desk.do: tell_payment": ApiScope.ORDERS_WRITE,
    "desk.do: tell_complaint": ApiScope.ORDERS_WRITE,
    "desk.do: receive_goods": ApiScope.STOCK_WRITE,
    "desk.do: put_skus": ApiScope.CATALOG_WRITE,
    "desk.do: build_report": ApiScope.REPORTS_WRITE,
}
"""By row of the table of authority; a command that is not here no token gives, whatever services may."""


@dataclass(frozen=True)
class ApiToken:
    """As the books know it. `channels`, `warehouses` None: all; `per_minute`: requests."""

    token_no: str
    service: str
    public_key: bytes
    scopes: frozenset[ApiScope]
    channels: frozenset[str] | None
    warehouses: frozenset[str] | None
    per_minute: int
    expires_at: datetime

    def may(self, scope: ApiScope) -> bool:
        return scope in self.scopes

    def reaches(self, channel: str) -> bool:
        """Whether it is for this shop."""
        return self.channels is None or channel in self.channels
