"""The door for warehouse callbacks: what it believes, what it refuses and by what name (docs/providers.md, Qimen)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from domain.facts import Kind
from providers.callbacks import Callback, CallbackRefused, RawRequest
from providers.qimen import QimenReceiver
from providers.qimen.sign import local_text, sign
from providers.qimen.xml import Tree, build
from tests.providers.test_qimen_xml import HOSTILE
from tests.sandbox.qimen_world import APP_KEY, CHILD, CUSTOMER, SECRET, account

NOW = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
CONFIRM, PROCESS, LACK = "deliveryorder.confirm", "orderprocess.report", "itemlack.report"
RECEIVER = QimenReceiver(account())


def signed(
    method: str, body: bytes, *, at: datetime = NOW, secret: str = SECRET, changed: Mapping[str, str] | None = None
) -> dict[str, str]:
    params = {
        "method": f"taobao.qimen.{method}",
        "timestamp": local_text(at),
        "format": "xml",
        "app_key": APP_KEY,
        "v": "2.0",
        "sign_method": "md5",
        "customerId": CUSTOMER,
    } | dict(changed or {})
    return params | {"sign": sign(secret, params, body)}


def read(params: Mapping[str, str], body: bytes) -> Callback:
    return RECEIVER.read(RawRequest({}, params, body), NOW)


def reason(params: Mapping[str, str], body: bytes) -> str:
    with pytest.raises(CallbackRefused) as caught:
        read(params, body)
    return caught.value.reason


def process(status: str, code: str = CHILD, at: str = "2026-03-02 12:00:00") -> bytes:
    told: Tree = [("processStatus", status), ("operateTime", at), ("operateInfo", "by <hand>\u202e")]
    return build("request", [("order", [("orderCode", code)]), ("process", told)])


def confirm(*, final: str = "0", lines: Any = None, packages: Any = None, out: str = "OUT-1") -> bytes:
    head: list[tuple[str, Any]] = [
        ("deliveryOrderCode", CHILD),
        ("outBizCode", out),
        ("confirmType", final),
        ("orderConfirmTime", "2026-03-02 12:00:00"),
    ]
    parcel = [("logisticsCode", "YTO"), ("expressCode", "YT0000000001")]
    line: Tree = [("orderLineNo", "1"), ("itemCode", "A-1"), ("planQty", 2), ("actualQty", 2)]
    return build(
        "request",
        [
            ("deliveryOrder", head),
            ("packages", packages if packages is not None else [("package", parcel)]),
            ("orderLines", lines if lines is not None else [("orderLine", line)]),
        ],
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("ACCEPT", Kind.WMS_ACCEPTED),
        ("REJECT", Kind.WMS_REJECTED),
        ("PRINT", Kind.PICKING),
        ("PICK", Kind.PICKING),
        ("PACKAGE", Kind.PACKED),
        ("WEIGH", Kind.PACKED),
        ("CANCELED", Kind.INTERCEPTED),
        ("CANCELEDFAIL", Kind.INTERCEPT_REFUSED),
    ],
)
def test_each_step_of_the_work_is_one_fact(status: str, kind: Kind) -> None:
    body = process(status)
    (fact,) = read(signed(PROCESS, body), body).facts
    assert (fact.kind, fact.key, fact.child_no, fact.source) == (kind, f"qimen:{CHILD}:{kind}", CHILD, "qimen")
    assert fact.occurred_at == datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
    assert fact.note == "by <hand> "


@pytest.mark.parametrize(("method", "status"), [(PROCESS, "CHECK"), (PROCESS, "DANCING"), ("stock.change", "PICK")])
def test_what_moves_nothing_is_believed_and_kept_without_facts(method: str, status: str) -> None:
    body = process(status)
    callback = read(signed(method, body), body)
    assert (callback.facts, callback.kind) == ((), method)


def test_a_final_confirmation_tells_waybill_carrier_and_units() -> None:
    body = confirm()
    callback = read(signed(CONFIRM, body), body)
    (fact,) = callback.facts
    assert fact.kind is Kind.WAYBILL_RETURNED
    assert (fact.waybill_no, fact.carrier, fact.actual) == ("YT0000000001", "YTO", {"1": 2})
    assert callback.event_id == "deliveryorder.confirm:OUT-1"


def test_each_package_of_a_confirmation_is_told_once_and_the_units_with_the_first() -> None:
    numbers = ("YT0001", "YT0002", "YT0001", "YT0003")
    parcels = [("package", [("logisticsCode", "YTO"), ("expressCode", number)]) for number in numbers]
    body = confirm(packages=parcels)
    facts = read(signed(CONFIRM, body), body).facts
    assert [(f.kind, f.waybill_no, f.actual) for f in facts] == [
        (Kind.WAYBILL_RETURNED, "YT0001", {"1": 2}), (Kind.WAYBILL_RETURNED, "YT0002", None),
        (Kind.WAYBILL_RETURNED, "YT0003", None),
    ]  # fmt: skip
    assert len({f.key for f in facts}) == 3


def test_a_partial_confirmation_waits_for_the_final_one() -> None:
    body = confirm(final="1")
    assert read(signed(CONFIRM, body), body).facts == ()


def test_one_line_in_two_batches_is_added_up_and_a_shortfall_is_its_own_fact_first() -> None:
    rows = [
        ("orderLine", [("orderLineNo", "1"), ("planQty", 2), ("actualQty", 1)]),
        ("orderLine", [("orderLineNo", "1"), ("planQty", 3), ("actualQty", 3)]),
        ("orderLine", [("orderLineNo", "2"), ("planQty", 1), ("actualQty", 1)]),
    ]
    body = confirm(lines=rows)
    short, out = read(signed(CONFIRM, body), body).facts
    assert (short.kind, short.actual, out.actual) == (Kind.SHORT_PICKED, {"1": 4}, {"1": 4, "2": 1})


def test_a_warehouse_that_names_no_lines_tells_units_by_article() -> None:
    """`orderLineNo` is optional in Qimen's deliveryorder.confirm, `itemCode` and `actualQty` are not."""
    rows = [
        ("orderLine", [("itemCode", "杯子-红"), ("planQty", 2), ("actualQty", 1)]),
        ("orderLine", [("itemCode", "杯子-红"), ("planQty", 3), ("actualQty", 3)]),
        ("orderLine", [("itemCode", "B-1"), ("actualQty", 1)]),
    ]
    body = confirm(lines=rows)
    short, out = read(signed(CONFIRM, body), body).facts
    assert (short.kind, short.actual, short.actual_items) == (Kind.SHORT_PICKED, None, {"杯子-红": 4})
    assert (out.actual, out.actual_items) == (None, {"杯子-红": 4, "B-1": 1})


