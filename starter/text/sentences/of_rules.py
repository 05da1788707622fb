"""What is wrong with a rule table, in Chinese: findings are written in English, by whoever finds them."""

import re

from starter.text.sentences.matching import Table, known_as, said

_KIND = {
    "text": "文本",
    "a list of texts": "文本列表",
    "a whole number": "整数",
    "true or false": "是/否（true/false）",
}
# fmt: off
_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"is empty", "未填写"),
    (r"(.+) is neither true nor false", r"{1} 不是一个判断条件"),
    (r"(.+) cannot be read as a condition \(.*\)", r"{1} 无法识别为条件"),
    (r"(.+) says nothing of (\S+)", r"{1} 与本列（{2}）无关"),
    (r"(.+) compares (\S+), which is (.+), with something else", r"{1} 与本列类型不符：{2} 是{3}"),
    (r"(.+) names no customs mode", r"{1} 不是报关方式"),
    (r"(.+) compares a list with one value", r"{1} 把列表与单个值比较"),
    (r"answers with the column (.+), which is (.+)", r"引用的列 {1} 是{2}"),
    (r"(.+) is not (text|a list of texts|a whole number|true or false)", r"{1} 不是{2}"),
    (r"(.+) is longer than 40 characters or not printable", r"{1} 超过 40 个字符或含不可见字符"),
    (r"(.+) names something twice", r"{1} 有重复的值"),
    (r"(.+) must name each of (.+) once", r"{1} 必须把 {2} 各写一次"),
    (r"(.+) is no way to approve", r"{1} 不是可用的审批方式"),
    (r"(.+) is no way to give freight back", r"{1} 不是可用的退运费方式"),
    (r"(.+) is no number of days", r"{1} 不是有效的天数"),
    (r"gives fewer than (\d+) days", r"少于 {1} 天"),
    (r"(.+) is no plain value", r"{1} 不是单纯的值"),
    (r"(.+) is neither text nor a whole number", r"{1} 既不是文本也不是整数"),
    (r"makes the table too slow: from here on it needs more than (\d+) steps a line",
     r"整表过慢：从本行起每个商品行超过 {1} 步"),
    (r"(.*)has more than (\d+) characters", r"{1}超过 {2} 个字符"),
    (r"(.+) holds (.+), which conditions do not know", r"{1} 含有条件不认识的符号 {2}"),
    (r"(.+) uses (.+), which depends on the clock, the calendar or chance",
     r"{1} 使用了 {2}：规则不能依赖时间、日历或随机数"),
    (r"(.+) uses (.+)", r"{1} 使用了 {2}"),
    (r"(.+) calls (.+), which is not allowed", r"{1} 调用了不允许的函数 {2}"),
    (r"(.+) names (.+), which is no column", r"{1} 中的 {2} 不是可用的列"),
    (r"(.+) has more than (\d+) brackets within brackets", r"{1} 括号嵌套超过 {2} 层"),
    (r"(.+) gives a range to a function, which would count through all of it",
     r"{1} 把区间交给函数，会逐个数完整个区间"),
    (r"(.+) asks `matches` with a pattern that is no plain text", r"{1} 的匹配模式必须是写明的文本"),
    (r"(.+) has a pattern of more than (\d+) characters", r"{1} 的匹配模式超过 {2} 个字符"),
    (r"(.+) has (.+) in a pattern, which repeats by count and is slow to read",
     r"{1} 的匹配模式含 {2}（按次数重复），运行过慢"),
    (r"(.+) has (.+) in a pattern, which stands for thousands of characters and is slow to read",
     r"{1} 的匹配模式含 {2}（代表数千个字符），运行过慢"),
    (r"(.+) has (.+) in a pattern, which changes how the pattern is read", r"{1} 的匹配模式含 {2}（改变模式读法）"),
    (r"(.+) has a pattern that cannot be read", r"{1} 的匹配模式无法识别"),
    (r"never counts: row (\S+) takes it all", r"永远不会生效：第 {1} 行已全部覆盖"),
    (r"repeats row (\S+)", r"与第 {1} 行重复"),
    (r"overlaps with row (\S+): where both fit, row \S+ counts", r"与第 {1} 行有重叠：都符合时以 {1} 为准"),
    (r"keeps nothing apart by (.+)", r"没有任何一行按 {1} 隔离"),
    (r"allows (.+), which no tariff prices", r"允许的 {1} 没有运费"),
    (r"its (\d+)\. row has no usable `_id`, or one that is taken", r"第 {1} 行的名称不可用或已被占用"),
    (r"has no list of rules, or more than (\d+)", r"没有规则，或超过 {1} 行"),
    (r"has no list of (\w+), or more than (\d+)", r"列数超过 {2}"),
)
_ADVICE: tuple[tuple[str, str], ...] = (
    (r"(?:it )?must be (.+)", r"应为{1}"),
    (r"write a comparison, such as (.+)", r"写成比较，例如 {1}"),
    (r"put it into a column without a field, or write \$ for the value of this column",
     "写到“条件表达式”列，或用 $ 表示本列的值"),
    (r"see docs/rules\.md, .*", "示例：'A'；!= 'A'；>= 10；[1..5]"),
    (r"modes are (.+)", r"可用：{1}"),
    (r"write contains\(\$, 'A'\)", "写 contains($, 'A')"),
    (r"write one of (.+)", r"可用：{1}"),
    (r"write text in straight quotes.*", '文本用英文引号，如 "A"；多个写 ["A", "B"]；数字直接写；或写列名'),
    (r"write one value, or a list in brackets", "写一个值，或用方括号写列表"),
    (r"fewer rows; a `matches` counts as (\d+) cells.*",
     r"减少行数；一个 matches 相当于 {1} 个单元格，改用 startsWith 或列出值"),
    (r"divide it into several rows", "拆成多行"),
    (r"write (.+), the plain sign, instead", r"改用英文符号 {1}"),
    (r"compare with .*",
     "用 == != < <= > >= in 比较，用 and、or、not 连接；区间直接比较，如 qty in [1..100]；或用 startsWith"),
    (r"a decision must come out the same.*", "同一订单的结果必须始终相同；到时间再发布新版本"),
    (r"allowed are (.+)", r"可用函数：{1}"),
    (r"text stands in quotes: (.+)", r"文本要加引号：{1}"),
    (r"`\$` alone is the value of the column", "单独的 $ 表示本列的值"),
    (r"write matches\(.*", "写成 matches(sku, 'A[0-9]+')"),
    (r"write \[0-9\]\+ for digits.*", "数字写 [0-9]+，字母写 [A-Za-z]+"),
    (r"every bracket that opens closes; .*", "括号要成对；普通的 [ 写作 [[]"),
    (r"remove it, or move it up", "删除，或上移"),
    (r"narrow one of them if that is not meant", "若非本意，请收窄其中一行"),
    (r"the built-in table does", "内置表会隔离"),
    (r"write 0 to (\d+)", r"写 0 到 {1}"),
    (r"the law gives buyers of most goods seven days.*", "法律规定多数商品七天内可无理由退货"),
    (r"add its tariff", "补上它的运费"),
    (r"1 to 40 letters, digits.*", "1 到 40 个字母、数字、. _ -，每行不同"),
    (r"join rows, e\.g\. .*", "合并行，例如用 in ['A', 'B']"),
    (r"finance has to approve it / 须财务审批", "须财务审批"),
    (r'write \["CS_SUPERVISOR", "FINANCE"\].*',
     '写 ["CS_SUPERVISOR", "FINANCE"]，或用 amount_minor <= small_max_minor 收窄到小额'),
)
# fmt: on

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def in_chinese(text: str) -> str:
    """Of a finding; one that says it in both languages keeps its Chinese; what is not known stays as it is."""
    return _said(text, _SENTENCES)


def advice_in_chinese(text: str) -> str:
    return _said(text, _ADVICE)


def _said(text: str, table: Table) -> str:
    found = said(text, table, known_as(_KIND))
    if found is not None:
        return found
    return next((part for part in text.split(" / ") if _CHINESE.search(part)), text)
