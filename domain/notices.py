"""What people are told about a ticket: Chinese first, then English; ids, steps and ages, nothing personal.

The ticket's error stays inside: it may quote what a buyer or a provider wrote.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from domain.tickets import Severity

SHANGHAI = ZoneInfo("Asia/Shanghai")
_SEVERITY_ZH = {"info": "提示", "normal": "普通", "urgent": "紧急"}
LONGEST = 80
"""Characters of a system's or step's name: some channels cut long messages in the middle of a word."""


@dataclass(frozen=True)
class Notice:
    event: Literal["opened", "escalated"]
    ticket_id: str
    severity: Severity
    system: str
    step: str
    order_no: str | None
    child_no: str | None
    owner: str | None
    opened_at: datetime
    group: str

    def title(self) -> str:
        zh = "新工单" if self.event == "opened" else "工单升级"
        en = "new ticket" if self.event == "opened" else "ticket escalated"
        return f"[{_SEVERITY_ZH[self.severity]} {self.severity}] {zh} / {en}: {self.ticket_id}"

    def body(self, now: datetime) -> str:
        about = self.child_no or self.order_no or "-"
        where = f"{self.system[:LONGEST]}: {self.step[:LONGEST]}"
        opened = self.opened_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        age = age_of(now - self.opened_at)
        return "\n".join(
            (
                f"系统与步骤: {where}",
                f"订单/包裹: {about}；负责人: {self.owner or '无'}；通知组: {self.group}",
                f"开单时间: {opened}（已 {age}）",
                f"处理: oms ticket show {self.ticket_id}",
                "",
                f"System and step: {where}",
                f"Order or parcel: {about}; owner: {self.owner or 'nobody'}; told: {self.group}",
                f"Opened: {opened} Asia/Shanghai ({age} ago)",
                f"Look and answer: oms ticket show {self.ticket_id}",
            )
        )


def age_of(span: timedelta) -> str:
    """`3d 4h`, `2h 5m`, `7m`, `12s`: the two largest units."""
    seconds = max(int(span.total_seconds()), 0)
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        n, seconds = divmod(seconds, size)
        if n or parts:
            parts.append(f"{n}{unit}")
        if len(parts) == 2:
            break
    shown = [part for part in parts if not part.startswith("0")] or ["0s"]
    return " ".join(shown)
