"""The environment of each process of the local stack, and the file through which `oms` finds the running one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.processes import Process, not_for
from deploy.local.company import CHOICE, company_sandboxes, company_variables, mail_of, messenger_of, phones_of
from deploy.local.generated import Generated
from deploy.local.ports import LOOPBACK
from deploy.local.private_files import write_private
from providers.tokens.issue import key_set, read_key

PROVIDERS = ("wechat", "qimen", "tms", "kuaidi100", "alipay", "sf")
OWNED = "OMS_STACK_OWNED"
"""In the env file: the variables that point at programs of the stack itself."""
SENDER = {
    "recipient": "Local Warehouse",
    "phone": "02100000000",
    "province": "上海市",
    "city": "上海市",
    "street": "1 Warehouse Road",
}
"""Who sends the parcels that are booked at SF directly."""

SHOP = "svc-shop"
"""The backend of the local shop."""
SIGNS = ("OMS_TOKENS_PRIVATE_KEY", "OMS_SERVICE_NAME", "OMS_SERVICE_PRIVATE_KEY")
"""Of those who sign: people's `oms` and backends. Who believes signatures has public halves only."""
READS_HISTORIES = ("OMS_PAYLOAD_KEYS", "OMS_PAYLOAD_OWN")
"""Of whoever talks through Temporal."""
BELIEVES = ("OMS_TOKENS_JWKS", "OMS_PROOFS_SERVICES")
"""Of the worker alone."""

STACK_SECRETS = "OMS_STACK_SECRETS"
"""For trials with a Temporal that asks who calls: a folder with a folder a process (worker, relay, operator; nobody for
the others), each with the secret files of that process alone."""
UNSEALED = "OMS_STACK_UNSEALED"
"""For trials of a change: relay and worker are given no keys of seals; what their folders hold then counts."""
CLEAR = "OMS_STACK_CLEAR"
"""For trials of what it costs: nobody is given payload keys, so everything is written in clear."""
COUNTS = "OMS_STACK_COUNTS"
"""For measuring: PostgreSQL counts the statements of each login (pg_stat_statements)."""

Variables = dict[str, str]


def given_from_outside(env: Mapping[str, str]) -> Variables:
    """`env` without what an earlier local stack put there (someone sourced its env file into the shell)."""
    owned = set(env.get(OWNED, "").split(",")) | {OWNED}
    return {name: value for name, value in env.items() if name not in owned}


@dataclass(frozen=True)
class Outside:
    """What the caller's environment provides, so that the stack starts nothing for it."""

    database: bool
    temporal: bool
    providers: frozenset[str]
    messenger: str | None = None
    """The sandbox that people sign in by; None: another one outside, or none."""
    phones: str | None = None
    """The sandbox that shows what came to phones."""
    mail: str | None = None
    """The sandbox that takes mail."""

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Outside":
        return cls(
            database=bool(env.get("OMS_DATABASE_URL")),
            temporal=bool(env.get("TEMPORAL_ADDRESS")),
            providers=frozenset(name for name in PROVIDERS if env.get(f"OMS_{name.upper()}_BASE_URL")),
            messenger=messenger_of(env),
            phones=phones_of(env),
            mail=mail_of(env),
        )


def our_variables(ports: Mapping[str, int], keys: Generated, outside: Outside, database_url: str) -> Variables:
    """What our own processes need to reach the programs of the stack; nothing for what is outside."""
    relay = f"http://{LOOPBACK}:{ports['RELAY']}"
    made: Variables = {
        "OMS_RELAY_URL": relay,
        "OMS_RELAY_HOST": LOOPBACK,
        "OMS_RELAY_PORT": str(ports["RELAY"]),
        "OMS_WORKER_METRICS_PORT": str(ports["WORKER_METRICS"]),
        "OMS_CODEC_HOST": LOOPBACK,
        "OMS_CODEC_PORT": str(ports["CODEC"]),
        "OMS_ISSUER_HOST": LOOPBACK,
        "OMS_ISSUER_PORT": str(ports["ISSUER"]),
        "OMS_CONSOLE_HOST": LOOPBACK,
        "OMS_CONSOLE_PORT": str(ports["CONSOLE"]),
        "OMS_CONSOLE_URL": f"http://{LOOPBACK}:{ports['CONSOLE']}",
        "OMS_CONSOLE_EXCHANGE_URL": f"http://{LOOPBACK}:{ports['ISSUER']}/token",
        "OMS_CONSOLE_BUYER_LINKS": json.dumps({SHOP: json.dumps(key_set(read_key(keys.shop_private_key)))}),
        "OMS_CONSOLE_RETURN_ADDRESS": "上海市浦东新区示例路 1 号 退货组 收 021-00000000",
    }
    made |= {
        "OMS_TOKENS_PRIVATE_KEY": keys.token_private_key,
        "OMS_TOKENS_JWKS": json.dumps(key_set(read_key(keys.token_private_key))),
        "OMS_PROOFS_SERVICES": json.dumps({SHOP: json.dumps(key_set(read_key(keys.shop_private_key)))}),
        "OMS_SERVICE_NAME": SHOP,
        "OMS_SERVICE_PRIVATE_KEY": keys.shop_private_key,
    }
    if not outside.database:
        made["OMS_DATABASE_URL"] = database_url
    if not outside.temporal:
        made["TEMPORAL_ADDRESS"] = f"{LOOPBACK}:{ports['TEMPORAL']}"
        made["TEMPORAL_NAMESPACE"] = "default"
        made["OMS_CONSOLE_TEMPORAL_UI_URL"] = f"http://{LOOPBACK}:{ports['TEMPORAL_UI']}"
        made["OMS_TEMPORAL_UI_URL"] = f"http://{LOOPBACK}:{ports['TEMPORAL_UI']}"
        made["OMS_CODEC_UI"] = f"{made['OMS_TEMPORAL_UI_URL']},http://localhost:{ports['TEMPORAL_UI']}"
    for name, values in _provider_variables(ports, keys, relay).items():
        if name not in outside.providers:
            made |= {f"OMS_{name.upper()}_{key}": value for key, value in values.items()}
    return made | company_variables(ports, keys, outside.messenger, outside.phones, outside.mail)


