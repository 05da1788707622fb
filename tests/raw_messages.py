"""Messages as a stranger's client may send them: what no declared type protects a workflow from."""

from collections.abc import Mapping, Sequence
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue


def raw(data: bytes | str, encoding: bytes = b"json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding}, data=data.encode() if isinstance(data, str) else data))


# As the SDK says that a message lies in an external storage; we have none.
ELSEWHERE = RawValue(
    Payload(
        metadata={"encoding": b"json/protobuf", "messageType": b"temporal.api.sdk.v1.ExternalStorageReference"},
        data=b"{}",
    )
)
MARKED = RawValue(
    Payload(metadata={"encoding": b"json/plain", "__temporal_external_storage_reference": b"true"}, data=b"{}")
)
STRANGE: Mapping[str, Sequence[Any]] = {
    "nothing": [],
    "null": [None],
    "null as JSON": [raw("null")],
    "bytes": [b"\x00\xff"],
    "another encoding": [raw("{}", b"binary/klingon")],
    "no encoding": [RawValue(Payload(data=b"{}"))],
    "no JSON": [raw("{")],
    "what lies elsewhere": [raw("{}", b"json/external-storage-reference")],
    "what lies elsewhere, as protobuf": [ELSEWHERE],
    "marked as lying elsewhere": [MARKED],
    "a list": [[]],
    "a text": ["yes"],
    "two arguments": [{}, {}],
    "two, one of them null": [{}, None],
    "two, not decodable": [raw("{", b"x"), raw("{", b"x")],
    "unknown fields": [{"by": "ops", "shoe_size": 44}],
}


def updates_of(definition: type[Any]) -> list[str]:
    """Names of all updates of a workflow."""
    found = workflow._Definition.must_from_class(definition).updates
    return sorted(name for name in found if name is not None)
