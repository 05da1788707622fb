"""What a parcel shows: to the books, to queries, to operators."""

from domain.records import ChildState
from workflows.parcel import Parcel


def child_state(parcel: Parcel, *, to_write: bool = False) -> ChildState:
    """The label's bytes travel in the first write after printing only."""
    label = parcel.label.booked
    return ChildState(
        child_no=parcel.plan.child_no,
        status=parcel.axis.status,
        waybill_no=parcel.waybill_no,
        carrier=parcel.carrier,
        tms_ref=label.tms_ref if label else None,
        label_format=label.label_format if label else None,
        label_b64=parcel.label.bytes_to_write() if to_write else None,
        shipped_at=parcel.shipped_at,
        signed_at=parcel.signed_at,
        replaces=parcel.replaces,
        replaced_by=parcel.replaced_by,
    )