def _provider_variables(ports: Mapping[str, int], keys: Generated, relay: str) -> dict[str, Variables]:
    at = {name: f"http://{LOOPBACK}:{ports[name.upper()]}" for name in PROVIDERS}
    return {
        "wechat": {
            "BASE_URL": at["wechat"],
            "MCHID": "1900000109",
            "APPID": "wx0000000000000001",
            "SERIAL_NO": keys.merchant_serial,
            "PRIVATE_KEY": keys.merchant_private_key,
            "APIV3_KEY": keys.apiv3_key,
            "PLATFORM_KEYS": json.dumps({keys.platform_serial: keys.platform_public_key}),
            "NOTIFY_URL": f"{relay}/hooks/wechat",
            "CUSTOMS_PLACE": "SHANGHAI_ZS",
            "CUSTOMS_MERCHANT_NO": "3100660001",
        },
        "qimen": {
            "BASE_URL": f"{at['qimen']}/router/qimen/service",
            "APP_KEY": "23000001",
            "SECRET": keys.qimen_secret,
            "CUSTOMER_ID": "C001",
        },
        "tms": {"BASE_URL": at["tms"], "TOKEN": keys.tms_token, "WEBHOOK_SECRETS": keys.tms_webhook_secret},
        "kuaidi100": {
            "BASE_URL": at["kuaidi100"],
            "CUSTOMER": "LOCALCUSTOMER",
            "KEY": keys.kuaidi100_key,
            "SALT": keys.kuaidi100_salt,
            "CALLBACK_URL": f"{relay}/hooks/kuaidi100",
        },
        "alipay": {
            "BASE_URL": at["alipay"],
            "APP_ID": "2021000000000001",
            "SELLER_ID": "2088000000000011",
            "PRIVATE_KEY": keys.alipay_app_private_key,
            "ALIPAY_PUBLIC_KEY": keys.alipay_platform_public_key,
            "NOTIFY_URL": f"{relay}/hooks/alipay",
        },
        "sf": {
            "BASE_URL": at["sf"],
            "PARTNER_ID": "LOCALPARTNER",
            "CHECK_WORD": keys.sf_check_word,
            "MONTHLY_CARD": "7550000001",
            "SENDER": json.dumps(SENDER, ensure_ascii=False),
            "PUSH_KEYS": keys.sf_push_key,
        },
    }


def console_variables(ours: Mapping[str, str]) -> Variables:
    """Of the web console: it calls no partner, signs nothing and seals nothing."""
    return without(ours, *SIGNS, *not_for(Process.CONSOLE))


def issuer_variables(ours: Mapping[str, str]) -> Variables:
    """Of the local issuer: its key, and no books."""
    return without(ours, *not_for(Process.ISSUER))


