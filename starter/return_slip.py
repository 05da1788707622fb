"""The slip that travels in the parcel: return code as QR and text, what should be in it. One page (R50).

It names articles and numbers and nobody: whoever finds the parcel learns nothing about the buyer.
"""

from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

import segno
from pydantic import AwareDatetime

from domain.order import Qty
from domain.strict import Strict

SHOP_TIME = ZoneInfo("Asia/Shanghai")
SEND_TO, SEND_BY = "寄至 / Send to", "请于此前寄出 / Hand over before"


class SlipLine(Strict):
    sku: str
    qty: Qty
    name: str = ""


class Slip(Strict):
    return_no: str
    code: str
    lines: tuple[SlipLine, ...]
    slip_no: str | None = None
    """The merchant's own number."""
    send_to: str | None = None
    """Address of the warehouse, as it is to be printed."""
    send_by: AwareDatetime | None = None
    """The last moment to hand it over."""


def as_html(slip: Slip) -> str:
    """A self-contained page to print, Chinese and English. Everything in it is escaped."""
    rows = "".join(
        f"<tr><td>{escape(line.sku)}</td><td>{escape(line.name)}</td><td>{line.qty}</td></tr>" for line in slip.lines
    )
    return PAGE.format(
        return_no=escape(slip.return_no if slip.slip_no is None else f"{slip.slip_no} · {slip.return_no}"),
        code=escape(slip.code),
        qr=qr_picture(slip.code),
        rows=rows,
        send_to=_fact(SEND_TO, slip.send_to),
        send_by=_fact(SEND_BY, None if slip.send_by is None else _moment(slip.send_by)),
    )


def as_text(slip: Slip) -> str:
    """The QR code for a terminal; below it the code, where it goes and until when."""
    code = segno.make(slip.code, error="m", micro=False)
    rows = ["".join("██" if cell else "  " for cell in row) for row in code.matrix_iter(border=2)]
    send_by = None if slip.send_by is None else _moment(slip.send_by)
    told = [f"{label}: {value}" for label, value in ((SEND_TO, slip.send_to), (SEND_BY, send_by)) if value]
    return "\n".join([*rows, slip.code, *told])


def qr_picture(code: str) -> str:
    """As SVG, to stand within a page."""
    # Level Q: a quarter of the picture may be torn or dirty.
    made: str = segno.make(code, error="q", micro=False).svg_inline(scale=6, border=4, svgclass=None, lineclass=None)
    return made


def _fact(label: str, value: str | None) -> str:
    return "" if value is None else f"<p><b>{label}</b>: {escape(value)}</p>"


def _moment(at: datetime) -> str:
    return at.astimezone(SHOP_TIME).strftime("%Y-%m-%d %H:%M")


PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>退货单 {return_no}</title>
<style>
body {{ font: 14px/1.5 sans-serif; max-width: 17cm; margin: 1cm auto; color: #000; background: #fff }}
h1 {{ font-size: 20px; margin: 0 }}
.code {{ font: bold 20px/1.6 monospace; letter-spacing: 1px }}
table {{ border-collapse: collapse; width: 100%; margin-top: 12px }}
td, th {{ border: 1px solid #000; padding: 4px 8px; text-align: left }}
@media print {{ body {{ margin: 0 }} }}
</style>
</head>
<body>
<h1>退货单 / Return slip {return_no}</h1>
<p>请打印并放入包裹，勿贴在外箱。 / Print it and put it into the parcel, not onto it.</p>
{qr}
<p class="code">{code}</p>
{send_to}
{send_by}
<table>
<tr><th>商品编码 / SKU</th><th>名称 / Article</th><th>数量 / Qty</th></tr>
{rows}
</table>
</body>
</html>
"""
