"""A warehouse that speaks Qimen: takes outbound orders, works on them by itself, and reports in signed XML.

Settings (`SANDBOX_QIMEN_*`): SECRET, APP_KEY, CUSTOMER_ID; CALLBACK_URL (none: no callbacks); STAGES_S, seconds before
accepting, picking, packing and handing out (default `5,600,900,300`, divided by the speed like every delay here);
SLOWER, warehouses that take so many times as long for everything (`WH-S=2,WH-T=3`); CANCEL_S, how long the search for a
parcel takes (600); TMS_URL (none: the warehouse makes its own waybill numbers) and
KUAIDI100_URL (none: nobody is handed the parcel).

Operations for faults: `push`, `cancel`, `query`, `callback`. Faults of its own, besides those of `sandbox.core`:

    push      refuse            refused at once, a business reason
    push      reject            taken, then rejected by a report
    push      short_pick        one unit of the fullest line lacks
    push      silence           the work goes on, but nothing is ever reported
    cancel    cancel_pending    the answer is "pending" even before picking; CANCELED follows
    cancel    cancel_overtaken  the answer is "pending", the parcel leaves all the same; CANCELEDFAIL follows
    cancel    too_late          too late, whatever the stage: the parcel goes out
    callback  bad_signature     the first attempt is signed with somebody else's secret
"""

from sandbox.qimen.server import create_app

__all__ = ["create_app"]
