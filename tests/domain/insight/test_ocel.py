"""The event log is OCEL 2.0: valid by its schema, every relation leads somewhere, every name is declared."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from jsonschema import Draft7Validator

from domain.insight.lives import (
    LoggedChild,
    LoggedFact,
    LoggedPackage,
    LoggedPayment,
    LoggedRefund,
    LoggedReturn,
    LoggedStep,
    OrderLife,
)
from domain.insight.ocel import OcelLog

T = datetime(2026, 10, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def several(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


TEXT = {"type": "string"}
RELATIONS = several(an_object(["objectId", "qualifier"], objectId=TEXT, qualifier=TEXT))
TYPES = several(an_object(["name", "attributes"], name=TEXT,
                          attributes=several(an_object(["name", "type"], name=TEXT, type=TEXT))))  # fmt: skip
SCHEMA = an_object(
    ["eventTypes", "objectTypes", "events", "objects"],
    eventTypes=TYPES,
    objectTypes=TYPES,
    events=several(
        an_object(
            ["id", "type", "time"], id=TEXT, type=TEXT, time=TEXT, relationships=RELATIONS,
            attributes=several(an_object(["name", "value"], name=TEXT, value=TEXT)),
        )
    ),
    objects=several(
        an_object(
            ["id", "type"], id=TEXT, type=TEXT, relationships=RELATIONS,
            attributes=several(an_object(["name", "value", "time"], name=TEXT, value=TEXT, time=TEXT)),
        )
    ),
)  # fmt: skip
"""What the schema of OCEL 2.0's JSON format asks for (ocel-standard.org, Specification 2.0 of 2023-10-16, draft-07);
that times are RFC 3339 is looked at beside."""


def a_fact(id: int, kind: str, to: str, key: str = "", child: str | None = "SO1-01") -> LoggedFact:
    at = T + id * HOUR
    return LoggedFact(id, key or f"kuaidi100:YT1:{kind}", kind, "kuaidi100", at, at, child, "", to)


def a_life(order_no: str = "SO1", **known: Any) -> OrderLife:
    fields: dict[str, Any] = {
        "children": [
            LoggedChild(f"{order_no}-01", "SHIPMENT", "WH-1", "YTO", 6_000,
                        packages=[LoggedPackage("YTO", "YT1"), LoggedPackage("YTO", "YT2")]),
            LoggedChild(f"{order_no}-02", "EXCHANGE", "WH-2", None, 4_000, return_no="RT1"),
        ],
        "payments": [LoggedPayment("wechat", 10_000, T + HOUR)],
        "refunds": [LoggedRefund("RF1", "RT1", 2_000, T + 50 * HOUR, T + 51 * HOUR)],
        "returns": [
            LoggedReturn("RT1", "return_refund", "damaged", "seller", T + 40 * HOUR,
                         [LoggedStep(1, T + 40 * HOUR, "buyer", "return.apply", "APPLIED")])
        ],
        "facts": [
            a_fact(1, "PAYMENT_SUCCEEDED", "AWAITING_SHIPMENT", child=None), a_fact(2, "COLLECTED", "SHIPPED"),
            a_fact(3, "IN_TRANSIT", "IN_TRANSIT"), a_fact(4, "SIGNED", "SIGNED"),
        ],
    }  # fmt: skip
    return OrderLife(order_no, "shop", "normal", "CNY", 10_000, T, **(fields | known))


def written(*lives: OrderLife) -> dict[str, Any]:
    log = OcelLog()
    made: dict[str, Any] = json.loads(log.begin() + "".join(map(log.add, lives)) + log.end())
    assert (log.events, log.objects) == (len(made["events"]), len(made["objects"]))
    return made


def event(log: dict[str, Any], type_: str) -> dict[str, Any]:
    (found,) = [e for e in log["events"] if e["type"] == type_]
    return found  # type: ignore[no-any-return]


def test_the_log_is_valid_by_the_schema_of_the_standard_empty_or_not() -> None:
    Draft7Validator.check_schema(SCHEMA)
    for log in (written(), written(a_life()), written(a_life(), OrderLife("SO9", "shop", "normal", "CNY", 1, T))):
        assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(log)] == []
        for told in (*log["events"], *(a for o in log["objects"] for a in o["attributes"])):
            assert datetime.fromisoformat(told["time"]).tzinfo is not None
    broken = written(a_life())
    broken["objects"][0]["attributes"][0]["value"] = 5
    assert not Draft7Validator(SCHEMA).is_valid(broken)


def test_every_relation_leads_to_an_object_and_every_type_and_attribute_is_declared() -> None:
    log = written(a_life(), a_life("SO2", refunds=(), returns=(), facts=()))
    ids = [thing["id"] for thing in log["objects"]]
    assert len(set(ids)) == len(ids) and {o["type"] for o in log["objects"]} == {t["name"] for t in log["objectTypes"]}
    for things, types in ((log["objects"], log["objectTypes"]), (log["events"], log["eventTypes"])):
        declared = {t["name"]: {a["name"] for a in t["attributes"]} for t in types}
        for thing in things:
            assert {a["name"] for a in thing["attributes"]} <= declared[thing["type"]]
    said = [r["objectId"] for thing in (*log["objects"], *log["events"]) for r in thing["relationships"]]
    assert set(said) <= set(ids)


def test_an_event_names_each_thing_that_it_is_about_and_in_what_part() -> None:
    log = written(a_life())

    def about(type_: str) -> set[tuple[str, str]]:
        return {(r["qualifier"], r["objectId"]) for r in event(log, type_)["relationships"]}

    assert about("order placed") == {("order", "order:SO1")}
    assert about("order paid") == {("order", "order:SO1"), ("payment", "payment:SO1/1")}
    assert about("SIGNED") == {("order", "order:SO1"), ("child", "child:SO1-01"), ("package", "package:YTO/YT1")}
    assert about("refund succeeded") == {("order", "order:SO1"), ("refund", "refund:RF1"), ("reason", "return:RT1")}
    assert about("return.apply") == {("return", "return:RT1"), ("order", "order:SO1")}
    assert "PAYMENT_SUCCEEDED" not in {e["type"] for e in log["events"]}, "told by the payment itself"


def test_a_fact_that_names_none_of_several_packages_is_of_the_child_only() -> None:
    log = written(a_life(facts=[a_fact(1, "SIGNED", "SIGNED", key="kuaidi100:other:SIGNED")]))
    assert [r["qualifier"] for r in event(log, "SIGNED")["relationships"]] == ["order", "child"]


def test_a_status_is_an_attribute_of_its_time_once_each_time_that_it_changes() -> None:
    (child,) = [o for o in written(a_life())["objects"] if o["id"] == "child:SO1-01"]
    statuses = [(a["value"], a["time"]) for a in child["attributes"] if a["name"] == "status"]
    assert statuses == [(v, (T + n * HOUR).isoformat()) for n, v in ((2, "SHIPPED"), (3, "IN_TRANSIT"), (4, "SIGNED"))]


def test_a_package_of_two_orders_is_one_object_and_the_same_lives_are_the_same_text() -> None:
    lives = (a_life(), a_life("SO2", refunds=(), returns=(), facts=()))
    log = written(*lives)
    assert [o["id"] for o in log["objects"]].count("package:YTO/YT1") == 1
    assert written(*lives) == log
