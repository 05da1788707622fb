"""Rules without I/O: what a fact's fate is, how facts are gathered, what a failed signal means, who is calling."""

from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_network

import pytest
from temporalio.api.common.v1 import GrpcStatus
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure, ResourceExhaustedFailure
from temporalio.service import RPCError, RPCStatusCode

from domain.access.addresses import Addresses
from domain.facts import Kind
from domain.inbox.event_routing import QUIET, Disposition, Target, fate
from domain.states import ChildStatus, OrderStatus
from relay.delivery.circuit_breaker import FIRST_S, LONGEST_S, Breaker
from relay.delivery.coalescing import MOST_FACTS, Gathering, SignalPart
from relay.delivery.routing import plan
from relay.delivery.signalling import BUSY_WORKFLOW, SignalResult, verdict_of
from store.inbox.inbox import Claimed
from tests.relay.hmac_source import fact
from tests.store.examples import NOW


def target(
    child: ChildStatus | None = None, *, ended: bool = False, applied: bool = False, known: bool = False
) -> Target:
    child_no = "SO20261120-01" if child else None
    return Target("SO20261120", OrderStatus.SHIPPED, ended, child_no, child, applied, waybill_known=known)


@pytest.mark.parametrize(
    ("kind", "where", "expected"),
    [
        (Kind.PAYMENT_SUCCEEDED, None, Disposition.UNKNOWN),
        (Kind.PAYMENT_SUCCEEDED, target(), Disposition.SIGNAL),
        (Kind.REFUND_SUCCEEDED, target(ChildStatus.SIGNED), Disposition.SIGNAL),
        (Kind.IN_TRANSIT, target(ChildStatus.SHIPPED), Disposition.SIGNAL),
        (Kind.IN_TRANSIT, target(ChildStatus.SIGNED), Disposition.STALE),
        (Kind.COURIER_EXCEPTION, target(ChildStatus.SIGNED), Disposition.SIGNAL),
        (Kind.PAYMENT_SUCCEEDED, target(ended=True), Disposition.CLOSED),
        (Kind.PAYMENT_SUCCEEDED, target(ended=True, applied=True), Disposition.STALE),
        (Kind.PAYMENT_CLOSED, target(ended=True), Disposition.STALE),
        (Kind.SIGNED, target(ChildStatus.SHIPPED, ended=True), Disposition.CLOSED),
        (Kind.SIGNED, target(ChildStatus.SIGNED, ended=True), Disposition.STALE),
        (Kind.PICKING, target(ChildStatus.CANCELLED, ended=True), Disposition.STALE),
        (Kind.SHORT_PICKED, target(ChildStatus.SIGNED, ended=True), Disposition.CLOSED),
        (Kind.SHORT_PICKED, target(ChildStatus.CANCELLED, ended=True), Disposition.STALE),
        (Kind.WAYBILL_RETURNED, target(ChildStatus.SIGNED, ended=True), Disposition.CLOSED),
        (Kind.WAYBILL_RETURNED, target(ChildStatus.SIGNED, ended=True, known=True), Disposition.STALE),
        (Kind.WAYBILL_RETURNED, target(ChildStatus.CANCELLED, ended=True, known=True), Disposition.CLOSED),
        (Kind.WAYBILL_RETURNED, target(ChildStatus.SIGNED, known=True), Disposition.SIGNAL),
    ],
)
def test_the_fate_of_a_fact(kind: Kind, where: Target | None, expected: Disposition) -> None:
    assert fate(fact("k", kind=kind), where) is expected


def test_a_row_for_two_orders_has_a_part_for_each_and_facts_in_order() -> None:
    facts = tuple(fact(f"k-{i}", kind=Kind.PICKING) for i in range(4))
    row = Claimed(1, "shop", "e", "told", facts, NOW, 1, None)
    targets = {f"k-{i}": (Target(f"SO-{i % 2}", OrderStatus.SHIPPED, False, None, None),) for i in range(4)}
    parts = plan(row, targets).parts
    assert [(p.order_no, [f.key for f in p.facts]) for p in parts] == [
        ("SO-0", ["k-0", "k-2"]),
        ("SO-1", ["k-1", "k-3"]),
    ]


def child_of(order_no: str, n: int, status: ChildStatus, *, ended: bool = False) -> Target:
    return Target(order_no, OrderStatus.SHIPPED, ended, f"{order_no}-0{n}", status)


