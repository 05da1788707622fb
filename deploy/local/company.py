"""The messenger and the mail of people of the local stack, and the phones of its guests: a sandbox each, and what our
programs have to know of it. `OMS_STACK_MESSENGER` chooses another messenger (dingtalk, feishu), or `none`."""

import json
from collections.abc import Mapping

from deploy.local.generated import Generated
from deploy.local.ports import LOOPBACK
from domain.approvals import Role

CHOICE = "OMS_STACK_MESSENGER"
PAGE = "OMS_STACK_MAIL"
"""In the env file: where one sees what mail has come."""
PHONES, MAIL = "sms", "mail"
APPS: Mapping[str, Mapping[str, str]] = {
    "wecom": {"APP_ID": "ww0000000000000001", "AGENT_ID": "1000002"},
    "dingtalk": {"APP_ID": "ding0000000000000001", "AGENT_ID": "ding0000000000000001", "TENANT": "ding-local-corp"},
    "feishu": {"APP_ID": "cli_0000000000000001", "TENANT": "tenant-local"},
}
"""Our app at each, in the words of OMS_MESSENGER_*."""
_THERE: Mapping[str, Mapping[str, str]] = {
    "wecom": {"APP_ID": "CORP_ID", "AGENT_ID": "AGENT_ID", "SECRET": "SECRET"},
    "dingtalk": {
        "APP_ID": "CLIENT_ID", "AGENT_ID": "ROBOT_CODE", "TENANT": "CORP_ID", "SECRET": "CLIENT_SECRET",
    },
    "feishu": {"APP_ID": "APP_ID", "TENANT": "TENANT_KEY", "SECRET": "APP_SECRET"},
}  # fmt: skip
"""The same in the words of the sandbox."""
_DOMAIN = "shop.local"
_SIGN_NAME, _TEMPLATE, _KEY_ID = "本地商城", "SMS_000000001", "LTAI0000000000000001"
ACCOUNTS: Mapping[str, Role] = {
    "demo-lead": Role.CS_SUPERVISOR, "demo-finance": Role.FINANCE, "demo-operator": Role.ORDER_OPS,
}  # fmt: skip
"""Who decides, and is told of it by the messenger."""
STRANGER = "demo-stranger"
"""Works in the company, and is nobody here."""


class UnknownMessenger(ValueError):
    """OMS_STACK_MESSENGER names none that there is."""


def messenger_of(env: Mapping[str, str]) -> str | None:
    """None: there is another one outside, or none is wanted. Raises `UnknownMessenger`."""
    chosen = env.get(CHOICE) or "wecom"
    if chosen not in (*APPS, "none"):
        raise UnknownMessenger(f"{CHOICE} is one of {', '.join(APPS)}, none")
    return None if env.get("OMS_MESSENGER_SYSTEM") or chosen == "none" else chosen


def phones_of(env: Mapping[str, str]) -> str | None:
    """None: codes are sent by a real channel."""
    return None if env.get("OMS_SMS_BASE_URL") else PHONES


def mail_of(env: Mapping[str, str]) -> str | None:
    """None: there is a real mail server."""
    return None if env.get("OMS_MAIL_HOST") else MAIL


def company_variables(
    ports: Mapping[str, int], keys: Generated, messenger: str | None, phones: str | None, mail: str | None
) -> dict[str, str]:
    """Of our own programs."""
    made: dict[str, str] = {}
    if mail:
        post = {
            "HOST": LOOPBACK, "PORT": str(ports["SMTP"]), "SECURITY": "none", "SENDER": f"oms@{_DOMAIN}",
            "ADDRESSES": json.dumps({account: f"{account}@{_DOMAIN}" for account in ACCOUNTS}),
            "CONSOLE_URL": _at(ports, "console"),
        }  # fmt: skip
        made |= {f"OMS_MAIL_{name}": value for name, value in post.items()}
        made[PAGE] = _at(ports, mail)
    if messenger:
        given = {"SYSTEM": messenger, "HOST": _at(ports, messenger), "SECRET": keys.messenger_secret, **APPS[messenger]}
        made |= {f"OMS_MESSENGER_{name}": value for name, value in given.items()}
        made["OMS_MESSENGER_CONSOLE_URL"] = _at(ports, "console")
    if phones:
        sms = {
            "BASE_URL": _at(ports, phones), "ACCESS_KEY_ID": _KEY_ID, "ACCESS_KEY_SECRET": keys.sms_secret,
            "SIGN_NAME": _SIGN_NAME, "TEMPLATE": _TEMPLATE,
        }  # fmt: skip
        made |= {f"OMS_SMS_{name}": value for name, value in sms.items()}
        made["OMS_CONSOLE_GUESTS"] = "true"
    return made


def company_sandboxes(ports: Mapping[str, int], keys: Generated) -> dict[str, str]:
    """Of the other side, whichever messenger it is."""
    made: dict[str, str] = {}
    for system, app in APPS.items():
        given = {**app, "SECRET": keys.messenger_secret}
        made |= {f"SANDBOX_{system.upper()}_{there}": given[ours] for ours, there in _THERE[system].items()}
        made[f"SANDBOX_{system.upper()}_MEMBERS"] = ",".join((*ACCOUNTS, STRANGER, "demo-guest@elsewhere"))
        made[f"SANDBOX_{system.upper()}_PORT"] = str(ports[system.upper()])
    sms = {
        "PORT": str(ports[PHONES.upper()]), "ACCESS_KEY_ID": _KEY_ID, "ACCESS_KEY_SECRET": keys.sms_secret,
        "SIGN_NAME": _SIGN_NAME, "TEMPLATE": _TEMPLATE,
    }  # fmt: skip
    made |= {"SANDBOX_MAIL_PORT": str(ports["MAIL"]), "SANDBOX_MAIL_SMTP_PORT": str(ports["SMTP"])}
    return made | {f"SANDBOX_SMS_{name}": value for name, value in sms.items()}


def colleagues(env: Mapping[str, str]) -> dict[str, Role]:
    """Who is known by an account at the messenger, where that is a sandbox of this machine."""
    system = env.get("OMS_MESSENGER_SYSTEM", "")
    if system not in APPS or not env.get("OMS_MESSENGER_HOST", "").startswith(f"http://{LOOPBACK}:"):
        return {}
    # 飞书 knows people by the open_id that they have at our app.
    before = "ou_" if system == "feishu" else ""
    return {f"{system}/{before}{account}": role for account, role in ACCOUNTS.items()}


def _at(ports: Mapping[str, int], name: str) -> str:
    return f"http://{LOOPBACK}:{ports[name.upper()]}"