def sandbox_variables(ports: Mapping[str, int], keys: Generated, data: Path, env: Mapping[str, str]) -> Variables:
    """The other side of the same secrets. SANDBOX_* of the caller win, so that a trial can change the world's speed."""
    relay = f"http://{LOOPBACK}:{ports['RELAY']}"
    ours = _provider_variables(ports, keys, relay)
    made: Variables = {"SANDBOX_DATA_DIR": str(data), "SANDBOX_SPEED": "60"}
    for name in PROVIDERS:
        made[f"SANDBOX_{name.upper()}_PORT"] = str(ports[name.upper()])
        made[f"SANDBOX_{name.upper()}_CALLBACK_URL"] = f"{relay}/hooks/{name}"
    for name in ("qimen", "tms", "kuaidi100", "sf"):
        made |= {f"SANDBOX_{name.upper()}_{key}": v for key, v in ours[name].items() if not key.endswith("_URL")}
    # The warehouse reads labels at the carrier and hands its parcels to the courier.
    made |= {f"SANDBOX_QIMEN_{name}_URL": f"http://{LOOPBACK}:{ports[name]}" for name in ("TMS", "KUAIDI100")}
    made |= {
        "SANDBOX_ALIPAY_APP_ID": ours["alipay"]["APP_ID"],
        "SANDBOX_ALIPAY_SELLER_ID": ours["alipay"]["SELLER_ID"],
        "SANDBOX_ALIPAY_MERCHANT_PUBLIC_KEY": keys.alipay_app_public_key,
        "SANDBOX_ALIPAY_PLATFORM_PRIVATE_KEY": keys.alipay_platform_private_key,
        "SANDBOX_WECHAT_MCHID": ours["wechat"]["MCHID"],
        "SANDBOX_WECHAT_APPID": ours["wechat"]["APPID"],
        "SANDBOX_WECHAT_APIV3_KEY": keys.apiv3_key,
        "SANDBOX_WECHAT_MERCHANT_SERIAL": keys.merchant_serial,
        "SANDBOX_WECHAT_MERCHANT_PUBLIC_KEY": keys.merchant_public_key,
        "SANDBOX_WECHAT_PLATFORM_PRIVATE_KEY": keys.platform_private_key,
        "SANDBOX_WECHAT_PLATFORM_SERIAL": keys.platform_serial,
    }
    made |= company_sandboxes(ports, keys)
    return made | {name: value for name, value in env.items() if name.startswith("SANDBOX_")}


def seal_variables(keys: Generated, role: str) -> Variables:
    """For one process alone: the relay cannot seal as a worker, and nobody else can seal at all."""
    relay, worker = keys.relay_seal_key, keys.worker_seal_key
    if role == "relay":
        return {"OMS_SEAL_KEYS": relay, "OMS_SEAL_OWN": relay.partition(":")[0]}
    return {"OMS_SEAL_KEYS": f"{worker},{relay}", "OMS_SEAL_OWN": worker.partition(":")[0]}


def payload_variables(keys: Generated) -> Variables:
    """The same for all: who starts an order, who plays it and who looks at it read each other."""
    return {"OMS_PAYLOAD_KEYS": keys.payload_key, "OMS_PAYLOAD_OWN": keys.payload_key.partition(":")[0]}


def shown_by(role: str, env: Mapping[str, str]) -> Variables:
    """With what this process shows Temporal who it is."""
    return {"OMS_SECRETS_DIR": str(Path(env[STACK_SECRETS]) / role)} if env.get(STACK_SECRETS) else {}


def audit_variables(state: Path, keys: Generated) -> Variables:
    """Where the audit is tied down. On the same disk it protects from nothing but accidents; it shows how it works."""
    return {
        "OMS_AUDIT_ANCHOR_FILE": str(state / "audit-anchor.jsonl"),
        "OMS_AUDIT_ANCHOR_KEY": keys.audit_anchor_key,
        "OMS_AUDIT_ANCHOR_EVERY_S": "5",
    }


def without(values: Mapping[str, str], *names: str) -> Variables:
    return {name: value for name, value in values.items() if name not in names}


def plain(env: Mapping[str, str]) -> Variables:
    """The caller's environment without any setting of the product."""
    return {k: v for k, v in env.items() if not k.startswith(("OMS_", "SANDBOX_", "TEMPORAL_"))}


def write_env_file(path: Path, made: Mapping[str, str], env: Mapping[str, str]) -> None:
    """`NAME='value'` lines that both a shell and the configuration read; private, since they hold secrets."""
    not_for_others = ("OMS_PORT", "OMS_STATE_DIR", "OMS_ENV_FILE", STACK_SECRETS, UNSEALED, CLEAR, COUNTS, CHOICE)
    outside = {k: v for k, v in env.items() if k.startswith(("OMS_", "TEMPORAL_")) and not k.startswith(not_for_others)}
    lines = [f"{name}={_quoted(value)}" for name, value in sorted({**outside, **made}.items())]
    write_private(path, "\n".join([*lines, f"{OWNED}={_quoted(','.join(sorted(made)))}", ""]))


def _quoted(value: str) -> str:
    # Inside single quotes the shell takes every character as it is; python-dotenv reads only \\ and \' differently.
    if "'" in value or "\\\\" in value:
        raise ValueError("a setting with a single quote or a double backslash cannot go into the env file")
    return f"'{value}'"
