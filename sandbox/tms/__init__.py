"""A carrier system that follows docs/contract/tms.md, with its own books.

Settings (SANDBOX_TMS_*): TOKEN, WEBHOOK_SECRETS (comma list of whsec_ secrets, all of them sign), CALLBACK_URL (where
events go; none are sent without it).

World doors, without a token: `GET /_world/shipments/{shipment_id}` is what a warehouse reads off the printed label,
`POST /_world/event {shipment_id, type, place?, note?, silent?}` lets something happen to a parcel.

Faults of its own: `address_not_served` (operation "book"), `too_late` (operation "void"), `bad_signature` (operation
"callback": the first attempt is signed with a foreign secret).
"""

from sandbox.tms.server import create_app

__all__ = ["create_app"]
