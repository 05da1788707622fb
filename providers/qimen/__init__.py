"""Qimen (奇门), the XML dialect of most Chinese warehouse systems (docs/providers.md): `QimenWms`, `QimenReceiver`."""

from providers.qimen.callbacks import QimenReceiver
from providers.qimen.client import QimenWms
from providers.qimen.errors import WmsRefused, WmsUnavailable, WmsUnknown
from providers.qimen.models import CancelResult, OutboundState, PushOutbound, QimenConfig, QimenLine, QimenPushed

__all__ = [
    "CancelResult",
    "OutboundState",
    "PushOutbound",
    "QimenConfig",
    "QimenLine",
    "QimenPushed",
    "QimenReceiver",
    "QimenWms",
    "WmsRefused",
    "WmsUnavailable",
    "WmsUnknown",
]