def test_a_scan_of_a_shared_package_is_told_once_to_every_order_in_it() -> None:
    scan = fact("k", kind=Kind.IN_TRANSIT)
    shipped, signed = ChildStatus.SHIPPED, ChildStatus.SIGNED
    targets = (
        child_of("SO-1", 1, signed), child_of("SO-1", 2, shipped), child_of("SO-2", 1, shipped),
        child_of("SO-3", 1, signed), child_of("SO-4", 1, shipped, ended=True),
    )  # fmt: skip
    planned = plan(Claimed(1, "shop", "e", "told", (scan,), NOW, 1, None), {"k": targets})
    assert [(p.order_no, p.facts) for p in planned.parts] == [("SO-1", (scan,)), ("SO-2", (scan,))]
    assert [t.order_no for _, t in planned.stale] == ["SO-3"]
    assert [t.order_no for _, t in planned.closed] == ["SO-4"] and planned.parks


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [(Kind.SIGNED, True), (Kind.RETURNED_TO_SENDER, True), (Kind.WAYBILL_RETURNED, False), (Kind.REFUND_CLOSED, False)],
)
def test_a_scan_from_before_the_payment_is_stale(kind: Kind, expected: bool, ended: bool) -> None:
    where = replace(target(ChildStatus.SHIPPED, ended=ended), since=NOW + timedelta(seconds=1))
    assert (fate(fact("k", kind=kind), where) is Disposition.STALE) is expected


def test_more_facts_than_a_signal_may_hold_are_several_parts() -> None:
    facts = tuple(fact(f"k-{i}") for i in range(MOST_FACTS + 1))
    parts = plan(Claimed(1, "shop", "e", "told", facts, NOW, 1, None), {f.key: (target(),) for f in facts}).parts
    assert [len(p.facts) for p in parts] == [MOST_FACTS, 1]


def part(row_id: int, order_no: str = "SO-1", at: datetime = NOW, size: int = 100, facts: int = 1) -> SignalPart:
    return SignalPart(row_id, order_no, tuple(fact(f"k-{row_id}-{i}") for i in range(facts)), size, at)


LINGER = timedelta(milliseconds=150)


def test_the_window_opens_with_the_first_fact() -> None:
    gathering = Gathering(LINGER)
    gathering.add(part(1), NOW)
    gathering.add(part(2, at=NOW + LINGER / 2), NOW + LINGER / 2)
    assert gathering.take_due(NOW + LINGER * 0.9) == []
    (bundle,) = gathering.take_due(NOW + LINGER)
    assert [f.key for f in bundle.facts()] == ["k-1-0", "k-2-0"]


def test_facts_travel_in_the_order_of_the_inbox() -> None:
    gathering = Gathering(LINGER)
    for row_id in (3, 1, 2):
        gathering.add(part(row_id), NOW)
    (bundle,) = gathering.take_due(NOW + LINGER)
    assert [f.key for f in bundle.facts()] == ["k-1-0", "k-2-0", "k-3-0"]


def test_an_order_has_one_signal_on_its_way() -> None:
    gathering = Gathering(LINGER)
    gathering.add(part(1), NOW)
    (first,) = gathering.take_due(NOW + LINGER)
    gathering.add(part(2), NOW + LINGER)
    assert gathering.take_due(NOW + LINGER * 9) == []
    gathering.arrived(first)
    assert len(gathering.take_due(NOW + LINGER * 9)) == 1


QUIET_S = timedelta(seconds=1)


def quiet(row_id: int, at: datetime = NOW, kind: Kind = Kind.IN_TRANSIT) -> SignalPart:
    told = fact(f"k-{row_id}").model_copy(update={"kind": kind})
    return SignalPart(row_id, "SO-1", (told,), 100, at)


@pytest.mark.parametrize("kind", sorted(QUIET))
def test_a_fact_about_which_nothing_is_done_rides_with_the_next_one_that_wakes_the_order(kind: Kind) -> None:
    gathering = Gathering(LINGER, QUIET_S)
    gathering.add(quiet(1, kind=kind), NOW)
    later = NOW + QUIET_S * 0.7
    assert gathering.take_due(later) == []
    gathering.add(part(2, at=later), later)
    assert gathering.take_due(later + LINGER * 0.9) == []
    (bundle,) = gathering.take_due(later + LINGER)
    assert [f.key for f in bundle.facts()] == ["k-1", "k-2-0"]


def test_a_fact_that_nothing_follows_goes_alone_within_its_second() -> None:
    gathering = Gathering(LINGER, QUIET_S)
    gathering.add(quiet(1), NOW)
    gathering.add(quiet(2, at=NOW + QUIET_S / 2), NOW + QUIET_S / 2)
    assert gathering.take_due(NOW + QUIET_S * 0.9) == []
    (bundle,) = gathering.take_due(NOW + QUIET_S)
    assert [f.key for f in bundle.facts()] == ["k-1", "k-2"]


def test_a_fact_that_wakes_the_order_waits_for_no_quiet_one() -> None:
    gathering = Gathering(LINGER, QUIET_S)
    gathering.add(part(1), NOW)
    gathering.add(quiet(2), NOW)
    (bundle,) = gathering.take_due(NOW + LINGER)
    assert [f.key for f in bundle.facts()] == ["k-1-0", "k-2"]


