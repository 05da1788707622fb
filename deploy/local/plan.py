"""Which programs make up the stack, given what the environment already provides."""

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from temporalio.envconfig import ClientConfig, ClientConnectConfig

from config.processes import Process, not_for
from config.settings import TemporalSettings
from deploy.local import checks, variables
from deploy.local.company import MAIL, colleagues
from deploy.local.generated import generated
from deploy.local.logins import ROLES, login_of
from deploy.local.places import choose_ports
from deploy.local.ports import LOOPBACK
from deploy.local.postgres import LocalPostgres
from deploy.local.private_files import private_folder, write_private
from deploy.local.service import Service
from deploy.local.temporal import RETENTION, LocalTemporal
from workflows.messages import TASK_QUEUE

ROOT = Path(__file__).resolve().parents[2]
IN_THE_BOOKS_ONLY = (*variables.SIGNS, *variables.BELIEVES, *variables.READS_HISTORIES)
"""What programs that never talk to Temporal are not given."""


@dataclass(frozen=True)
class Layout:
    """Files of one local stack."""

    state: Path

    @property
    def record(self) -> Path:
        return self.state / "run" / "stack.json"

    @property
    def lock(self) -> Path:
        return self.state / "run" / "lock"

    @property
    def env_file(self) -> Path:
        return self.state / "stack.env"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


@dataclass(frozen=True)
class Plan:
    services: tuple[Service, ...]
    made: Mapping[str, str]
    """Variables that point others at the stack; goes into the env file."""


