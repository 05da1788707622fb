"""What anybody may send: every type of JSON, what is no JSON, and more of it than anybody means."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from domain.facts import Fact
from domain.trust.seals import SEAL, SEALED_BY, SEALED_FOR, SEALED_SINCE
from tests.raw_messages import STRANGE, raw

Arguments = Sequence[Any]


def payload(data: bytes, **metadata: bytes) -> RawValue:
    return RawValue(Payload(metadata={"encoding": b"json/plain"} | metadata, data=data))


SEALED: Mapping[str, Arguments] = {
    "sealed by nobody": [payload(b"{}", **{SEAL: b""})],
    "a seal of other bytes": [payload(b"{}", **{SEAL: b"worker.1:workflow:" + b"0" * 64})],
    "a seal of no text": [payload(b"{}", **{SEAL: b"\xff\xfe:\x00"})],
    "a seal without end": [payload(b"{}", **{SEAL: b":" * 50_000})],
    "who says it is a worker's": [payload(b"{}", **{SEALED_BY: b"worker", SEALED_FOR: b"workflow"})],
    "who says since when": [payload(b"{}", **{SEALED_BY: b"worker", SEALED_SINCE: b"9999-99-99"})],
    "since no text": [payload(b"{}", **{SEALED_SINCE: b"\xff"})],
    "since a day without a zone": [payload(b"{}", **{SEALED_BY: b"", SEALED_SINCE: b"2099-01-01T00:00:00"})],
}
NO_JSON: Mapping[str, Arguments] = {
    "text that is no UTF-8": [raw(b"\xff\xfe\x00")],
    "UTF-16": [raw('{"by": "ops"}'.encode("utf-16"))],
    "a byte order mark": [raw(b"\xef\xbb\xbf{}")],
    "half of a pair": [raw('"\\ud800"')],
    "half of a pair for a name": [raw('{"\\udfff": "\\ud800"}')],
    "a key twice": [raw('{"by": "a", "by": "b"}')],
    "JSON and more": [raw("{} {}")],
    "nothing at all": [raw("")],
    "an encoding that is no text": [RawValue(Payload(metadata={"encoding": b"\xff"}, data=b"{}"))],
    "protocol buffers": [payload(b"\x08", encoding=b"binary/protobuf", messageType=b"x")],
    "protocol buffers as JSON": [payload(b"{}", encoding=b"json/protobuf", messageType=b"x")],
    "null with data": [payload(b"{}", encoding=b"binary/null")],
    "what a codec would have to open": [payload(b"\x00" * 40, encoding=b"binary/encrypted")],
}
SCALARS = ("true", "false", "0", "-0.0", "1.5", "1e999", "-1e999", "NaN", "Infinity", '""', '"\\u0000"', "9" * 5_000)
GIANT: Mapping[str, Arguments] = {
    "100,000 deep": [raw("[" * 100_000)],
    "5,000 objects deep": [raw('{"a":' * 5_000 + "1" + "}" * 5_000)],
    "a list of 50,000": [raw("[" + "0," * 49_999 + "0]")],
    "5,000 names": [raw(json.dumps({f"name {n}": n for n in range(5_000)}))],
    "a text of 100,000": [raw(json.dumps("x" * 100_000))],
    "a name of 100,000": [raw(json.dumps({"x" * 100_000: 1}))],
    "a thousand arguments": [0] * 1_000,
    "a number of 100,000 digits": [raw('{"by": ' + "7" * 100_000 + "}")],
}
LARGEST: Arguments = [raw(json.dumps({"by": "x" * 1_900_000}))]
"""The server takes no payload above 2 MB."""
EVERY: Mapping[str, Arguments] = {
    **STRANGE, **SEALED, **NO_JSON, **{f"just {text[:9]}": [raw(text)] for text in SCALARS}, **GIANT,
}  # fmt: skip

VALUES: Mapping[str, str] = {
    "null": "null", "true": "true", "a negative number": "-1", "a fraction": "0.5", "beyond 64 bits": str(2**64),
    "5,000 digits": "9" * 5_000, "not a number": "NaN", "no text": '""', "a long text": json.dumps("x" * 100_000),
    "NUL": '"\\u0000"', "another direction": '"\\u202e"', "full-width digits": '"１９"', "half of a pair": '"\\ud800"',
    "SQL": json.dumps("'; DROP TABLE orders; --"), "a list": "[]", "a list of lists": "[[[[1]]]]",
    "10,000 in a list": json.dumps([0] * 10_000), "an object": "{}", "the year 9999": '"9999-12-31T23:59:59+00:00"',
}  # fmt: skip
"""As JSON."""


def almost(model: type[BaseModel]) -> Iterator[tuple[str, Arguments]]:
    """Messages with the names of this one and something else for the values; and with one name missing."""
    names = list(model.model_fields)
    for what, value in VALUES.items():
        yield f"{what} everywhere", [raw(_object(dict.fromkeys(names, value)))]
    for name in names:
        yield f"all but {name}", [raw(_object(dict.fromkeys(set(names) - {name}, '"x"')))]


def _object(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in sorted(fields.items())) + "}"


def batches() -> Iterator[tuple[str, Arguments]]:
    """Of facts that are almost such."""
    for what, value in VALUES.items():
        yield f"facts, {what} everywhere", [raw(f'{{"facts": [{_object(dict.fromkeys(Fact.model_fields, value))}]}}')]
        yield f"facts: {what}", [raw(f'{{"facts": {value}}}')]
    for count in (500, 100_000):
        yield f"{count} facts", [raw(json.dumps({"facts": [{"key": f"k{n}"} for n in range(count)]}))]


def headers() -> Mapping[str, Payload]:
    """By what is wrong: trace headers that are none."""
    said = {
        "null": "null", "a number": "5", "a list": '["traceparent"]', "a number for a trace": '{"traceparent": 5}',
        "null in a list": '{"traceparent": [null]}', "an object for a trace": '{"traceparent": {"a": 1}}',
        "half of a pair": '{"baggage": "a=\\ud800"}', "no JSON": "{", "deep": "[" * 100_000,
        "a giant": json.dumps({"baggage": "a=" + "x" * 100_000}),
        "a state of nothing": json.dumps({"traceparent": f"00-{'1' * 32}-{'2' * 16}-01", "tracestate": 7}),
    }  # fmt: skip
    found = {what: Payload(metadata={"encoding": b"json/plain"}, data=text.encode()) for what, text in said.items()}
    return found | {
        "bytes": Payload(metadata={"encoding": b"binary/plain"}, data=b"\x00\xff"),
        "no encoding": Payload(data=b"{}"),
        "another encoding": Payload(metadata={"encoding": b"binary/klingon"}, data=b"{}"),
    }
