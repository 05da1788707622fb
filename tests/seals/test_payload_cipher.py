"""The wire format of an encrypted payload, as docs/contract/encryption.md tells it to other languages."""

import base64
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext

from domain.trust.encryption import ENCRYPTED, PayloadKeys
from tests.seals.sealed_play import workers
from wire.converter import data_converter
from wire.encrypted_payloads import CONTEXTS, PayloadCipher, UnreadablePayload

PAGE = Path(__file__).resolve().parents[2] / "docs/contract/encryption.md"
KEY = bytes(range(32))
KEYS = PayloadKeys({"2026": KEY, "2025": b"o" * 32}, own="2026")
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"by":"ops"}')
HERE = "order/SO1"


def test_the_pages_example_is_read(tmp_path: Path) -> None:
    """Its bytes were made by hand, with a nonce of twelve 0x07."""
    (shown,) = re.findall(r"^BwcH[A-Za-z0-9+/=]+$", PAGE.read_text(), re.M)
    payload = Payload(
        metadata={"encoding": ENCRYPTED, "encryption-key-id": b"2026", "encryption-workflow-id": HERE.encode()},
        data=base64.b64decode(shown),
    )
    made = AESGCM(KEY).encrypt(b"\7" * 12, PLAIN.SerializeToString(), b"binary/encrypted:2026:order/SO1")
    assert payload.data == b"\7" * 12 + made
    assert PayloadCipher(KEYS).decrypted(payload, HERE) == PLAIN


def test_what_we_write_is_what_the_page_says() -> None:
    made = PayloadCipher(KEYS).encrypted(PLAIN, HERE)
    assert {name: value.decode() for name, value in made.metadata.items()} == {
        "encoding": "binary/encrypted", "encryption-key-id": "2026", "encryption-workflow-id": HERE,
    }  # fmt: skip
    nonce, sealed = made.data[:12], made.data[12:]
    assert AESGCM(KEY).decrypt(nonce, sealed, b"binary/encrypted:2026:order/SO1") == PLAIN.SerializeToString()
    assert PayloadCipher(KEYS).encrypted(PLAIN, HERE).data[:12] != nonce


def test_what_a_sample_of_another_sdk_writes_is_read() -> None:
    """Those know no workflow, so nothing is bound to one."""
    data = b"\7" * 12 + AESGCM(KEY).encrypt(b"\7" * 12, PLAIN.SerializeToString(), None)
    told = Payload(metadata={"encoding": ENCRYPTED, "encryption-key-id": b"2026"}, data=data)
    assert PayloadCipher(KEYS).decrypted(told, HERE) == PLAIN


def test_who_reads_for_the_same_workflow_is_made_once() -> None:
    """The SDK asks for each payload of a message, three times over."""
    whole = data_converter(None, KEYS)
    one, other = (WorkflowSerializationContext("oms", number) for number in (HERE, "order/SO2"))
    assert whole.with_context(one) is whole.with_context(one) is not whole.with_context(other)
    for number in range(10 * CONTEXTS):
        whole.with_context(WorkflowSerializationContext("oms", f"order/{number}"))
    assert whole.with_context(one) is whole.with_context(one)


def test_a_payload_is_read_in_its_workflow_alone() -> None:
    cipher = PayloadCipher(KEYS)
    made = cipher.encrypted(PLAIN, HERE)
    assert cipher.decrypted(made, HERE) == cipher.decrypted(made, None) == PLAIN
    with pytest.raises(UnreadablePayload):
        cipher.decrypted(made, "order/SO2")
    made.metadata["encryption-workflow-id"] = b"order/SO2"
    for found_in in ("order/SO2", None):
        with pytest.raises(UnreadablePayload, match="payload key 2026, which is not here"):
            cipher.decrypted(made, found_in)


def test_what_is_in_clear_is_read_as_it_is_and_without_a_key_of_ones_own_written_so() -> None:
    for keys in (None, KEYS, PayloadKeys(KEYS.keys, own=None)):
        assert PayloadCipher(keys).decrypted(PLAIN, HERE) is PLAIN
    assert PayloadCipher(PayloadKeys(KEYS.keys, own=None)).encrypted(PLAIN, HERE) is PLAIN
    assert PayloadCipher(None).encrypted(PLAIN, HERE) is PLAIN


WORKFLOW = WorkflowSerializationContext(namespace="default", workflow_id=HERE)


def activity(*, local: bool) -> ActivitySerializationContext:
    return ActivitySerializationContext(
        namespace="default", activity_id="1", activity_type="store.write", activity_task_queue="q", workflow_id=HERE,
        workflow_type="Order", is_local=local,
    )  # fmt: skip


@pytest.mark.parametrize("context", [WORKFLOW, activity(local=False), activity(local=True)], ids=repr)
async def test_every_way_of_a_workers_words_is_bound_to_their_workflow(
    context: WorkflowSerializationContext | ActivitySerializationContext,
) -> None:
    """Results of local activities stand in the history, too."""
    converter = data_converter(workers(), KEYS).with_context(context)
    (made,) = await converter.encode(["Canary"])
    assert made.metadata["encryption-workflow-id"] == HERE.encode()
    assert b"Canary" not in made.SerializeToString()
    assert await converter.decode([made]) == ["Canary"]


async def test_a_local_activitys_answer_without_its_key_fails_no_workflow() -> None:
    """An `ApplicationError` here would end the workflow; any other error waits for a worker that has the key."""
    (made,) = await data_converter(workers(), KEYS).with_context(activity(local=True)).encode(["x"])
    elsewhere = data_converter(workers(), PayloadKeys({"2025": b"o" * 32}, own="2025"))
    with pytest.raises(UnreadablePayload):
        await elsewhere.with_context(activity(local=True)).decode([made])
    assert await elsewhere.with_context(WORKFLOW).decode([made], [RawValue]) != ["x"]
