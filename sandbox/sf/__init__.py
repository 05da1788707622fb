"""SF Express (顺丰) and its couriers: booking, voiding, queries, route pushes, and parcels that really move.

Settings (SANDBOX_SF_*): PARTNER_ID, CHECK_WORD; CALLBACK_URL (where route pushes go; none without it) and PUSH_KEYS
(comma list; the first is put behind it as `?key=`); STAGES_S (seconds before each scan, divided by the speed; default
"60,600,1800,1800": collected, in transit, out for delivery, signed; the last one repeats for further scans).

World doors: `POST /_world/handover {waybill_no, child_no?}` gives a parcel to the courier and starts its way;
`POST /_world/advance {waybill_no, code?, text?}` makes the next scan (or the given opCode) happen now, also for a
parcel that nobody handed over; `GET /_world/parcels/{waybill_no}` shows it. As in the real world, only parcels that
were booked here are pushed.

Operations for faults: book, search, void, routes, handover, callback. Faults of its own: `busy` (A1005) and
`system_error` (A1099) under the four calls, both with HTTP 200 and before any work; `address_not_served` under "book";
`exception`, `refused`, `lost_parcel` under "handover"; `bad_signature` (a wrong key) under "callback", first attempt.
"""

from sandbox.sf.server import create_app

__all__ = ["create_app"]
