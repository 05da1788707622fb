"""Warehouse: Qimen WMS. A push is keyed by child number, so a repeated one is the same one."""

from temporalio import activity

from activities.messages import (
    ChildCall,
    Facts,
    Failure,
    InterceptOutcome,
    Outbound,
    PushBatch,
    Pushed,
    PushOutcome,
    PushOutcomes,
)
from activities.provider_errors import each, outside
from providers.qimen import client, models


class WmsActivities:
    def __init__(self, wms: client.QimenWms) -> None:
        self._wms = wms

    @activity.defn(name="wms.push")
    async def push(self, call: PushBatch) -> PushOutcomes:
        return PushOutcomes(items=await each(call, call.items, self._push, _outcome))

    @activity.defn(name="wms.cancel")
    async def cancel(self, call: ChildCall) -> InterceptOutcome:
        async with outside(call):
            result = await self._wms.cancel(call.child_no, warehouse=call.warehouse, reason="cancelled by the buyer")
            return InterceptOutcome(result=result.value, child_no=call.child_no)

    @activity.defn(name="wms.query")
    async def query(self, call: ChildCall) -> Facts:
        async with outside(call):
            return Facts(facts=(await self._wms.query(call.child_no, warehouse=call.warehouse)).facts)

    async def _push(self, item: Outbound) -> Pushed:
        pushed = await self._wms.push(
            models.PushOutbound(
                child_no=item.child_no,
                warehouse=item.warehouse,
                placed_at=item.placed_at,
                receiver=item.address,
                lines=tuple(
                    models.QimenLine(line_id=line.line_id, sku=line.sku, qty=line.qty, name=line.name)
                    for line in item.lines
                ),
                carrier=item.carrier,
                buyer_identity=item.buyer_identity,
            )
        )
        return Pushed(wms_ref=pushed.delivery_order_id or item.child_no)


def _outcome(item: Outbound, done: Pushed | None, failed: Failure | None) -> PushOutcome:
    return PushOutcome(child_no=item.child_no, done=done, failed=failed)
