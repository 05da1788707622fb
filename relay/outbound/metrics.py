"""What sending measures. Labels hold subscriptions and outcomes, never an order."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter("oms_outbound_attempts", "Attempts to tell an event, by outcome", ["subscription", "outcome"])
ATTEMPT_SECONDS = Histogram(
    "oms_outbound_attempt_seconds",
    "One attempt",
    ["subscription"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
HEARD_SECONDS = Histogram(
    "oms_outbound_heard_seconds",
    "From a happening to its acknowledgement",
    ["subscription"],
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400),
)
GIVEN_UP = Counter("oms_outbound_given_up", "Events that were not acknowledged at any attempt", ["subscription"])
WAITING = Gauge("oms_outbound_waiting", "Deliveries that are not settled", ["subscription"])
