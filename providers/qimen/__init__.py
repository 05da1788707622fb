"""Qimen (奇门), the XML dialect of most Chinese warehouse systems (docs/providers.md): `QimenWms`, `QimenReceiver`."""

from providers.qimen.callbacks import QimenReceiver
from providers.qimen.client import QimenWms
from providers.qimen.errors import WmsRefused, WmsUnavailable, WmsUnknown
from providers.qimen.models import CancelResult, OutboundLine, OutboundState, Pushed, PushOutbound, QimenConfig

__all__ = [
    "CancelResult",
    "OutboundLine",
    "OutboundState",
    "PushOutbound",
    "Pushed",
    "QimenConfig",
    "QimenReceiver",
    "QimenWms",
    "WmsRefused",
    "WmsUnavailable",
    "WmsUnknown",
]
