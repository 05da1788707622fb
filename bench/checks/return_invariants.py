"""What must hold of after-sales cases after every run: goods, parcels, approvals. Names as in docs/requirements.md."""

from collections import defaultdict
from collections.abc import Iterable

from bench.checks.order_invariants import Finding
from store.pool import Pool, Row

LINES = """
SELECT order_no, line_id, shipped_units, goods_back_units FROM order_lines WHERE goods_back_units > 0"""
CASES = "SELECT return_no, status, reception, ended_at FROM return_cases"
UNITS = "SELECT return_no, line_id, unit, reception, grade FROM return_units"
APPROVALS = """
SELECT approval_id, kind, subject, role, state, requested_by, excluded, decided_by, on_behalf_of, content, used_for
FROM approvals WHERE state = 'approved'"""
CONTROLS = frozenset({"change_people", "publish_policy", "publish_rules", "publish_automations", "publish_forms"})
"""Each change is a question of its own, though all are about the policy, or about one person."""
PAYOUTS = """
SELECT c.return_no, c.admitted -> 'route' AS route, c.payout_minor FROM return_cases c
WHERE EXISTS (SELECT FROM refunds r WHERE r.return_no = c.return_no)"""
OVERPAID = """
SELECT c.return_no, c.payout_minor FROM return_cases c WHERE c.payout_minor IS NOT NULL AND (
    c.payout_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM refunds r WHERE r.return_no = c.return_no)
    OR c.payout_minor > (SELECT coalesce(sum((s.net_minor + s.freight_minor) * greatest(0,
            least(k.first_unit + k.units, s.first_unit + s.units) - greatest(k.first_unit, s.first_unit))), 0)
        FROM unit_claims k JOIN unit_shares s USING (order_no, line_id)
        WHERE k.held AND k.holder = 'R' || c.return_no))"""
"""Payouts that are not the sum of their refunds, or more than the frozen shares of their units."""
UNTRUE = """
SELECT o.order_no FROM orders o WHERE
    o.refund_reserved_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM refunds r WHERE r.order_no = o.order_no)
    OR o.returning_minor <> (SELECT coalesce(sum(held_minor), 0) FROM return_cases c WHERE c.order_no = o.order_no)
    OR EXISTS (SELECT FROM payment_balances b WHERE b.order_no = o.order_no AND b.reserved_minor <>
        (SELECT coalesce(sum(amount_minor), 0) FROM refund_parts p WHERE p.payment_key = b.payment_key))"""
"""Orders whose counters are not the sums of what they count: refunds, held money of cases, parts that payments bear."""
SETTLED = ("REFUNDED", "EXCHANGED", "REJECTED", "REFUND_FAILED")


async def check(pool: Pool) -> list[Finding]:
    """Each finding names what breaks it; none means it holds."""
    lines, cases, units = await pool.fetch(LINES), await pool.fetch(CASES), await pool.fetch(UNITS)
    approvals, payouts = await pool.fetch(APPROVALS), await pool.fetch(PAYOUTS)
    overpaid, untrue = await pool.fetch(OVERPAID), await pool.fetch(UNTRUE)
    counted = await pool.fetchval("SELECT count(*) FROM orders")
    return [
        Finding("M4", "reserved and held are the sums of refunds and cases", counted,
                tuple(r["order_no"] for r in untrue)),
        Finding("M6", "a payout is the sum of its refunds, within the shares of its units", len(payouts),
                tuple(f"{r['return_no']} paid {r['payout_minor']}" for r in overpaid)),
        Finding("S3", "no more comes back than was shipped, none is graded unreceived", len(units), _s3(lines, units)),
        Finding("P4", "a case that has received goods is settled or open", len(cases), _p4(cases)),
        Finding("A1", "who decides has not asked, and decides once a case", len(approvals), _a1(approvals)),
        Finding("A2", "every payout had each approval of its route, of its amount, once", len(payouts),
                _a2(payouts, approvals)),
    ]  # fmt: skip


def _s3(lines: Iterable[Row], units: Iterable[Row]) -> tuple[str, ...]:
    too_many = [f"{r['order_no']}/{r['line_id']}" for r in lines if r["goods_back_units"] > r["shipped_units"]]
    unseen = [
        f"{u['return_no']}/{u['line_id']}/{u['unit']}"
        for u in units
        if u["grade"] is not None and u["reception"] != "RECEIVED"
    ]
    return (*too_many, *unseen)


def _p4(cases: Iterable[Row]) -> tuple[str, ...]:
    return tuple(
        f"{c['return_no']} has received goods and ended {c['status']}"
        for c in cases
        if c["reception"] == "RECEIVED" and c["ended_at"] is not None and c["status"] not in SETTLED
    )


def _a1(approvals: Iterable[Row]) -> tuple[str, ...]:
    broken, used = [], defaultdict(list)
    for a in approvals:
        people = {p for p in (a["decided_by"], a["on_behalf_of"]) if p}
        if people & {a["requested_by"], *a["excluded"]}:
            broken.append(f"{a['approval_id']} was decided by somebody who has a part in it")
        if a["used_for"] and a["kind"] not in CONTROLS:
            used[a["subject"]].append(a["decided_by"])
    broken += [f"{subject}: one person decided twice" for subject, who in used.items() if len(set(who)) < len(who)]
    return tuple(broken)


def _a2(payouts: Iterable[Row], approvals: Iterable[Row]) -> tuple[str, ...]:
    spent: dict[tuple[str, str], list[int]] = defaultdict(list)
    for a in approvals:
        if a["used_for"] == a["subject"]:
            spent[a["subject"], a["role"]].append(a["content"]["amount_minor"])
    return tuple(
        f"{p['return_no']}: {role} approved {spent[p['return_no'], role]}, paid out {p['payout_minor']}"
        for p in payouts
        for role in p["route"]
        if role != "SYSTEM" and spent[p["return_no"], role] != [p["payout_minor"]]
    )
