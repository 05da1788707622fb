"""Files of orders and of goods in words. English here; the Chinese stands in the catalogue."""

from collections.abc import Mapping

from starter.text.marking import N_

IMPORT_WORDS: Mapping[str, Mapping[str, str]] = {
    "import field": {
        "order.group_by": N_("Rows of one order have the same"),
        "order.order_no": N_("Order number with us"),
        "order.channel": N_("Shop (channel)"),
        "order.channel_order_no": N_("Order number at the channel"),
        "order.placed_at": N_("Ordered at"),
        "order.buyer_id": N_("Buyer"),
        "order.currency": N_("Currency"),
        "order.address.recipient": N_("Recipient"),
        "order.address.phone": N_("Phone"),
        "order.address.province": N_("Province"),
        "order.address.city": N_("City"),
        "order.address.district": N_("District"),
        "order.address.street": N_("Street"),
        "order.address.postcode": N_("Postcode"),
        "line.sku": N_("SKU"),
        "line.name": N_("Name of the goods"),
        "line.qty": N_("Units"),
        "line.total": N_("Total of the line, in yuan"),
        "line.weight_g": N_("Weight of a unit, in grams"),
        "line.tags.warehouse": N_("Warehouse"),
        "paid.transaction_id": N_("Transaction of the payment"),
        "paid.channel": N_("Paid through (wechat, alipay)"),
        "paid.merchant_id": N_("Merchant number that got it"),
        "paid.paid_at": N_("Paid at"),
        "paid.amount": N_("Amount paid, in yuan"),
        "paid.evidence": N_("Evidence of the payment"),
    },
    "import state": {
        "started": N_("Started"),
        "known": N_("Was there already"),
        "refused": N_("Refused"),
    },
    "delimiter": {
        ",": N_("comma"),
        ";": N_("semicolon"),
        "\t": N_("tabulator"),
        "|": N_("vertical bar"),
    },
    "encoding": {
        "utf-8-sig": "UTF-8",
        "utf-8": "UTF-8",
        "gb18030": "GB18030 (GBK)",
        "big5": "Big5",
        "utf-16": "UTF-16",
        "utf-16-le": "UTF-16",
        "utf-16-be": "UTF-16",
    },
}
IMPORT_COLOURS: Mapping[str, Mapping[str, str]] = {
    "import state": {"started": "green", "known": "yellow", "refused": "red"},
}
