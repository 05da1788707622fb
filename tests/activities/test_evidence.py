"""The evidence desk: who may add and see pictures, how many, and what is left when something goes wrong."""

import asyncio
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from activities.evidence import EvidenceRefused, EvidenceService, StoredEvidence, Upload
from domain.returns.models import Actor
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.returns import evidence as evidence_rows
from store.returns.evidence import EvidenceStore
from store.returns.evidence_storage import Vault, VaultFull
from store.stock.ledger import StockStore
from tests.postgres import database_url, pool
from tests.store.cases import LATER, POLICY, an_application, an_arrived_order
from tests.store.examples import an_order

__all__ = ["database_url", "pool"]
BUYER = Actor(kind="buyer", id="b-1")
DESK = Actor(kind="cs_agent", id="u-warehouse")


@pytest.fixture
async def order(pool: Pool) -> str:
    return await an_arrived_order(OrderStore(pool), StockStore(pool))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


@pytest.fixture
def desk(pool: Pool, folder: Path, order: str) -> EvidenceService:
    return EvidenceService(EvidenceStore(pool), Vault.at(folder.as_uri()))


def an_upload(**changes: Any) -> Upload:
    fields = {"return_no": "RT20261120", "order_no": "SO20261120", "actor": BUYER, "at": LATER}
    return Upload(**{**fields, **changes})


def a_picture() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "JPEG")
    return out.getvalue()


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


async def refused(adding: Any) -> str:
    with pytest.raises(EvidenceRefused) as refusal:
        await adding
    return refusal.value.code


async def test_a_picture_goes_in_and_comes_out_as_a_download(desk: EvidenceService, folder: Path) -> None:
    stored = await desk.add(an_upload(), a_picture())
    got = await desk.fetch("RT20261120", stored.evidence_id, "b-1", staff=False)
    assert Image.open(io.BytesIO(got.content)).size == (256, 256)
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert [p.stem for p in files(folder)] == [stored.evidence_id]


async def test_nine_pictures_make_an_application_and_a_tenth_is_refused_even_at_once(
    desk: EvidenceService, folder: Path
) -> None:
    answers = await asyncio.gather(*(desk.add(an_upload(), a_picture()) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(a, StoredEvidence) for a in answers) == 9
    assert {a.code for a in answers if isinstance(a, EvidenceRefused)} == {"QUOTA"}
    assert len(files(folder)) == 9


async def test_new_return_numbers_do_not_get_around_the_quota_of_an_order(
    desk: EvidenceService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_rows, "PER_ORDER", 3)
    for n in range(3):
        await desk.add(an_upload(return_no=f"RT-MANY-{n}"), a_picture())
    assert await refused(desk.add(an_upload(return_no="RT-MANY-4"), a_picture())) == "QUOTA"
    assert len(files(folder)) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": Actor(kind="buyer", id="b-2")},
        {"actor": Actor(kind="cs_agent", id="u-1")},
        {"actor": Actor(kind="cs_agent", id="u-1", on_behalf_of="b-2")},
        {"order_no": "SO-NOT-THERE"},
        {"purpose": "inspection"},
        {"purpose": "inspection", "actor": DESK},
    ],
    ids=["stranger", "staff for nobody", "staff for a stranger", "no such order", "no case yet", "desk without case"],
)
async def test_strangers_add_nothing(desk: EvidenceService, folder: Path, changes: dict[str, Any]) -> None:
    assert await refused(desk.add(an_upload(**changes), a_picture())) == "FORBIDDEN"
    assert files(folder) == []


async def test_strangers_see_nothing_and_learn_nothing(desk: EvidenceService) -> None:
    stored = await desk.add(an_upload(), a_picture())
    seen = await refused(desk.fetch("RT20261120", stored.evidence_id, "b-2", staff=False))
    assert seen == await refused(desk.fetch("RT20261120", "0" * 32, "b-2", staff=False)) == "UNKNOWN"
    assert await refused(desk.fetch("RT-OTHERS", stored.evidence_id, "b-1", staff=False)) == "UNKNOWN"
    await desk.fetch("RT20261120", stored.evidence_id, "u-1", staff=True)


async def test_a_return_number_with_pictures_of_one_order_takes_none_of_another(
    desk: EvidenceService, pool: Pool
) -> None:
    await OrderStore(pool).register(an_order("SO-OTHER-1"), "run-1", LATER)
    await desk.add(an_upload(), a_picture())
    assert await refused(desk.add(an_upload(order_no="SO-OTHER-1"), a_picture())) == "QUOTA"


async def test_uploaded_pictures_admit_an_application_and_invented_ones_do_not(
    desk: EvidenceService, pool: Pool
) -> None:
    stored = await desk.add(an_upload(), a_picture())
    returns = ReturnStore(pool)
    with pytest.raises(Exception, match="EVIDENCE_UNKNOWN"):
        await returns.admit(an_application(evidence=(stored.evidence_id, "0" * 32)), "run-1", LATER, POLICY)
    await returns.admit(an_application(evidence=(stored.evidence_id,)), "run-1", LATER, POLICY)
    at_the_desk = an_upload(purpose="inspection", actor=DESK, at=LATER + timedelta(days=1))
    assert (await desk.add(at_the_desk, a_picture())).content_type == "image/jpeg"


async def test_a_full_store_refuses_the_picture_and_leaves_the_order_alone(
    desk: EvidenceService, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise VaultFull("the evidence store is full; make room and upload again")

    monkeypatch.setattr(Vault, "put", full)
    assert await refused(desk.add(an_upload(), a_picture())) == "STORE_FULL"
    assert await pool.fetchval("SELECT count(*) FROM return_evidence") == 0


@pytest.mark.parametrize(
    ("content", "code"), [(b"<svg/>", "NOT_AN_IMAGE"), (a_picture()[:200], "TRUNCATED"), (b"", "EMPTY")]
)
async def test_what_is_no_picture_leaves_nothing(
    desk: EvidenceService, folder: Path, content: bytes, code: str
) -> None:
    assert await refused(desk.add(an_upload(), content)) == code
    assert files(folder) == []
