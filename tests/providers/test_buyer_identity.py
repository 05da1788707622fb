"""Documents of goods that cross the border name the buyer by one reference; others do not name him (R38)."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from domain.order import Buyer
from providers.qimen.documents import create
from providers.qimen.models import PushOutbound, QimenLine
from tests.providers.test_sf import TO


@pytest.mark.parametrize("identity", ["sha256:1f2e", None])
def test_the_outbound_order_carries_the_reference_only_where_there_is_one(identity: str | None) -> None:
    order = PushOutbound(
        child_no="SO-1-01", warehouse="BW-1", placed_at=datetime(2026, 3, 2, tzinfo=UTC), receiver=TO,
        lines=(QimenLine(line_id="L1", sku="A", qty=1),), buyer_identity=identity,
    )  # fmt: skip
    found = dict(create(order))  # type: ignore[arg-type]
    assert ("extendProps" in found) is (identity is not None)
    assert "sha256:1f2e" in str(found) or identity is None


@pytest.mark.parametrize("number", ["11010519491231002X", "110105194912310", "110105194912310021"])
def test_an_identity_number_in_place_of_a_reference_is_refused(number: str) -> None:
    with pytest.raises(ValidationError, match="reference or a hash"):
        Buyer(buyer_id="b-1", identity_ref=number)


def test_without_a_reference_the_shops_own_number_of_the_buyer_stands_for_him() -> None:
    assert Buyer(buyer_id="b-1").identity == "b-1"
    assert Buyer(buyer_id="b-1", identity_ref="vault/77").identity == "vault/77"
