"""What operators filter orders and returns by in the Web UI (registered as deploy/README.md says)."""

from temporalio.common import SearchAttributeKey

STATUS = SearchAttributeKey.for_keyword("OmsStatus")
CHANNEL = SearchAttributeKey.for_keyword("OmsChannel")
NEEDS_ATTENTION = SearchAttributeKey.for_bool("OmsNeedsAttention")
