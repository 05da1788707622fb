"""What happens to parcels as time passes, and what of it is pushed."""

from sandbox.core import Sandbox
from sandbox.core.courier_route import Parcel, Scan, expect_next
from sandbox.sf.parcels import Parcels, order_of
from sandbox.sf.wire import push

TROUBLES = {"exception", "refused", "lost_parcel"}


class Courier:
    def __init__(self, box: Sandbox, parcels: Parcels, stages_s: tuple[float, ...], callback_url: str) -> None:
        self._box, self._parcels, self._stages_s, self._callback_url = box, parcels, stages_s, callback_url

    def resume(self) -> None:
        """After a restart: every parcel goes on as if nothing had stopped."""
        for parcel in self._parcels.parcels.values():
            self._expect_next(parcel)

    def take(self, waybill_no: str, child_no: str) -> Parcel:
        """The same parcel handed over again is the same parcel."""
        if waybill_no in self._parcels.parcels:
            return self._parcels.parcels[waybill_no]
        ids = {"waybill_no": waybill_no, "child_no": child_no, "order_no": order_of(child_no)}
        fault = self._box.faults.take("handover", ids, only=TROUBLES)
        parcel = self._parcels.hand_over(waybill_no, child_no, fault.fault if fault else "")
        self._expect_next(parcel)
        return parcel

    def scan(self, parcel: Parcel, code: str, text: str = "") -> None:
        self._tell(parcel, self._parcels.scan(parcel, code, text))
        self._expect_next(parcel)

    def _tell(self, parcel: Parcel, scan: Scan) -> None:
        """Push this scan alone. Pushes of one parcel are grouped under its waybill number, for `reorder_callback`."""
        booked = self._parcels.by_waybill.get(parcel.waybill_no)
        if booked is None or not self._callback_url:
            return
        ids = {"waybill_no": parcel.waybill_no, "child_no": booked.order_id, "order_no": parcel.order_no}
        payload = push(parcel, scan, booked)
        self._box.outbox.post(scan.code, self._callback_url, payload, order_no=parcel.waybill_no, ids=ids)

    def _expect_next(self, parcel: Parcel) -> None:
        expect_next(self._box, parcel, self._stages_s, lambda code: self.scan(parcel, code))
