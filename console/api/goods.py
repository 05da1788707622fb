"""Stock and the catalogue: looked at, goods received, SKUs put."""

import base64
import json
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from console.api.callers import Caller, Scoped, refuse
from console.api.once import Key, once, own_number
from console.api.problems import CHANGING, READING, ApiProblem, FieldFault, may_answer
from console.api.reading import own_cursor, read_json, takes
from domain.access.api_tokens import ApiScope
from domain.access.desk import PutSkus, ReceiveGoods
from domain.catalog.records import SkuRecord
from domain.order import Id, Qty, Sku, Tag
from domain.strict import Strict
from store.console.goods import BookedMove, GoodsPages
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockBalance, StockStore

router = APIRouter(tags=["stock and catalogue"])
SEES_STOCK = Annotated[Caller, Depends(Scoped(ApiScope.STOCK_READ))]
RECEIVES = Annotated[Caller, Depends(Scoped(ApiScope.STOCK_WRITE))]
SEES_SKUS = Annotated[Caller, Depends(Scoped(ApiScope.CATALOG_READ))]
PUTS = Annotated[Caller, Depends(Scoped(ApiScope.CATALOG_WRITE))]


class StockListed(BaseModel):
    stock: list[StockBalance]
    next: str | None


class MovesListed(BaseModel):
    moves: Sequence[BookedMove]
    next: str | None


class SkusListed(BaseModel):
    skus: Sequence[SkuRecord]
    next: str | None


class ReceiptRequest(Strict):
    """`ref`: number of the goods receipt; the same one counts once."""

    sku: Sku
    warehouse: Tag
    qty: Qty
    ref: Id


class GoodsReceived(BaseModel):
    """The receipt is in the books. `told`: parcels that have waited for these goods, longest paid first."""

    ref: str
    told: list[str]


class SkusRequest(Strict):
    """Each with all that is known of it: what is left out is cleared."""

    skus: Annotated[tuple[SkuRecord, ...], Field(min_length=1, max_length=500)]


class SkusPut(BaseModel):
    added: int
    changed: int
    unchanged: int


@router.get(
    "/stock", response_model=StockListed, operation_id="listStock", summary="Units by SKU and warehouse",
    responses=may_answer(*READING),
)  # fmt: skip
async def stock(
    caller: SEES_STOCK,
    sku: Sku | None = None,
    warehouse: Tag | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str | None, Query(max_length=300)] = None,
) -> StockListed:
    store, seen = StockStore(caller.wiring.pool), caller.scope.warehouses
    found = await store.show(sku, warehouse, limit + 1, seen=seen, after=_from_cursor(after))
    page = found[:limit]
    return StockListed(stock=list(page), next=_cursor(page[-1]) if len(found) > limit else None)


@router.get(
    "/stock/moves", response_model=MovesListed, operation_id="listMoves",
    summary="Why a balance is what it is, newest first", responses=may_answer(*READING),
)  # fmt: skip
async def moves(
    caller: SEES_STOCK,
    sku: Sku,
    warehouse: Tag,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str | None, Query(max_length=300)] = None,
) -> MovesListed:
    with own_cursor():
        page = await GoodsPages(caller.wiring.pool).moves(caller.scope.warehouses, sku, warehouse, limit, after)
    return MovesListed(moves=page.moves, next=page.next)


@router.post(
    "/stock/receipts", status_code=201, response_model=GoodsReceived, operation_id="receiveGoods",
    summary="Goods have come in", responses=may_answer(*CHANGING), openapi_extra=takes(ReceiptRequest),
)  # fmt: skip
async def receive(request: Request, caller: RECEIVES, key: Key) -> Response:
    asked = await read_json(request, ReceiptRequest)
    if caller.scope.warehouses is not None and asked.warehouse not in caller.scope.warehouses:
        await refuse(request, caller, "OUT_OF_SCOPE", f"this token is not for the warehouse {asked.warehouse}")
    work = ReceiveGoods(sku=asked.sku, warehouse=asked.warehouse, qty=asked.qty, ref=asked.ref)

    async def act(attempt: int) -> GoodsReceived:
        done = await (await caller.desk()).do(work, own_number(caller, key, work, attempt), caller.id)
        return GoodsReceived(ref=asked.ref, told=done["told"])

    return await once(request, caller, key, asked, 201, act)


@router.get(
    "/catalog/skus", response_model=SkusListed, operation_id="listSkus", summary="SKUs by their number",
    responses=may_answer(*READING),
)  # fmt: skip
async def skus(
    caller: SEES_SKUS,
    untagged: Annotated[bool, Query(description="Only those without tags, which stop orders.")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[Sku | None, Query(description="`next` of the page before.")] = None,
) -> SkusListed:
    found = await CatalogStore(caller.wiring.pool).list(limit + 1, after or "", untagged=untagged)
    return SkusListed(skus=found[:limit], next=found[limit - 1].sku if len(found) > limit else None)


@router.get(
    "/catalog/skus/{sku}", response_model=SkuRecord, operation_id="getSku", summary="What is known of a SKU",
    responses=may_answer(*READING),
)  # fmt: skip
async def sku(caller: SEES_SKUS, sku: Sku) -> SkuRecord:
    found = (await CatalogStore(caller.wiring.pool).get([sku])).get(sku)
    if found is None:
        raise ApiProblem(404, "NO_SUCH_SKU", f"nothing is known of {sku}")
    return found


@router.post(
    "/catalog/skus", response_model=SkusPut, operation_id="putSkus", summary="Add SKUs, or write them anew",
    responses=may_answer(*CHANGING), openapi_extra=takes(SkusRequest),
)  # fmt: skip
async def put(request: Request, caller: PUTS, key: Key) -> Response:
    """All or none."""
    asked = await read_json(request, SkusRequest)
    work = PutSkus(skus=asked.skus, source=f"API {caller.token.token_no}")

    async def act(attempt: int) -> SkusPut:
        done = await (await caller.desk()).do(work, own_number(caller, key, work, attempt), caller.id)
        return SkusPut(**done)

    return await once(request, caller, key, asked, 200, act)


def _cursor(last: StockBalance) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.sku, last.warehouse]).encode()).decode()


def _from_cursor(after: str | None) -> tuple[str, str]:
    """Raises `ApiProblem`."""
    if after is None:
        return ("", "")
    try:
        sku, warehouse = json.loads(base64.urlsafe_b64decode(after.encode()))
        if not (isinstance(sku, str) and isinstance(warehouse, str)) or "\x00" in sku + warehouse:
            raise ValueError
    except (ValueError, TypeError):
        fault = FieldFault(pointer="query/after", code="cursor", detail="no cursor of ours")
        raise ApiProblem(422, "INVALID_REQUEST", "after is no cursor of ours", [fault]) from None
    return sku, warehouse