def lack(*items: list[tuple[str, Any]]) -> bytes:
    return build("request", [("deliveryOrderCode", CHILD), ("items", [("item", item) for item in items])])


def test_a_short_pick_names_units_by_line_where_the_warehouse_names_lines() -> None:
    body = lack([("orderLineNo", "2"), ("itemCode", "B-1"), ("planQty", 3), ("lackQty", 1)])
    callback = read(signed(LACK, body), body)
    (fact,) = callback.facts
    assert (fact.kind, fact.actual, fact.note) == (Kind.SHORT_PICKED, {"2": 2}, "B-1: 1 of 3 lack")
    assert len(callback.event_id) == 64, "no message id: the hash of the body"


def test_a_short_pick_by_item_alone_is_told_by_article() -> None:
    body = lack([("itemCode", "B-1"), ("planQty", 3), ("lackQty", 1)])
    (fact,) = read(signed(LACK, body), body).facts
    assert (fact.actual, fact.actual_items, fact.note) == (None, {"B-1": 2}, "B-1: 1 of 3 lack")


def test_the_same_message_again_has_the_same_id_and_another_kind_another() -> None:
    one, two = confirm(out="7"), build("request", [("deliveryOrderCode", CHILD), ("outBizCode", "7")])
    later = read(signed(CONFIRM, one, at=NOW - timedelta(seconds=60)), one)
    assert later.event_id == read(signed(CONFIRM, one), one).event_id
    assert later.event_id != read(signed(LACK, two), two).event_id


BODY = process("PICK")
GOOD = signed(PROCESS, BODY)


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_empty_or_endless_parameter_is_refused(name: str) -> None:
    assert reason({k: v for k, v in GOOD.items() if k != name}, BODY) == "missing_parameter"
    assert reason(GOOD | {name: ""}, BODY) == "missing_parameter"
    assert reason(GOOD | {name: "9" * 50_000}, BODY) == "missing_parameter"


@pytest.mark.parametrize("name", GOOD)
def test_a_repeated_parameter_is_refused_even_if_one_of_them_fits(name: str) -> None:
    for pairs in ([(name, "x"), *GOOD.items()], [*GOOD.items(), (name, "x")]):
        assert reason(QueryParams(pairs), BODY) == "repeated_parameter"
    assert read(QueryParams(list(GOOD.items())), BODY).facts


@pytest.mark.parametrize("name", GOOD)
def test_a_changed_parameter_is_refused(name: str) -> None:
    assert reason(GOOD | {name: GOOD[name] + "1"}, BODY) == "signature"


@pytest.mark.parametrize("told", ["签名", "\ud800", "a,b", "=" * 32, GOOD["sign"].lower()])
def test_a_forged_signature_is_refused(told: str) -> None:
    assert reason(GOOD | {"sign": told}, BODY) == "signature"


def test_a_changed_or_rewritten_body_is_refused_before_it_is_read() -> None:
    assert reason(GOOD, BODY.replace(b"PICK", b"PACK")) == "signature"
    assert reason(GOOD, BODY + b"\n") == "signature"
    assert reason(GOOD, HOSTILE["billion_laughs"][0]) == "signature"
    assert reason(signed(PROCESS, BODY, secret="of another shop"), BODY) == "signature"


