"""Which settings each process reads: it is given these and no others (deploy/, and a test that compares)."""

from collections.abc import Mapping
from enum import StrEnum

from config import optional, proofs, receiving, settings
from config.codec_server import CodecServerSettings
from config.console import ConsoleSettings, IssuerSettings, ProviderSettings
from config.login import LoginSettings
from config.mail import MailSettings
from config.messenger import MessengerNoticeSettings, MessengerSecretSettings, MessengerSettings
from config.payload_keys import PayloadKeySettings
from config.seals import SealSettings
from config.sms import SmsSettings
from config.sources import SettingsGroup, variable


class Process(StrEnum):
    WORKER = "worker"
    RELAY = "relay"
    CODEC = "codec"
    CONSOLE = "console"
    OPERATOR = "oms"
    ISSUER = "issuer"


Groups = tuple[type[SettingsGroup], ...]

_ALL: Groups = (settings.EnvironmentSettings, settings.DatabaseSettings, settings.TelemetrySettings)
_TALKS: Groups = (settings.TemporalSettings, PayloadKeySettings)
_BELIEVES_TOKENS: Groups = (optional.TokenSettings, proofs.ProofSettings, optional.OidcSettings)

GROUPS: Mapping[Process, Groups] = {
    Process.WORKER: (
        *_ALL, *_TALKS, *_BELIEVES_TOKENS, SealSettings, settings.WorkerSettings, settings.PullSettings,
        settings.WechatSettings, settings.QimenSettings, settings.TmsSettings, settings.Kuaidi100Settings,
        optional.AlipaySettings, optional.SfSettings, optional.EvidenceSettings,
    ),
    Process.RELAY: (
        *_ALL, *_TALKS, SealSettings, settings.RelaySettings, settings.OutboundSettings,
        receiving.WechatReceiving, receiving.QimenReceiving, receiving.TmsReceiving, receiving.Kuaidi100Receiving,
        receiving.AlipayReceiving, receiving.SfReceiving, optional.GenericSettings,
        optional.NoticeSettings, optional.AuditSettings, optional.AnchorCopySettings,
        MessengerSettings, MessengerSecretSettings, MessengerNoticeSettings, MailSettings,
    ),
    Process.CODEC: (*_ALL, *_BELIEVES_TOKENS, PayloadKeySettings, CodecServerSettings),
    Process.CONSOLE: (
        *_ALL, *_TALKS, optional.TokenSettings, optional.OidcSettings, optional.EvidenceSettings, ConsoleSettings,
        ProviderSettings, MessengerSettings,
    ),
    Process.OPERATOR: (
        *_ALL, *_TALKS, optional.TokenSettings, optional.ServiceSettings, optional.EvidenceSettings,
        optional.AuditSettings, optional.AnchorCopySettings, settings.OutboundSettings, LoginSettings,
    ),
    Process.ISSUER: (
        settings.EnvironmentSettings, settings.TelemetrySettings, optional.TokenSettings, optional.ServiceSettings,
        IssuerSettings, MessengerSettings, MessengerSecretSettings, SmsSettings,
    ),
}  # fmt: skip

NEEDED: Groups = (
    settings.EnvironmentSettings, settings.DatabaseSettings, settings.TemporalSettings,
    settings.WechatSettings, settings.QimenSettings, settings.TmsSettings, settings.Kuaidi100Settings,
    receiving.WechatReceiving, receiving.QimenReceiving, receiving.TmsReceiving, receiving.Kuaidi100Receiving,
    CodecServerSettings, ConsoleSettings,
)  # fmt: skip
"""Without these no process that reads them works. Of any other group nothing is needed until one of its variables is
set."""


def variables_of(process: Process) -> frozenset[str]:
    """Every variable that this process reads."""
    return frozenset(variable(group, name) for group in GROUPS[process] for name in group.model_fields)


def not_for(process: Process) -> frozenset[str]:
    """Every variable that another process reads and this one does not."""
    return frozenset(name for other in Process for name in variables_of(other)) - variables_of(process)
