"""Mapping files: what is refused when one is loaded, on which line, and why."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import Kind
from providers.generic.loading import UnableToMap, load_mapping, read_mapping
from providers.generic.pointers import find

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "generic-source.yaml"
GOOD = """\
version: 1
source: acme-wms
secrets: [OMS_ACME_SECRETS]
type: /event
occurred_at: {at: /at}
fields:
  child_no: {at: /order}
key: "{source}:{child_no}:{kind}"
events:
  packed: {kind: PACKED}
  printed:
    kind: PICKING
ignore: [ping]
"""


def refusal(text: str) -> str:
    with pytest.raises(UnableToMap) as e:
        read_mapping(text.encode(), "acme.yaml")
    return str(e.value)


def test_the_example_is_usable() -> None:
    mapping = load_mapping(EXAMPLE)
    assert mapping.source == "acme-wms"
    assert mapping.events["outbound.shipped"].kind is Kind.WAYBILL_RETURNED
    assert set(mapping.fields_of(mapping.events["outbound.shipped"])) == {"child_no", "note", "waybill_no", "carrier"}


def test_the_smallest_mapping_is_usable_and_json_is_too() -> None:
    assert read_mapping(GOOD.encode(), "acme.yaml").unknown == "keep"
    text = (
        '{"version": 1, "source": "x-1", "secrets": ["OMS_X"], "type": "/t", "occurred_at": {"at": "/a"},'
        ' "fields": {"child_no": {"at": "/c"}}, "key": "x-1:{child_no}:{type}", "events": {"200": {"kind": "SIGNED"}}}'
    )
    assert list(read_mapping(text.encode(), "x.json").events) == ["200"]


def test_a_name_that_yaml_takes_for_something_else_stays_as_written() -> None:
    text = GOOD.replace("packed:", "200:").replace("printed:", "on:").replace("[ping]", '["2026-01-01"]')
    assert list(read_mapping(text.encode(), "acme.yaml").events) == ["200", "on"]


# what is changed in GOOD, into what, then where and what the error says
REFUSALS = [
    # places
    ("type: /event", "type: event", "acme.yaml:4: type: 'event' is not a place"),
    ("type: /event", "type: /a//b", "acme.yaml:4: type: '/a//b' has an empty step"),
    ("type: /event", "type: /a/", "acme.yaml:4: type: '/a/' has an empty step"),
    ("type: /event", "type: /a~2", "acme.yaml:4: type: '/a~2' holds a lone ~"),
    ("type: /event", "type: /" + "a/" * 30 + "b", "acme.yaml:4: type: a place has at most"),
    ("{at: /order}", "{at: order}", "acme.yaml:7: fields.child_no.at: 'order' is not a place"),
    ("{at: /order}", "{}", "acme.yaml:7: fields.child_no: give exactly one of at and const"),
    ("{at: /order}", "{at: /o, const: x}", "acme.yaml:7: fields.child_no: give exactly one of at and const"),
    ("{at: /order}", "{const: x, optional: true}", "acme.yaml:7: fields.child_no: a const is always there"),
    ("{at: /order}", "{const: a b}", "acme.yaml:7: fields.child_no: 'a b' is not a child_no"),
    ("{at: /order}", "{at: /o, map: {x: a b}}", "acme.yaml:7: fields.child_no: 'a b' is not a child_no"),
    ("{at: /order}", "{at: /o, map: {}}", "acme.yaml:7: fields.child_no.map: "),
    # names
    ("  child_no: {at: /order}", "  child: {at: /order}", "acme.yaml:7: fields.child: Extra inputs are not permitted"),
    ("ignore:", "ignored:", "acme.yaml:13: ignored: Extra inputs are not permitted"),
    ("kind: PACKED", "kind: PAKCED", "acme.yaml:10: events.packed.kind: Input should be 'PAYMENT_SUCCEEDED'"),
    ("kind: PICKING", "kind: packed", "acme.yaml:12: events.printed.kind: Input should be"),
    ("kind: PICKING", "kind: PICKING\n    eval: x", "acme.yaml:13: events.printed.eval: Extra inputs"),
    ("source: acme-wms", "source: qimen", "acme.yaml:2: source: qimen is built in"),
    ("source: acme-wms", "source: alipay", "acme.yaml:2: source: alipay is built in"),
    ("source: acme-wms", "source: ../x", "acme.yaml:2: source: String should match pattern"),
    ("version: 1", "version: 2", "acme.yaml:1: version: Input should be 1"),
    ("version: 1\n", "", "acme.yaml:1: version: Field required"),
    ("type: /event\n", "", "acme.yaml:1: type: Field required"),
    # secrets
    ("[OMS_ACME_SECRETS]", "[whsec_AAAA]", "acme.yaml:3: secrets.0: give the NAME of an environment variable"),
    ("[OMS_ACME_SECRETS]", "[A_B, A_B]", "acme.yaml:3: secrets.1: A_B stands here twice"),
    ("[OMS_ACME_SECRETS]", "[]", "acme.yaml:3: secrets: "),
    ("[OMS_ACME_SECRETS]", "OMS_ACME_SECRETS", "acme.yaml:3: secrets: "),
    # twice
    ("  printed:", "  packed:", "acme.yaml:11: 'packed' stands twice in one block"),
    ("type: /event", "type: /event\ntype: /other", "acme.yaml:5: 'type' stands twice"),
    ("[ping]", "[ping, packed]", "acme.yaml:13: ignore.1: 'packed' stands in events too"),
    ("[ping]", "\n  - ping\n  - ping", "acme.yaml:15: ignore.1: 'ping' stands here twice"),
    # time
    ("{at: /at}", "{at: /at, format: iso}", "acme.yaml:5: occurred_at.format: give one of rfc3339"),
    ("{at: /at}", '{at: /at, format: "%d.%m. %H:%M", zone: UTC}', "acme.yaml:5: occurred_at.format: give one of"),
    ("{at: /at}", '{at: /at, format: "%Y-%m-%d %I:%M", zone: UTC}', "acme.yaml:5: occurred_at.format: give one of"),
    ("{at: /at}", '{at: /at, format: "%Y-%m-%d %Q", zone: UTC}', "acme.yaml:5: occurred_at.format: give one of"),
    ("{at: /at}", '{at: /at, format: "%Y-%m-%d %H:%M"}', "acme.yaml:5: occurred_at: a format without %z needs a zone"),
    ("{at: /at}", "{at: /at, format: epoch_s, zone: UTC}", "acme.yaml:5: occurred_at: a time with its own offset"),
    ("{at: /at}", "{at: /at, zone: Mars/Base}", "acme.yaml:5: occurred_at.zone: 'Mars/Base' is not a time zone"),
    # keys
    ('"{source}:{child_no}:{kind}"', '"{child_no}:{kind}"', "acme.yaml:10: events.packed: a key begins with {source}:"),
    ('"{source}:{child_no}:{kind}"', '"wechat:pay:{child_no}:{kind}"', "events.packed: a key begins with {source}:"),
    ('"{source}:{child_no}:{kind}"', '"{source}:{child_no}"', "events.packed: a key holds {kind} or {type}"),
    ('"{source}:{child_no}:{kind}"', '"{source}:{kind}"', "events.packed: a key holds one of order_no, child_no"),
    ('"{source}:{child_no}:{kind}"', '"{source}:{order_no}:{kind}"', "the key uses {order_no}, which is not there"),
    ('"{source}:{child_no}:{kind}"', '"{source}:{child_no!r}:{kind}"', "a key may only hold plain {name} places"),
    ('"{source}:{child_no}:{kind}"', '"{source}:{child_no.x}:{kind}"', "the key uses {child_no.x}, which is not"),
    ('"{source}:{child_no}:{kind}"', '"{source}:{child_no:{kind}"', "is not a template"),
    ('"{source}:{child_no}:{kind}"', '"{source}:{child_no} {kind}"', "between its places a key holds"),
    (
        "{at: /order}",
        "{at: /order, optional: true}",
        "acme.yaml:10: events.packed: PACKED needs child_no or waybill_no",
    ),
    ("{at: /order}", "{at: /o, optional: true}\n  waybill_no: {at: /w}", "uses {child_no}, which is optional"),
    ("kind: PICKING", "kind: PICKING\n    key: x", "acme.yaml:13: events.printed.key: a key begins with"),
    # what a kind needs
    ("kind: PACKED", "kind: WAYBILL_RETURNED", "acme.yaml:10: events.packed: WAYBILL_RETURNED needs waybill_no"),
    ("kind: PACKED", "kind: SHORT_PICKED", "acme.yaml:10: events.packed: SHORT_PICKED needs actual"),
    ("kind: PACKED", "kind: PAYMENT_SUCCEEDED", "PAYMENT_SUCCEEDED needs amount_minor"),
    ("kind: PACKED", "kind: REFUND_SUCCEEDED", "REFUND_SUCCEEDED needs refund_no"),
    ("kind: PACKED", "kind: COURIER_EXCEPTION", "its key needs {occurred_at}"),
    ("kind: PACKED", "kind: BUYER_REMARK", "its key needs {occurred_at}"),
    # not plain data
    ("[ping]", "!!python/object/apply:os.system [ls]", "acme.yaml:13: the tag tag:yaml.org,2002:python/object/apply"),
    ("[ping]", "!!set {ping}", "acme.yaml:13: the tag tag:yaml.org,2002:set is not read"),
    ("[ping]", "!x [ping]", "acme.yaml:13: the tag !x is not read"),
    ("[ping]", "[&a ping, *a]", "acme.yaml:13: aliases (*name) are not read"),
    ("[ping]", "[ping", "acme.yaml:14: "),
    ("[ping]", "{[a]: b}", "acme.yaml:13: a name must be one word"),
    ("type: /event", "<<: {type: /event}", "acme.yaml:4: <<: Extra inputs"),
    ("type: /event", "type: 5", "acme.yaml:4: type: Input should be a valid string"),
]


@pytest.mark.parametrize(("old", "new", "told"), REFUSALS)
def test_a_mapping_that_cannot_be_meant_is_refused_with_line_and_place(old: str, new: str, told: str) -> None:
    assert old in GOOD
    assert told in refusal(GOOD.replace(old, new, 1))


def test_every_fault_is_told_at_once() -> None:
    lines = refusal(GOOD.replace("version: 1", "version: 2").replace("/event", "event")).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["acme.yaml:1:", "acme.yaml:4:"]


def test_a_secret_written_into_the_file_is_not_shown() -> None:
    assert "whsec_c2VjcmV0" not in refusal(GOOD.replace("OMS_ACME_SECRETS", "whsec_c2VjcmV0"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UnableToMap, match=str(path)):
            load_mapping(path)


@pytest.mark.parametrize("text", ["", "# nothing", "\ufeff", "[]", "x", "5", "[" * 10_000, "x" * 300_000])
def test_what_is_not_a_mapping_is_refused(text: str) -> None:
    assert refusal(text).startswith("acme.yaml:")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with pytest.raises(UnableToMap):
        read_mapping(raw, "acme.yaml")
    with pytest.raises(UnableToMap):
        read_mapping(GOOD.encode() + b"\nextra: " + raw, "acme.yaml")


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/a/b", 1),
        ("/l/1/x", 3),
        ("/l/2", None),
        ("/l/01", None),
        ("/l/-1", None),
        ("/l/-", None),
        ("/l/x", None),
        ("/a/b/c", None),
        ("/s/0", None),
        ("/a~1b", 4),
        ("/m~0n", 5),
        ("/~01", 6),
        ("/none", None),
    ],
)
def test_a_place_is_found_or_is_nothing(pointer: str, value: int | None) -> None:
    body = {"a": {"b": 1}, "l": [2, {"x": 3}], "s": "text", "a/b": 4, "m~n": 5, "~1": 6}
    assert find(body, pointer) == value