@pytest.mark.parametrize("name", ["app_key", "customerId"])
def test_another_account_is_refused_though_its_signature_stands(name: str) -> None:
    assert reason(signed(PROCESS, BODY, changed={name: "other"}), BODY) == "account"


@pytest.mark.parametrize(("name", "value"), [("format", "json"), ("v", "3.0"), ("sign_method", "hmac")])
def test_another_protocol_version_is_refused(name: str, value: str) -> None:
    assert reason(signed(PROCESS, BODY, changed={name: value}), BODY) == "parameter"


@pytest.mark.parametrize("value", ["nan", "1", "0001-01-01 00:00:00", "２０２６-03-02 12:05:06", "2026-03-02T12:05:06"])
def test_a_timestamp_that_is_none_is_refused(value: str) -> None:
    assert reason(signed(PROCESS, BODY, changed={"timestamp": value}), BODY) == "parameter"


def test_a_message_is_fresh_for_five_minutes_either_way() -> None:
    for seconds, expected in [(-301, "stale"), (-360, "stale"), (301, "early"), (360, "early")]:
        assert reason(signed(PROCESS, BODY, at=NOW + timedelta(seconds=seconds)), BODY) == expected
    for seconds in (-300, 300):
        assert read(signed(PROCESS, BODY, at=NOW + timedelta(seconds=seconds)), BODY).facts


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_even_when_signed(name: str) -> None:
    raw, expected = HOSTILE[name]
    assert reason(signed(PROCESS, raw), raw) == expected


def package(**fields: str) -> list[tuple[str, Any]]:
    return [("package", list(fields.items()))]


def line(**fields: Any) -> list[tuple[str, Any]]:
    return [("orderLine", list(fields.items()))]


WRONG = {
    "no_code": (PROCESS, process("PICK", code=""), "missing"),
    "code_with_markup": (PROCESS, process("PICK", code="<script>"), "field"),
    "code_with_newline": (PROCESS, process("PICK", code="A\r\nB"), "field"),
    "endless_code": (PROCESS, process("PICK", code="A" * 300), "field"),
    "no_time": (PROCESS, process("PICK", at="yesterday"), "time"),
    "year_9999": (PROCESS, process("PICK", at="9999-12-31 23:59:59"), "time"),
    "year_1": (PROCESS, process("PICK", at="0001-01-01 00:00:00"), "time"),
    "no_process": (PROCESS, build("request", [("order", [("orderCode", CHILD)])]), "missing"),
    "two_orders": (PROCESS, process("PICK").replace(b"<order>", b"<order/><order>"), "repeated"),
    "children_in_code": (PROCESS, process("PICK").replace(CHILD.encode(), b"<b>x</b>"), "field"),
    "no_package": (CONFIRM, confirm(packages=[]), "missing"),
    "no_waybill": (CONFIRM, confirm(packages=package(logisticsCode="YTO")), "missing"),
    "endless_waybill": (CONFIRM, confirm(packages=package(expressCode="Y" * 101)), "field"),
    "carrier_of_nonsense": (CONFIRM, confirm(packages=package(expressCode="YT0001", logisticsCode="Y/../T")), "field"),
    "negative_units": (CONFIRM, confirm(lines=line(orderLineNo="1", actualQty=-1)), "field"),
    "fraction": (CONFIRM, confirm(lines=line(orderLineNo="1", actualQty="1.5")), "field"),
    "full_width_units": (CONFIRM, confirm(lines=line(orderLineNo="1", actualQty="１９")), "field"),
    "5000_digits": (CONFIRM, confirm(lines=line(orderLineNo="1", actualQty="9" * 5000)), "field"),
    "units_of_no_line": (CONFIRM, confirm(lines=line(actualQty=1)), "missing"),
    "lack_of_nothing": (LACK, lack([("planQty", 1)]), "missing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_by_name(name: str) -> None:
    method, body, expected = WRONG[name]
    assert reason(signed(method, body), body) == expected


@given(st.sampled_from([CONFIRM, PROCESS, LACK, "x"]), st.binary(max_size=200))
def test_whatever_the_bytes_nothing_but_a_refusal_is_raised(method: str, body: bytes) -> None:
    with pytest.raises(CallbackRefused):
        read(signed(method, body), body)


@given(st.dictionaries(st.sampled_from(list(GOOD)), st.text(max_size=30)))
def test_whatever_the_parameters_nothing_but_a_refusal_is_raised(params: dict[str, str]) -> None:
    with pytest.raises(CallbackRefused):
        read(params, BODY)


def test_answers_are_qimens_own_xml_and_hold_no_markup_of_the_caller() -> None:
    raw = RawRequest({}, GOOD, BODY)
    assert fromstring(RECEIVER.accepted(raw).body).findtext("flag") == "success"
    why = CallbackRefused("field", "a <b> & c", status=400)
    answer = RECEIVER.refused(raw, why)
    root = fromstring(answer.body)
    assert (answer.status, root.findtext("flag"), root.findtext("code")) == (400, "failure", "FIELD")
    assert root.findtext("message") == "a <b> & c"
