"""What every sandbox server shares: a journal, faults on demand, callbacks with retries, and the admin routes.

A sandbox module `sandbox.<name>` exposes `create_app(settings: Settings) -> Starlette`, made like this:

    def create_app(settings: Settings) -> Starlette:
        box = Sandbox("qimen", settings, fail=xml_failure, own_faults={"short_pick"},
                  schedule=(60, 300, 1800), render=sign_callback, accepted=is_success)
        warehouse = Warehouse(box)
        warehouse.rebuild(box.ledger.rows)                       # state comes from the journal only
        return box.app([Route("/router", warehouse.endpoint, methods=["POST"])], on_start=warehouse.resume)

The parts:

`Settings(values, data_dir, speed, clock)`   `settings.need("APP_KEY")` is env `SANDBOX_<NAME>_APP_KEY`.
`box.play(operation, ids, work)`             runs `work()` (synchronous: commit, return a Response) under armed faults.
`box.ledger.add(op, key=, order_no=, amount_minor=, **data)`   one journal row, on disk before it returns.
`box.outbox.post(kind, url, payload, order_no=, …)`            a callback, retried on the schedule / speed.
`box.later(delay_s, call)`                   call after delay_s / speed; not journaled: re-arm in `on_start`.
`box.faults.take(operation, ids, only=names)`   for faults of your own (`short_pick`); also `fault.delay_s`.
`serve(app)`                                 `async with serve(app) as url:` a real server on a free loopback port.

Faults (POST /_faults): HTTP ones act in `play`: error_before, error_after, too_many, hang, garbage, reset; all but
error_before and too_many commit first. Callback ones act in the outbox under the operation "callback": lost_callback,
duplicate_callback, reorder_callback, delay_callback; your own names armed for "callback" reach `render` as
`delivery.fault`. A fault's `delay_s` is in real seconds; every other delay is divided by the speed.
"""

from sandbox.core.callbacks import Delivery, Outbox
from sandbox.core.faults import Fault, Faults
from sandbox.core.ledger import Ledger, Row
from sandbox.core.sandbox_app import Sandbox
from sandbox.core.server import serve
from sandbox.core.settings import Settings

__all__ = ["Delivery", "Fault", "Faults", "Ledger", "Outbox", "Row", "Sandbox", "Settings", "serve"]
