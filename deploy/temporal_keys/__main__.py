"""`python -m deploy.temporal_keys make|renew FOLDER`: what Temporal's walls want, a file each, named as in Compose.

make   writes what is not there yet: authorities, the server's certificates, one certificate and one token a process
renew  writes certificates and tokens anew (authorities and the key that signs tokens stay); processes take a new token
       within a minute, a new certificate at their next start

FOLDER/authority/ has the keys that sign. They belong to whoever runs this, on no server.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from deploy.local.private_files import private_folder, write_private
from deploy.temporal_keys.certificates import CLIENT, SERVER, Authority, Issued
from deploy.temporal_keys.tokens import AUDIENCE, ISSUER, TokenSigner

ROLES = ("worker", "relay", "operator", "console")
"""Processes of ours: each is called as its role."""
KEEPER = "keeper"
"""Makes the namespace and its search attributes, at the installation and when the server is updated."""
WEB_UI = "web-ui"
"""Passes the tokens of people on and has none of its own."""
NODE = "temporal-node"
WALLS = f"""issuers:
  - issuer: {ISSUER}
    audience: {AUDIENCE}
    keys: file:{{keys}}
    certificate: subject
    longest_life: {{longest}}h
    roles: [worker, relay, backend, operator, console, keeper]
"""


class Folder:
    def __init__(self, place: Path, *, again: bool) -> None:
        self._place, self._again = place, again
        self.written: list[str] = []
        private_folder(place)

    @property
    def authority(self) -> Path:
        return self._place / "authority"

    def wants(self, *names: str) -> bool:
        """Whether these are to be written: both halves, or neither."""
        return self._again or not all((self._place / name).exists() for name in names)

    def put(self, name: str, content: str) -> None:
        """Readable for the account of a container: the folder itself is its owner's alone."""
        file = self._place / name
        write_private(file, content)
        file.chmod(0o444)
        self.written.append(name)

    def issued(self, name: str, one: Issued) -> None:
        self.put(f"temporal_{name}_certificate", one.certificate)
        self.put(f"temporal_{name}_key", one.key)


def write_all(
    place: Path,
    *,
    namespace: str,
    hosts: Sequence[str],
    backends: Sequence[str] = (),
    lives: timedelta = timedelta(days=90),
    again: bool = False,
) -> list[str]:
    """Names of the files that were written. `hosts`: how clients call the front end."""
    folder = Folder(place, again=again)
    clients, nodes = Authority(folder.authority, "clients"), Authority(folder.authority, "nodes")
    signer = TokenSigner(folder.authority / "tokens.key")
    if folder.wants("temporal_client_authority", "temporal_node_authority", "temporal_token_keys"):
        folder.put("temporal_client_authority", clients.certificate)
        folder.put("temporal_node_authority", nodes.certificate)
        folder.put("temporal_token_keys", signer.key_set)
    if folder.wants("temporal_frontend_certificate", "temporal_frontend_key"):
        folder.issued("frontend", clients.issue("temporal", [SERVER], lives, hosts))
    if folder.wants("temporal_node_certificate", "temporal_node_key"):
        folder.issued("node", nodes.issue(NODE, [SERVER, CLIENT], lives, [NODE]))
    for subject, permission in _subjects(namespace, backends).items():
        file = subject.replace("-", "_")
        if folder.wants(f"temporal_{file}_certificate", f"temporal_{file}_key"):
            folder.issued(file, clients.issue(subject, [CLIENT], lives))
        if permission and folder.wants(f"temporal_{file}_token"):
            folder.put(f"temporal_{file}_token", signer.token(subject, permission, lives))
    return folder.written


def _subjects(namespace: str, backends: Sequence[str]) -> Mapping[str, str | None]:
    """Who there is, and what each one's token permits."""
    ours = {role: f"{namespace}:{role}" for role in ROLES}
    return {**ours, **dict.fromkeys(backends, f"{namespace}:backend"), KEEPER: f"*:{KEEPER}", WEB_UI: None}


def walls(keys: Path, lives: timedelta) -> str:
    """A file of walls that believes our own processes only; deploy/server/walls.example.yaml has people beside them."""
    return WALLS.format(keys=keys, longest=int(lives.total_seconds() // 3600))


def main(words: Sequence[str]) -> int:
    options = _options(words)
    taken = {*ROLES, KEEPER, WEB_UI}
    for name in options.backend:
        if name in taken or not name.replace("-", "").isalnum():
            print(f"a backend cannot be called {name!r}: letters, digits and dashes, and none of ours", file=sys.stderr)
            return 2
    written = write_all(
        options.folder, namespace=options.namespace, hosts=options.host, backends=options.backend,
        lives=timedelta(days=options.days), again=options.what == "renew",
    )  # fmt: skip
    for name in written:
        print(name)
    if not written:
        print("everything is there already; `renew` writes certificates and tokens anew", file=sys.stderr)
    return 0


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.temporal_keys", description=__doc__)
    parser.add_argument("what", choices=["make", "renew"])
    parser.add_argument("folder", type=Path, help="the folder of secrets (OMS_SECRETS_DIR of Compose)")
    parser.add_argument("--namespace", default="default", help="of the orders (default: default)")
    parser.add_argument("--backend", action="append", default=[], help="a backend of the shop, as often as there are")
    parser.add_argument("--host", action="append", default=[], help="a name or address of the front end")
    parser.add_argument("--days", type=int, default=90, help="how long certificates and tokens live (default 90)")
    found = parser.parse_args(words)
    found.host = found.host or ["temporal", "localhost"]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
