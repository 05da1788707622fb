"""What is wrong in a file of orders or of goods, in Chinese: the importer writes it in English (docs/contract)."""

from starter.text.sentences.matching import known_as, said

_WORDS = {
    "encoding": "编码", "quantity": "数量", "total": "金额", "weight": "重量", "text": "文本", "whole number": "整数",
    "list": "列表",
}  # fmt: skip
# fmt: off
_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"column (.+) is empty", "列 {1} 未填写"),
    (r"column (.+): (.+) is not a date like (.+)", "列 {1}：{2} 不是 {3} 格式的日期"),
    (r"column (.+): holds the control character (\S+); .*", "列 {1} 含控制字符 {2}，请重新输入"),
    (r"column (.+): (.+) has only zeros after \d+ digits, .*",
     "列 {1}：{2} 的末尾数字已被表格软件舍成 0，请把该列设为文本后重新导出"),
    (r"column (.+): (.+) is a date that a spreadsheet has made of a code; .*",
     "列 {1}：{2} 是被表格软件改成日期的编码，请把该列设为文本"),
    (r"column (.+): (.+) is what a spreadsheet left of a long number; .*",
     "列 {1}：{2} 是被表格软件截断的长数字，请把该列设为文本后重新导出"),
    (r"column (.+): (.+) is not in the mapping's value map", "列 {1}：{2} 不在映射的取值表中"),
    (r"template (.+) is empty", "模板 {1} 没有内容"),
    (r"column (.+) holds a date; .*", "列 {1} 是日期；若原为编码，请把该列设为文本"),
    (r"column (.+) holds a number of which a spreadsheet keeps 15 digits; .*",
     "列 {1} 是超过 15 位的数字，表格软件已丢失末位，请把该列设为文本"),
    (r"(quantity|total|weight) (.+) is not above zero", "{1} {2} 须大于 0"),
    (r"(quantity|total|weight) (.+) is not a whole number( of 0 or more)?", "{1} {2} 不是整数"),
    (r"total (.+) is below zero", "金额 {1} 小于 0"),
    (r"total (.+) is not a plain decimal number", "金额 {1} 不是普通小数"),
    (r"(\d+) cells, the header has (\d+)", "本行有 {1} 格，表头有 {2} 列"),
    (r"cells beyond the last column, (\d+)", "本行超出最后一列（共 {1} 列）"),
    (r"column (.+) is empty, the row belongs to no order", "列 {1} 未填写，本行不属于任何订单"),
    (r"more than (\d+) lines", "超过 {1} 个商品行"),
    (r"(.+) differ from row (\d+) of the same order", "{1} 与同一订单的第 {2} 行不一致"),
    (r"order number (\S+) was already used by another order of this file", "订单号 {1} 已被本文件的另一订单使用"),
    (r"transaction (\S+) pays order (\S+) of this file: .*",
     "支付单号 {1} 已用于本文件的订单 {2}，一笔付款只能付一个订单"),
    (r"(\S+) was paid, order (\S+) costs (\S+)", "付款 {1} 元与订单 {2} 应付 {3} 元不符"),
    (r"the file changed while it was read; .*", "读取时文件有变动，请重新导入"),
    (r"(\S+) is no payment channel.*", "{1} 不是支付渠道"),
    (r"transaction (\S+) of (\S+) does not pay order (\S+): .*is (\S+), not unpaid",
     "支付单号 {1}（{2}）不能付订单 {3}：订单状态为 {4}，不是待付款"),
    (r"transaction (\S+) of (\S+) does not pay order (\S+): order \S+ is to be paid through (\S+), not \S+",
     "支付单号 {1}（{2}）不能付订单 {3}：该订单应通过 {4} 付款"),
    (r"transaction (\S+) of (\S+) does not pay order (\S+): the money went to merchant (\S+) of \S+, we are "
     r"(\S+)",
     "支付单号 {1}（{2}）不能付订单 {3}：收款商户 {4} 不是我方商户 {5}"),
    (r"transaction (\S+) of (\S+) does not pay order (\S+): (\S+ \S+) was paid, order \S+ costs (\S+ \S+)",
     "支付单号 {1}（{2}）不能付订单 {3}：已付 {4}，应付 {5}"),
    (r"transaction (\S+) of (\S+) does not pay order (\S+): it is told to be paid at (\S+), .*",
     "支付单号 {1}（{2}）不能付订单 {3}：付款时间 {4} 还没到"),
    (r"transaction (\S+) of (\S+) is booked already, for order (\S+): .*",
     "支付单号 {1}（{2}）已用于订单 {3}，一笔付款只能付一个订单"),
    (r"transaction (\S+) of (\S+) was told for order (\S+) already \((M\d+)\): .*",
     "支付单号 {1}（{2}）已登记给订单 {3}（{4}），请先处理该笔"),
    (r"transaction (\S+) of (\S+) is known already as (M\d+), of (.+) to merchant (\S+) at (\S+): .*",
     "支付单号 {1}（{2}）已登记为 {3}：{4}，商户 {5}，{6}；请先处理该笔"),
    (r"(\S+) asks already .*|(M\d+) is asked for otherwise already .*", "该笔已按另一内容提交审批，请先处理"),
    (r"there is no order (\S+) in the books", "没有订单 {1}"),
    (r"(\S+): String should match pattern .*", "{1} 格式不符"),
    (r"(\S+): String should have at most (\d+) characters?", "{1} 超过 {2} 个字符"),
    (r"(\S+): String should have at least (\d+) characters?", "{1} 少于 {2} 个字符"),
    (r"(\S+): Input should be (?:greater|less) than or equal to (\S+)", "{1} 超出范围（界限 {2}）"),
    (r"(\S+): Input should be '?(.+?)'?", "{1} 应为 {2}"),
    (r"(\S+): Field required", "缺少 {1}"),
    (r"(\S+): Value error, the year is (\d+): orders are of .*", "{1} 的年份 {2} 不合理"),
    # A file as a whole.
    (r"(.+) is empty; the first row must name the columns\.", "{1} 是空文件；第一行须是列名。"),
    (r"(.+) has the column (.+) twice; (?:rename|remove) one\.", "{1} 有两列都叫 {2}，请改名或删除一列。"),
    (r"(.+) is broken after row (\d+) \(.*\); nothing was imported\. .*",
     "{1} 第 {2} 行之后格式损坏，未导入任何内容；请检查该行附近的引号。"),
    (r"(.+) lacks the columns? (.+?)(?:, read .*|; .*)?", "{1} 缺少列 {2}"),
    (r"(.+): the first row must name the columns in plain text\.", "{1}：第一行须是文本列名。"),
    (r"(.+) has more than (\d+) rows: .*", "{1} 超过 {2} 行：请拆分，或用 oms order import。"),
    (r"(.+) is no \.xlsx workbook \(.*\); nothing was imported: .*",
     "{1} 不是 .xlsx 表格，未导入任何内容：请另存为 .xlsx 或 .csv。"),
    (r"(.+) has more than (\d+) MB; nothing was imported: .*", "{1} 超过 {2} MB，未导入任何内容：请拆分。"),
    (r"(.+) holds macros; nothing was imported: .*", "{1} 含宏，未导入任何内容：请另存为不含宏的 .xlsx。"),
    (r"(.+) has the unknown column (.+); a catalogue has (.+)\.", "{1} 有未知列 {2}；商品资料的列：{3}。"),
    # A row of goods.
    (r"is no column of a catalogue", "不是商品资料的列"),
    (r"one of (.+)", "可用：{1}"),
    (r"is no list", "不是列表"),
    (r"(.+) is neither yes nor no", "{1} 既不是“是”也不是“否”"),
    (r"(.+) is no (whole number|text)", "{1} 不是{2}"),
    (r"(.+) is a number with a fraction", "{1} 带小数"),
    (r"is a number of which a spreadsheet keeps 15 digits; .*", "是超过 15 位的数字，请设为文本"),
    (r"is not given, the other sizes are", "未填写，而其他尺寸已填"),
    (r"has cells beyond the last column", "超出最后一列"),
    (r"clear them", "清空这些格"),
    (r"one cell a column", "每列一格"),
    (r"type the value as plain text", "按纯文本输入"),
    (r"holds the control character (\S+); .*", "含控制字符 {1}，请重新输入"),
    (r"Input should be (.+)", "应为 {1}"),
    (r"String should match pattern .*", "格式不符"),
    (r"String should have at (most|least) (\d+) characters?", "长度不符（界限 {2}）"),
)
# fmt: on


def in_chinese(text: str) -> str:
    """Of several that stand together, each; what is not known stays as it is."""
    part = known_as(_WORDS)
    whole = said(text, _SENTENCES, part)
    if whole is not None:
        return whole
    return "；".join(said(one, _SENTENCES, part) or one for one in text.split("; "))
