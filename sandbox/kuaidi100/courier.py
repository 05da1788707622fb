"""What happens to parcels as time passes, and whom it is told."""

from sandbox.core import Sandbox
from sandbox.core.courier_route import expect_next
from sandbox.kuaidi100.parcels import Parcel, Parcels, Subscriber
from sandbox.kuaidi100.wire import push

TROUBLES = {"exception", "refused", "lost_parcel"}


class Courier:
    def __init__(self, box: Sandbox, parcels: Parcels, stages_s: tuple[float, ...]) -> None:
        self._box, self._parcels, self._stages_s = box, parcels, stages_s

    def resume(self) -> None:
        """After a restart: every parcel goes on as if nothing had stopped."""
        for parcel in self._parcels.parcels.values():
            self._expect_next(parcel)

    def take(self, waybill_no: str, carrier: str, child_no: str) -> Parcel:
        if waybill_no in self._parcels.parcels:
            return self._parcels.parcels[waybill_no]
        ids = {"waybill_no": waybill_no, "child_no": child_no, "order_no": child_no.rpartition("-")[0]}
        fault = self._box.faults.take("handover", ids, only=TROUBLES)
        parcel = self._parcels.hand_over(waybill_no, carrier, child_no, fault.fault if fault else "")
        self._expect_next(parcel)
        return parcel

    def scan(self, parcel: Parcel, code: str, text: str = "") -> None:
        self._parcels.scan(parcel, code, text)
        for subscriber in self._parcels.subscribers(parcel.waybill_no):
            self.tell(subscriber, parcel)
        self._expect_next(parcel)

    def tell(self, subscriber: Subscriber, parcel: Parcel) -> None:
        """Push the whole picture. Pushes of one parcel are grouped under its waybill number, for `reorder_callback`."""
        payload = push(parcel, subscriber.company, subscriber.advanced)
        ids = {"waybill_no": parcel.waybill_no, "order_no": parcel.order_no}
        self._box.outbox.post(payload["status"], subscriber.url, payload, order_no=parcel.waybill_no, ids=ids)

    def _expect_next(self, parcel: Parcel) -> None:
        expect_next(self._box, parcel, self._stages_s, lambda code: self.scan(parcel, code))
