"""The search attributes that a namespace has to know before anything runs in it."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client

SEARCH_ATTRIBUTES = {
    "OmsStatus": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OmsChannel": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OmsNeedsAttention": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
}


async def ensure_search_attributes(client: Client) -> None:
    """An unregistered attribute would fail every workflow task that sets it, for ever."""
    operator = client.operator_service
    known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
    missing = {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name not in known.custom_attributes}
    if missing:
        await operator.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
