"""What has happened, as a ticket tells it, in Chinese: workers, the relay and the books write it in English."""

from starter.text.sentences.matching import known_as, said

_WORDS = {
    "payment": "付款", "refund": "退款", "hold": "暂停", "stock": "缺货", "ticket": "工单", "warehouse": "仓库",
    "wechat": "微信支付", "alipay": "支付宝", "won": "胜诉", "lost": "败诉", "PAID": "已付", "UNKNOWN": "未知",
}  # fmt: skip
# fmt: off
_SENTENCES: tuple[tuple[str, str], ...] = (
    # Outside systems: what they or the line to them said.
    (r"(\S+) HTTP 5\d\d: .*", "{1} 服务异常，结果未知或未执行"),
    (r"(\S+) HTTP 429: .*", "{1} 要求放慢请求"),
    (r"(\S+) (?:ConnectError|ConnectTimeout|Unavailable|ConnectionRefused): .*", "连不上 {1}，未执行"),
    (r"(\S+) (?:ReadTimeout|WriteTimeout|PoolTimeout|ReadError|RemoteProtocolError): .*",
     "{1} 没有答复，不知是否已执行"),
    (r"(\S+) MALFORMED: .*", "{1} 的答复不符合约定，不知是否已执行"),
    (r"(\S+) NOT_CONFIGURED: .*", "本系统没有配置 {1}：请设置后重启 worker，再重试"),
    (r"books NOT_RESERVED: refund (\S+) is not in the books", "账上没有退款 {1}"),
    (r"books NOT_RESERVED: refund (\S+) has been taken over by a person", "退款 {1} 已由人工接手"),
    (r"books NOT_RESERVED: refund (\S+) of the books is another one: .*", "账上的退款 {1} 与此不同"),
    (r"the channel says (\S+): neither a payment that fits nor an unpaid order",
     "渠道答复 {1}：既不是相符的付款，也不是未付款"),
    # Money.
    (r"order (\S+) is paid already by (\S+)", "订单 {1} 已由 {2} 付款"),
    (r"paid (\d+), payable (\d+) \(minor units\)", "付款 {1} 分，应付 {2} 分"),
    (r"paid through (\S+), the order is to be paid through (\S+)", "通过{1}付款，而订单应通过{2}付款"),
    (r"paid in (\S+), the order is in (\S+)", "付款币种 {1}，订单币种 {2}"),
    (r"(\d+) arrived after the order was closed and is being refunded", "订单关闭后到账 {1} 分，正在退回"),
    (r"order (\S+): (\S+) tells of payment (\S+), which is not the order's: (.+ \w{3}) at ([\d-]+ [\d:]+).*",
     "订单 {1}：{2}报告付款 {3}（{4}，{5}），不是该订单的付款。请与渠道账单核对后处理"),
    (r"order (\S+): (\S+) tells of refund (\S+), which nobody asked for here: (.+ \w{3}) at ([\d-]+ [\d:]+).*",
     "订单 {1}：{2}报告退款 {3}（{4}，{5}），本系统没有发起。请与渠道账单核对后处理"),
    (r"order (\S+): (\S+) tells of chargeback (\S+): the buyer's bank takes money back: (.+ \w{3}) at ([\d-]+ "
     r"[\d:]+).*",
     "订单 {1}：{2}报告拒付 {3}（{4}，{5}）：买家银行要求退回。请与渠道账单核对后处理"),
    (r"the buyer's bank takes back (\d+) of order (\S+?)(?:, .*)?; its payouts are on hold",
     "买家银行从订单 {2} 追回 {1} 分；该订单的退款已暂停"),
    (r"refund (\S+) of (\d+) was accepted days ago and has not ended; .*",
     "退款 {1}（{2} 分）已受理多日仍未完成；请与渠道账单核对，系统每天询问一次"),
    (r"the bill of (\S+) at (\S+) lacks (\d+) payments or refunds, (\S+ \S+) in all, that our books .*",
     "{2} {1} 的账单缺少我方账上的 {3} 笔收退款，共 {4}"),
    (r"our books have (payment|refund) (\S+) of order (\S+), (\S+ \S+) on (\S+), and no bill of .*",
     "我方账上有订单 {3} 的{1} {2}（{4}，{5}），而账单上没有"),
    (r"the bill of (\S+) at (\S+): (.+)", "{2} {1} 的账单：{3}"),
    (r"payment (\S+) of (\d+) was booked as the order's while its own came",
     "付款 {1}（{2} 分）记为该订单付款的同时，订单自己的付款也到了"),
    (r"a refund of order (\S+) succeeded, and subscription (\S+) has not acknowledged .*",
     "订单 {1} 的退款已成功，而订阅方 {2} 尚未确认收到"),
    (r"on hold: a payment of order (\S+) is disputed by its bank \((\S+)\); .*",
     "已暂停：订单 {1} 的付款正被银行拒付（{2}），请先处理拒付"),
    (r"on hold: chargeback (\S+) of order (\S+) was told; .*",
     "已暂停：订单 {2} 被报告拒付 {1}，请先入账或答复其工单"),
    # Goods and parcels.
    (r"promised until ([\d-]+ [\d:]+) UTC; (\d+) to leave, kept by: (\S+)",
     "承诺 {1}（UTC）前发出；还有 {2} 件未发，原因：{3}"),
    (r"no reason given", "未说明原因"),
    (r"the parcel was refused or sent back", "包裹被拒收或退回"),
    (r"it goes back to the buyer", "正退回给买家"),
    (r"waybill (.+) looks like none of any carrier; .*", "运单号 {1} 不像任何承运商的单号；已按所报计为发出"),
    (r"waybill (.+) looks like none of (\S+), which are like (\S+); .*",
     "运单号 {1} 不像 {2} 的单号（例如 {3}）；已按所报计为发出"),
    (r"waybill (\S+) was told for (\S+) and for (\S+): one package, or a mis-scan\. .*",
     "运单 {1} 同时报给 {2} 和 {3}：可能合包，也可能扫错"),
    (r"waybill (\S+) of (\S+) was entered for (\S+) and for (\S+): one .*", "{2} 运单 {1} 同时填给 {3} 和 {4}"),
    (r"(.+) had not left the warehouse when the goods of return (\S+) were received: .*",
     "收到退货 {2} 时 {1} 尚未出库：这部分不退款，到货后买家可再申请"),
    (r"scan (\S+), (\S+): a unit came after the inspection was finished; missing then: (.+)",
     "扫描 {1}（{2}）：质检结束后又到一件；当时缺少：{3}"),
    (r"(.+): (.+) there, (.+) in our books", "{1}：对方 {2}，我方 {3}"),
    # Callbacks, programs, books.
    (r"event (\S+) came twice with different contents; the first one counts", "事件 {1} 两次内容不同，以先到的为准"),
    (r"inbox row (\d+) cannot be delivered: (.+)", "消息 {1} 无法送达：{2}"),
    (r"(.+) came for order (\S+), which has ended; inbox row (\d+)", "订单 {2} 已结束，又收到 {1}（消息 {3}）"),
    (r"subscription (\S+) was disabled: (.+); its events are kept for 30 days\. .*",
     "订阅 {1} 已停用：{2}；事件保留 30 天"),
    (r"below (\S+ %) in (\d+) spans of 5 min: of the last one's (\d+) calls (\d+) were accepted \((\S+ %); "
     r"refused: (.*)\)\. .*",
     "连续 {2} 个 5 分钟成功率低于 {1}：最近一段 {3} 次中成功 {4} 次（{5}；拒绝：{6}）"),
    (r"somebody has requested in Temporal that (order|return) (\S+) be cancelled\. .*",
     "有人在 Temporal 请求取消 {1} {2}：未执行，流程照常继续"),
    (r"(\S+): (\S+) asks (\S+) \((.*)\) about (\S+); .*", "{1}：{2} 请 {3}（{4}）就 {5} 审批"),
    (r"(\S+): what (\S+) asked about (\S+) has expired, .*", "{1}：{2} 就 {3} 的申请已过期，请重新申请"),
    (r"(\S+) was approved, and ticket (\S+) was not told it: (.+)", "{1} 已批准，但未能答复工单 {2}：{3}"),
    (r"the report (\S+) (\S+) was not built: (.+)", "报告 {1} {2} 未生成：{3}"),
)
# fmt: on


def in_chinese(text: str) -> str:
    """What is not known stays as it is: it names what no sentence of ours does."""
    return said(text, _SENTENCES, known_as(_WORDS)) or text
