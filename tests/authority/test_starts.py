"""An order is taken from a service that proves itself, for exactly this message, buyer and channel (decision 0049)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.approvers import SHOP
from bench.scenarios.order import start_order
from domain.access.authority import START, Binding, ProofCode, message_hash
from domain.order import StartOrder
from domain.states import OrderStatus
from providers.tokens.issue import issue_proof, key_set, read_key
from providers.tokens.verify import LONGEST_WAIT
from starter.clients.errors import CommandRefused
from starter.clients.orders import OrderClient
from tests.authority.sender import FOREIGN
from tests.returns.orders import cups
from workflows.messages import ORDER_WORKFLOW, TASK_QUEUE

DAY = timedelta(days=1)
VECTOR = json.loads((Path(__file__).parents[2] / "docs/contract/start-proof.json").read_text(encoding="utf-8"))


async def an_order(house: ScenarioEnvironment) -> StartOrder:
    order = start_order(cups(), house.now())
    for line in order.lines:
        assert line.tags is not None
        await house.receive(line.sku, line.tags.warehouse, line.qty)
    return order


def client(house: ScenarioEnvironment, caller: str | None = SHOP, **changed: Any) -> OrderClient:
    async def prove(binding: Binding, by: str) -> str:
        made: dict[str, Any] = {"key": house.office.shop_key, "issuer": SHOP, "on_behalf_of": by} | changed
        if "binding" in made:
            binding = made.pop("binding")
        return house.office.proof(str(caller), binding, **made)

    return OrderClient(house.temporal, prover=None if caller is None else prove)


async def refused(house: ScenarioEnvironment, order: StartOrder, by: OrderClient) -> str:
    with pytest.raises(CommandRefused) as error:
        await by.start(order)
    assert not await house.pool.fetchval("SELECT count(*) FROM orders")
    assert await house.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'command.refused'") == 1
    return error.value.type


ATTEMPTS: dict[str, tuple[str | None, dict[str, Any], ProofCode]] = {
    "nobody": (None, {}, ProofCode.PROOF_REQUIRED),
    "a foreign key": (SHOP, {"key": FOREIGN}, ProofCode.TOKEN_INVALID),
    "for another buyer": (SHOP, {"on_behalf_of": "B-OTHER"}, ProofCode.NOT_THE_SENDER),
    "for nobody": (SHOP, {"on_behalf_of": None}, ProofCode.NOT_THE_SENDER),
    "too old": (SHOP, {"now": datetime(2020, 1, 1, tzinfo=UTC)}, ProofCode.TOKEN_EXPIRED),
    "for another message": (SHOP, {"binding": Binding("order/SO26112001", "order.start", "0" * 64)},
                            ProofCode.PROOF_MISMATCH),
    "for another command": (SHOP, {"binding": Binding("order/SO26112001", "order.cancel", "0" * 64)},
                            ProofCode.PROOF_MISMATCH),
}  # fmt: skip


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_a_start_that_no_service_has_proven_leaves_an_audit_row_and_nothing_else(
    house: ScenarioEnvironment, attempt: str
) -> None:
    caller, changed, code = ATTEMPTS[attempt]
    order = await an_order(house)
    assert await refused(house, order, client(house, caller, **changed)) == code
    placed = await client(house).start(order)  # the number stays free for the genuine one
    assert placed.order_no == order.order_no


async def test_a_proven_start_is_registered_without_its_proof_and_says_who_it_was(house: ScenarioEnvironment) -> None:
    order = await an_order(house)
    await client(house).start(order)
    assert (await house.client.view(order.order_no)).status is OrderStatus.PENDING_PAYMENT
    start = await house.pool.fetchval("SELECT start FROM orders")
    assert start["proof"] is None
    row = await house.pool.fetchrow("SELECT actor, detail FROM audit WHERE action = 'command.admitted'")
    assert row is not None
    assert (row["actor"], row["detail"]["on_behalf_of"]) == (SHOP, order.buyer.buyer_id)


@pytest.mark.parametrize(
    ("waits", "left"),
    [(timedelta(hours=48), OrderStatus.PENDING_PAYMENT), (LONGEST_WAIT + timedelta(minutes=1), None)],
    ids=["two days", "too long"],
)
async def test_a_start_that_no_worker_had_time_for_counts_by_when_it_came_and_not_for_ever(
    house: ScenarioEnvironment, waits: timedelta, left: OrderStatus | None
) -> None:
    order = await an_order(house)
    order = order.model_copy(update={"payment": order.payment.model_copy(update={"deadline": house.now() + 9 * DAY})})
    binding = Binding(f"order/{order.order_no}", START, message_hash(order.model_dump(mode="json")))
    proof = house.office.proof(
        SHOP, binding, key=house.office.shop_key, issuer=SHOP, on_behalf_of=order.buyer.buyer_id,
        life=timedelta(minutes=1),
    )  # fmt: skip
    message = order.model_dump(mode="json") | {"proof": proof}
    await house.temporal.start_workflow(
        ORDER_WORKFLOW, message, id=binding.workflow_id, task_queue=TASK_QUEUE, start_delay=waits
    )
    await house.pass_until(house.now() + waits + timedelta(minutes=1))
    assert await house.pool.fetchval("SELECT status FROM orders") == left
    refused = await house.pool.fetchval("SELECT detail ->> 'code' FROM audit WHERE action = 'command.refused'")
    assert refused == (None if left else ProofCode.TOKEN_EXPIRED)


async def test_another_price_than_was_signed_is_refused(house: ScenarioEnvironment) -> None:
    order = await an_order(house)
    cheap = order.model_copy(
        update={"lines": (order.lines[0].model_copy(update={"unit_price_minor": 1}),), "payable_minor": 2}
    )
    signed_for = Binding(f"order/{order.order_no}", "order.start", message_hash(order.model_dump(mode="json")))
    assert await refused(house, cheap, client(house, binding=signed_for)) == ProofCode.PROOF_MISMATCH


async def test_a_service_starts_orders_of_its_own_channels_only(house: ScenarioEnvironment) -> None:
    order = await an_order(house)
    house.office.channels[SHOP] = ("another-shop",)
    assert await refused(house, order, client(house)) == ProofCode.WRONG_ROLE
    house.office.channels[SHOP] = (order.channel,)
    assert (await client(house).start(order)).order_no == order.order_no


def test_the_vector_of_the_contract_comes_out_of_its_message_and_key() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTOR["private_seed_hex"]))
    key = read_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    assert key_set(key) == VECTOR["public_jwks"]
    message, claims = VECTOR["message"], VECTOR["claims"]
    text = json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert text == VECTOR["canonical"] and message_hash(message) == VECTOR["content_hash"] == claims["content_hash"]
    made = issue_proof(
        key, claims["sub"], Binding(claims["workflow_id"], claims["command"], claims["content_hash"]),
        token_id=claims["jti"], issuer=claims["iss"], audience=claims["aud"],
        now=datetime.fromtimestamp(claims["iat"], UTC), life=timedelta(seconds=claims["exp"] - claims["iat"]),
        on_behalf_of=claims["on_behalf_of"],
    )  # fmt: skip
    assert made == VECTOR["jws"]
    StartOrder.model_validate_json(json.dumps({**message, "proof": made}), strict=True)
