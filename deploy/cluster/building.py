"""The server of deploy/server, built once for each state of its sources."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "server"
USUAL_GO = "/usr/local/go/bin/go"
BUILD_S = 3_600


class UnableToBuild(RuntimeError):
    """There is no server to start. The text says why."""


def go() -> str:
    found = shutil.which("go") or (USUAL_GO if os.access(USUAL_GO, os.X_OK) else None)
    if found is None:
        raise UnableToBuild("there is no Go here: install Go 1.26, which this command needs and nothing else does")
    return found


def built(folder: Path, tell: Callable[[str], None]) -> Path:
    """The program. A first build compiles a thousand packages: minutes, with the least right to the processor."""
    program = folder / f"orders-temporal-{_state()}"
    if not program.exists():
        tell("building the Temporal server with its walls (once; minutes)")
        folder.mkdir(parents=True, exist_ok=True)
        draft = program.with_suffix(f".{os.getpid()}")
        run_go("build", "-p=2", "-buildvcs=false", "-ldflags=-s -w", "-o", str(draft), ".")
        draft.replace(program)
    return program


def run_go(*words: str) -> None:
    """Raises `UnableToBuild` with Go's last words."""
    command = ["nice", "-n", "10", go(), *words]
    done = subprocess.run(command, cwd=SOURCE, check=False, capture_output=True, text=True, timeout=BUILD_S)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-20:]
        raise UnableToBuild("\n".join(["go " + " ".join(words) + " failed:", *said]))


def _state() -> str:
    content = b"".join(
        file.name.encode() + file.read_bytes()
        for file in sorted(SOURCE.iterdir())
        if file.suffix in (".go", ".mod", ".sum") or file.name == "rights.yaml"
    )
    return hashlib.sha256(content).hexdigest()[:12]
