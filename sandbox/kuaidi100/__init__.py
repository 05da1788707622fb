"""Kuaidi100 (快递100) and the couriers behind it: subscriptions, queries, pushes, and parcels that really move.

Settings (SANDBOX_KUAIDI100_*): CUSTOMER, KEY; STAGES_S (seconds before each scan, divided by the speed; default
"60,600,1800,1800": collected, in transit, out for delivery, signed; the last one repeats for further scans). Where
pushes go and their salt come with each subscription.

World doors: `POST /_world/handover {waybill_no, carrier, child_no?}` gives a parcel to the courier and starts its way;
`POST /_world/advance {waybill_no, code?, text?}` makes the next scan (or the given one) happen now, also for a parcel
that nobody handed over; `GET /_world/parcels/{waybill_no}` shows it.

Faults of its own, under the operation "handover": `exception` (a problem before delivery, then delivered), `refused`
(the consignee refuses, the parcel comes back), `lost_parcel` (no scan after the first two). Under "subscribe" and
"query": `busy` (HTTP 200 with returnCode 500). Under "callback": `bad_signature` on the first attempt.
"""

from sandbox.kuaidi100.server import create_app

__all__ = ["create_app"]
