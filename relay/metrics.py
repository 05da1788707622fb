"""What the relay measures beyond the counters of `telemetry`. Labels hold sources and outcomes, never an order."""

from prometheus_client import Counter, Gauge, Histogram

ACK_SECONDS = Histogram(
    "oms_relay_ack_seconds",
    "From the request to its answer",
    ["source"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
UNSTORED = Counter("oms_relay_unstored", "Callbacks answered 503 because the inbox did not take them", ["source"])
DELIVERY_SECONDS = Histogram(
    "oms_relay_delivery_seconds",
    "From the receipt of a message to its signal",
    buckets=(0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
CALLBACK_RATE = Gauge(
    "oms_callback_rate_bp", "Accepted by received callbacks of the last whole five minutes, in 1/10000", ["source"]
)
CALLBACK_ALERT = Gauge("oms_callback_alert", "1 during a run of bad spans that somebody was asked about", ["source"])
HELD = Gauge("oms_relay_rows_held", "Inbox rows claimed by this relay and not yet settled")
TEMPORAL_UP = Gauge("oms_relay_temporal_up", "1 while signals go through, 0 during an outage")
NOTICES = Counter("oms_ticket_notices", "Notices of tickets to people's channels, by outcome", ["outcome"])
APPROVAL_NOTICES = Counter("oms_approval_notices", "Notices of decisions to people, by outcome", ["outcome"])
TICKETS_ESCALATED = Counter("oms_tickets_escalated", "Tickets raised because nobody looked after them", ["severity"])
TICKETS_OPEN = Gauge("oms_tickets_open", "Open tickets, of orders and of the relay", ["severity"])
TICKETS_OLDEST = Gauge("oms_tickets_oldest_seconds", "Age of the oldest open ticket; 0: none is open", ["severity"])
OWNERLESS = Gauge("oms_ownerless", "Units and sums without one owner, as the last nightly look found them")
