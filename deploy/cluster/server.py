"""One server of deploy/server with a database of its own, on loopback; and what its keeper does first."""

import asyncio
import os
import random
import shutil
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client, TLSConfig
from temporalio.service import RPCError, RPCStatusCode

from deploy.cluster.building import SOURCE
from deploy.local import ports
from deploy.local.places import BELOW_EPHEMERAL
from deploy.local.postgres import DATABASE, LocalPostgres
from deploy.local.private_files import private_folder, write_private
from deploy.local.temporal import RETENTION
from deploy.temporal_keys.__main__ import ROLES, walls, write_all
from wire.search_attributes import ensure_search_attributes

NAMESPACE = "orders"
BACKEND = "shop"
HOST = "localhost"
LIVES = timedelta(days=7)
DATABASES = ("temporal", "temporal_visibility")
SERVICES = ("FRONTEND", "INTERNAL", "HISTORY", "MATCHING", "WORKER")
START_S = 120.0


class ClusterFailed(RuntimeError):
    """The server did not come up. The text says where to look."""


def _free_pairs() -> dict[str, tuple[int, int]]:
    """Of each service for calls, and for finding each other: the server's own table takes no number above 32,767."""
    chosen: dict[int, None] = {}
    while len(chosen) < 2 * len(SERVICES):
        port = random.randrange(*BELOW_EPHEMERAL)
        if not ports.is_taken(port):
            chosen[port] = None
    free = iter(chosen)
    return {name: (next(free), next(free)) for name in SERVICES}


class Cluster:
    """`home` keeps database, keys and log. `keys` is what the operator's folder of secrets is."""

    def __init__(self, home: Path, program: Path) -> None:
        self.home, self.keys = home, home / "keys"
        self._program = program
        self._postgres = LocalPostgres(home / "postgres", port=ports.free_port())
        self._ports = _free_pairs()
        self._process: subprocess.Popen[bytes] | None = None
        self.log = home / "temporal.log"

    @property
    def address(self) -> str:
        return f"{HOST}:{self._ports['FRONTEND'][0]}"

    @property
    def inner_address(self) -> str:
        """Of internal-frontend, where whoever gets in is administrator."""
        return f"{HOST}:{self._ports['INTERNAL'][0]}"

    async def start(self) -> None:
        """Raises `ClusterFailed`. Whoever calls it has to call `stop` in any case."""
        private_folder(self.home)
        shutil.rmtree(self.keys, ignore_errors=True)
        write_all(self.keys, namespace=NAMESPACE, hosts=[HOST, ports.LOOPBACK], backends=[BACKEND], lives=LIVES)
        write_private(self.keys / "temporal_walls", walls(self.keys / "temporal_token_keys", LIVES))
        self._postgres.start()
        await self._make_databases()
        await asyncio.to_thread(self._launch)
        await self._keep_house()

    def _launch(self) -> None:
        environment = self._environment()
        with self.log.open("ab") as log:
            program, start = str(self._program), ["start", "--config", str(SOURCE / "server.yaml")]
            done = subprocess.run(
                [program, "schema"], env=environment, stdout=log, stderr=log, check=False, timeout=300
            )
            if done.returncode:
                raise ClusterFailed(f"the schema could not be set up; see {self.log}")
            self._process = subprocess.Popen(
                [program, *start], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._postgres.stop()

    async def client(self, name: str, *, certificate_of: str | None = None, token: str | None = None) -> Client:
        """As the process `name`; with somebody else's certificate or token, where they are given (`token` "": none)."""
        own = (self.keys / f"temporal_{name}_token").read_text() if token is None else token
        return await Client.connect(
            self.address, namespace=NAMESPACE, tls=self.tls(certificate_of or name), api_key=own or None
        )

    def tls(self, name: str) -> TLSConfig:
        def read(what: str) -> bytes:
            return (self.keys / f"temporal_{what}").read_bytes()

        return TLSConfig(
            server_root_ca_cert=read("client_authority"), client_cert=read(f"{name}_certificate"),
            client_private_key=read(f"{name}_key"),
        )  # fmt: skip

    def secrets_by_process(self, folder: Path) -> None:
        """A folder a process with its own three, as Compose mounts them; and an empty one for who has none."""
        private_folder(folder / "nobody")
        for role in ROLES:
            place = folder / role
            private_folder(place)
            for inside, name in {
                "temporal_api_key": f"temporal_{role}_token",
                "temporal_tls_client_cert_data": f"temporal_{role}_certificate",
                "temporal_tls_client_key_data": f"temporal_{role}_key",
                "temporal_tls_server_ca_cert_data": "temporal_client_authority",
            }.items():
                write_private(place / inside, (self.keys / name).read_text())

    def _environment(self) -> dict[str, str]:
        made = {
            "PATH": os.defpath, "HOME": str(self.home), "GOGC": "200", "OMS_TEMPORAL_KEYS": str(self.keys),
            "OMS_TEMPORAL_WALLS": str(self.keys / "temporal_walls"),
            "OMS_TEMPORAL_DYNAMIC": str(SOURCE / "dynamic.yaml"),
            "OMS_TEMPORAL_DATABASE_PASSWORD_FILE": str(self.home / "postgres" / "password"),
            "POSTGRES_HOST": ports.LOOPBACK, "POSTGRES_PORT": str(self._postgres.port),
            "POSTGRES_USER": str(urlsplit(self._postgres.url()).username), "NUM_HISTORY_SHARDS": "4",
        }  # fmt: skip
        for name, (rpc, membership) in self._ports.items():
            made |= {f"{name}_GRPC_PORT": str(rpc), f"{name}_MEMBERSHIP_PORT": str(membership)}
        return made

    async def _make_databases(self) -> None:
        owner = await asyncpg.connect(self._postgres.url(DATABASE))
        try:
            for name in DATABASES:
                if not await owner.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
                    await owner.execute(f"CREATE DATABASE {name}")
        finally:
            await owner.close()

    async def _keep_house(self) -> None:
        """The namespace and its search attributes, as Compose's own job makes them."""
        lasting = Duration()
        lasting.FromTimedelta(RETENTION)
        request = RegisterNamespaceRequest(namespace=NAMESPACE, workflow_execution_retention_period=lasting)
        deadline = time.monotonic() + START_S
        while True:
            try:
                keeper = await self.client("keeper")
                try:
                    await keeper.workflow_service.register_namespace(request)
                except RPCError as error:
                    if error.status is not RPCStatusCode.ALREADY_EXISTS:
                        raise
                await keeper.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=NAMESPACE))
                await ensure_search_attributes(keeper)
                return
            except (RPCError, RuntimeError) as error:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise ClusterFailed(f"the server does not answer its keeper ({error}); see {self.log}") from None
                await asyncio.sleep(0.5)