def test_backlog_and_clocks_of_other_hosts_do_not_wait_longer_than_the_window() -> None:
    gathering = Gathering(LINGER)
    gathering.add(part(1, "SO-1", NOW - timedelta(hours=1)), NOW)
    gathering.add(part(2, "SO-2", NOW + timedelta(hours=1)), NOW)
    assert [b.order_no for b in gathering.take_due(NOW)] == ["SO-1"]
    assert [b.order_no for b in gathering.take_due(NOW + LINGER)] == ["SO-2"]


def test_a_bundle_never_grows_beyond_what_a_signal_may_hold() -> None:
    for size, facts in ((300_000, 1), (100, 150)):
        gathering = Gathering(LINGER)
        for row_id in (1, 2):
            gathering.add(part(row_id, size=size, facts=facts), NOW)
        assert [len(b.parts) for b in gathering.take_due(NOW + LINGER)] == [1]


def rpc(status: RPCStatusCode, text: str = "", details: GrpcStatus | None = None) -> RPCError:
    return RPCError(text, status, (details or GrpcStatus()).SerializeToString())


def test_a_missing_namespace_is_an_outage_and_not_the_end_of_an_order() -> None:
    status = GrpcStatus(code=5)
    status.details.add().Pack(NamespaceNotFoundFailure(namespace="oms"))
    assert verdict_of(rpc(RPCStatusCode.NOT_FOUND, "namespace", status)).sent is SignalResult.OUTAGE
    assert verdict_of(rpc(RPCStatusCode.NOT_FOUND, "workflow")).sent is SignalResult.NO_WORKFLOW


def test_a_workflow_that_moves_to_a_new_run_is_busy_and_no_outage_for_others() -> None:
    status = GrpcStatus(code=8)
    status.details.add().Pack(ResourceExhaustedFailure(cause=BUSY_WORKFLOW))
    assert verdict_of(rpc(RPCStatusCode.RESOURCE_EXHAUSTED, "is closing", status)).sent is SignalResult.BUSY


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (RPCStatusCode.INVALID_ARGUMENT, "blob too large", SignalResult.POISON),
        (
            RPCStatusCode.INVALID_ARGUMENT,
            "exceeded workflow execution limit for signal events",
            SignalResult.BUSY,
        ),
        (RPCStatusCode.RESOURCE_EXHAUSTED, "message larger than max", SignalResult.POISON),
        (RPCStatusCode.RESOURCE_EXHAUSTED, "namespace rate limit exceeded", SignalResult.OUTAGE),
        (RPCStatusCode.UNAVAILABLE, "", SignalResult.OUTAGE),
        (RPCStatusCode.DEADLINE_EXCEEDED, "", SignalResult.OUTAGE),
        (RPCStatusCode.PERMISSION_DENIED, "", SignalResult.OUTAGE),
        (RPCStatusCode.INTERNAL, "", SignalResult.OUTAGE),
    ],
)
def test_what_a_failed_signal_means(status: RPCStatusCode, text: str, expected: SignalResult) -> None:
    assert verdict_of(rpc(status, text)).sent is expected


def test_quiet_spans_double_up_to_a_bound_and_end_with_a_success() -> None:
    breaker, now = Breaker(), NOW
    spans = []
    for _ in range(8):
        breaker.failed(now)
        breaker.failed(now)  # a signal that was already on its way
        spans.append((breaker.quiet_until or now) - now)
        now += spans[-1]
    assert spans[0] == timedelta(seconds=FIRST_S)
    assert spans[-1] == timedelta(seconds=LONGEST_S)
    breaker.worked()
    assert not breaker.quiet(now)
    assert not breaker.doubtful


@pytest.mark.parametrize(
    ("peer", "header", "caller"),
    [
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
    ],
)
def test_only_configured_proxies_are_believed(peer: str, header: str, caller: str) -> None:
    assert Addresses(proxies=[ip_network("10.0.0.0/30")]).caller(peer, header) == caller


@pytest.mark.parametrize(
    ("hops", "caller"), [(1, "10.0.0.2"), (2, "203.0.113.7"), (3, "203.0.113.7"), (None, "203.0.113.7")]
)
def test_only_as_many_hops_as_configured_are_passed(hops: int | None, caller: str) -> None:
    """Who sits in a proxy's network and is none cannot speak for others."""
    addresses = Addresses(proxies=[ip_network("10.0.0.0/30")], hops=hops)
    assert addresses.caller("10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2") == caller


def test_an_allow_list_holds_for_its_source_only() -> None:
    addresses = Addresses({"wechat": [ip_network("101.226.103.0/24"), ip_network("2402:4e00::/32")]})
    assert addresses.allowed("wechat", "101.226.103.7")
    assert addresses.allowed("wechat", "::ffff:101.226.103.7")
    assert addresses.allowed("wechat", "2402:4e00::1")
    assert not addresses.allowed("wechat", "101.226.104.7")
    assert not addresses.allowed("wechat", "")
    assert addresses.allowed("tms", "8.8.8.8")