class _Builder:
    def __init__(self, layout: Layout, env: Mapping[str, str]) -> None:
        self._layout = layout
        self._env = variables.given_from_outside(env)
        self._outside = variables.Outside.of(self._env)
        self._ports = choose_ports(self._env, layout.state / "ports.json")
        self._keys = generated(layout.state / "secrets.json")
        self._postgres = LocalPostgres(
            layout.state / "postgres", port=self._ports["POSTGRES"], counts=bool(self._env.get(variables.COUNTS))
        )
        self._logins = {} if self._outside.database else self._make_logins()
        people = self._logins.get("oms_operator", "")
        self.made = variables.our_variables(self._ports, self._keys, self._outside, people)
        if not self._env.get("OMS_ENVIRONMENT"):
            self.made["OMS_ENVIRONMENT"] = "local"
        if not self._env.get("OMS_AUDIT_ANCHOR_FILE"):
            self.made |= variables.audit_variables(layout.state, self._keys)
        if not (self._env.get("OMS_PAYLOAD_KEYS") or self._env.get(variables.CLEAR)):
            self.made |= variables.payload_variables(self._keys)
        self.made |= variables.shown_by("operator", self._env)
        self._nobody = variables.shown_by("nobody", self._env)
        if not self._env.get("OMS_EVIDENCE_URL"):
            self.made["OMS_EVIDENCE_URL"] = (layout.state.absolute() / "evidence").as_uri()
        ours = {k: v for k, v in self._env.items() if k.startswith(("OMS_", "TEMPORAL_"))}
        # The env file is for others; our own programs get everything directly.
        local = {"OMS_ENV_FILE": "", "OMS_WORKFLOW_SANDBOX": "false", "PYTHONUNBUFFERED": "1"}
        self._ours = {**variables.plain(self._env), **local, **ours, **self.made}
        self._temporal_checks = checks.TemporalChecks(
            self._connection(), retention=None if self._outside.temporal else RETENTION
        )

    def _connection(self) -> ClientConnectConfig:
        """To ask Temporal of the worker: as people's `oms`, where processes have to show who they are."""
        if variables.STACK_SECRETS not in self._env:
            return ClientConfig.load_client_connect_config(override_env_vars=self._ours)
        shown = TemporalSettings(
            _secrets_dir=variables.shown_by("operator", self._env)["OMS_SECRETS_DIR"],
            temporal_address=self._ours["TEMPORAL_ADDRESS"],
            temporal_namespace=self._ours["TEMPORAL_NAMESPACE"],
        )
        return shown.connect_arguments()

    def services(self) -> tuple[Service, ...]:
        own_database = () if self._outside.database else (self._database(),)
        own_temporal = () if self._outside.temporal else (self._temporal(),)
        outside = self._outside
        company = [name for name in (outside.messenger, outside.phones, outside.mail) if name]
        sandboxes = [*(name for name in variables.PROVIDERS if name not in outside.providers), *company]
        own_world = (self._sandbox(sandboxes),) if sandboxes else ()
        own_logins = () if self._outside.database else (self._access(), self._people())
        once = (self._migrations(), *own_logins)
        return (*own_database, *own_temporal, *once, *own_world, self._relay(), self._worker(), *self._desks())

    def _database(self) -> Service:
        async def takes_connections(_pid: int) -> bool:
            return self._postgres.ready()

        return Service(
            "postgres",
            self._postgres.command,
            working=takes_connections,
            launch=self._postgres.launch_arguments,
            prepare=self._postgres.prepare,
            ports=((self._ports["POSTGRES"], "OMS_PORT_POSTGRES"),),
            polite=signal.SIGINT,
            address=f"{LOOPBACK}:{self._ports['POSTGRES']}",
        )

    def _temporal(self) -> Service:
        ui_port = self._ports["TEMPORAL_UI"]
        codec = f"http://{LOOPBACK}:{self._ports['CODEC']}"
        home, port = self._layout.state / "temporal", self._ports["TEMPORAL"]
        server = LocalTemporal(home, port=port, ui_port=ui_port, ui_codec=codec)
        return Service(
            "temporal",
            server.command,
            working=self._temporal_checks.serves,
            variables=server.launch_environment(),
            prepare=server.prepare,
            ports=((self._ports["TEMPORAL"], "OMS_PORT_TEMPORAL"), (ui_port, "OMS_PORT_TEMPORAL_UI")),
            address=f"{server.address}, Web UI http://{LOOPBACK}:{ui_port}",
        )

    def _migrations(self) -> Service:
        command = partial(_python, "-m", "store.migrate", "up")
        needs = () if self._outside.database else ("postgres",)
        given = variables.without(self._as(None), *IN_THE_BOOKS_ONLY) | self._nobody
        return Service("migrations", command, needs=needs, variables=given, once=True, start_s=120)

    def _make_logins(self) -> dict[str, str]:
        """Addresses by role, written down for who makes the logins."""
        urls = {role: self._postgres.url(login=login_of(role)) for role in ROLES}
        write_private(self._logins_file, json.dumps({"owner": self._postgres.url(), **urls}))
        return urls

    @property
    def _logins_file(self) -> Path:
        return self._layout.state / "postgres" / "logins.json"

    def _access(self) -> Service:
        command = partial(_python, "-m", "deploy.local.logins", str(self._logins_file))
        given = variables.without(self._ours, *IN_THE_BOOKS_ONLY) | self._nobody
        return Service("access", command, needs=("migrations",), variables=given, once=True)

    def _people(self) -> Service:
        others = [f"{person}={role}" for person, role in colleagues(self._ours).items()]
        command = partial(_python, "-m", "deploy.local.links", str(self._logins_file), *others)
        given = variables.without(self._ours, *IN_THE_BOOKS_ONLY) | self._nobody
        return Service("people", command, needs=("migrations",), variables=given, once=True)

    def _as(self, role: str | None) -> dict[str, str]:
        """Variables of a process of this role; None: of the owner."""
        if self._outside.database:
            return self._ours
        return {**self._ours, "OMS_DATABASE_URL": self._logins[role] if role else self._postgres.url()}

    @property
    def _migrated(self) -> tuple[str, ...]:
        return ("migrations",) if self._outside.database else ("migrations", "access", "people")

    def _sandbox(self, names: list[str]) -> Service:
        data = self._layout.state / "sandbox"
        values = variables.sandbox_variables(self._ports, self._keys, data, self._env)
        at = [(self._ports[name.upper()], f"OMS_PORT_{name.upper()}") for name in names]
        smtp = [(self._ports["SMTP"], "OMS_PORT_SMTP")] if MAIL in names else []
        return Service(
            "sandbox",
            partial(_python, "-m", "sandbox", *names),
            working=checks.answers_http(*(f"http://{LOOPBACK}:{port}/_health" for port, _ in at)),
            variables={**variables.plain(self._env), "PYTHONUNBUFFERED": "1", **values},
            prepare=partial(private_folder, data),
            ports=(*at, *smtp),
            address=", ".join(f"{name} {port}" for name, (port, _) in zip(names, at, strict=True)),
        )

    def _relay(self) -> Service:
        port = self._ports["RELAY"]
        return Service(
            "relay",
            partial(_python, "-m", "relay"),
            working=checks.answers_http(f"http://{LOOPBACK}:{port}/readyz"),
            needs=self._migrated,
            variables=self._sealing(Process.RELAY),
            ports=((port, "OMS_PORT_RELAY"),),
            address=f"http://{LOOPBACK}:{port}",
        )

    def _desks(self) -> tuple[Service, ...]:
        """Where people come in."""
        local = (self._env.get("OMS_ENVIRONMENT") or "local") == "local"
        return (*self._codec_server(), *((self._issuer(),) if local else ()), self._console())

    def _issuer(self) -> Service:
        port = self._ports["ISSUER"]
        return Service(
            "issuer",
            partial(_python, "-m", "starter.issuer"),
            working=checks.answers_http(f"http://{LOOPBACK}:{port}/healthz"),
            variables=variables.issuer_variables(self._ours) | self._nobody,
            ports=((port, "OMS_PORT_ISSUER"),),
            address=f"http://{LOOPBACK}:{port}, signs people in",
        )

    def _console(self) -> Service:
        port = self._ports["CONSOLE"]
        url = f"http://{LOOPBACK}:{port}"
        return Service(
            "console",
            partial(_python, "-m", "console"),
            working=checks.answers_http(f"{url}/readyz"),
            needs=self._migrated,
            variables=variables.console_variables(self._as("oms_console")) | variables.shown_by("console", self._env),
            ports=((port, "OMS_PORT_CONSOLE"),),
            address=url,
        )

    def _codec_server(self) -> tuple[Service, ...]:
        """None for somebody else's Web UI, unless it is named."""
        if not (self.made.get("OMS_CODEC_UI") or self._env.get("OMS_CODEC_UI")):
            return ()
        url = f"http://{LOOPBACK}:{self._ports['CODEC']}"
        return (
            Service(
                "codec",
                partial(_python, "-m", "starter.codec_server"),
                working=checks.answers_http(f"{url}/healthz"),
                needs=self._migrated,
                variables=variables.without(self._as("oms_operator"), *variables.SIGNS, *not_for(Process.CODEC))
                | self._nobody,
                ports=((self._ports["CODEC"], "OMS_PORT_CODEC"),),
                address=f"{url}, for the Web UI",
            ),
        )

    def _sealing(self, role: Process) -> dict[str, str]:
        """Its own settings alone, and its own keys."""
        ours = variables.without(self._as(f"oms_{role}"), *variables.SIGNS, *not_for(role))
        ours |= variables.shown_by(role, self._env)
        if self._env.get("OMS_SEAL_KEYS") or self._env.get(variables.UNSEALED):
            return ours
        return {**ours, **variables.seal_variables(self._keys, role)}

    def _worker(self) -> Service:
        metrics = self._ports["WORKER_METRICS"]
        needs = self._migrated if self._outside.temporal else (*self._migrated, "temporal")
        return Service(
            "worker",
            partial(_python, "worker.py"),
            working=self._temporal_checks.polls(TASK_QUEUE),
            alive=self._temporal_checks.not_silent(TASK_QUEUE),
            needs=needs,
            variables=self._sealing(Process.WORKER),
            ports=((metrics, "OMS_PORT_WORKER_METRICS"), (metrics + 1, "OMS_PORT_WORKER_METRICS")),
            address=f"metrics http://{LOOPBACK}:{metrics}/metrics",
        )


def _python(*words: str) -> list[str]:
    return [sys.executable, *words]


def layout_of(env: Mapping[str, str]) -> Layout:
    """OMS_STATE_DIR, else `.local` in the checkout."""
    return Layout((ROOT / (env.get("OMS_STATE_DIR") or ".local")).resolve())


def make_plan(layout: Layout, env: Mapping[str, str]) -> Plan:
    """Raises `WrongPort`. Makes secrets and chooses ports at the first start; starts nothing."""
    builder = _Builder(layout, env)
    return Plan(builder.services(), builder.made)
