"""What the console's pages are made of and we have not written: fetched by name and version, checked, laid beside us.

    python -m bench.vendored --check    # the files are those of the manifest (a test does the same)
    python -m bench.vendored --fetch    # get the packages with npm's own client, check them, write the files anew
    python -m bench.vendored --build    # the same for what is put together of packages: the charts (bench/charts/)

The manifest `console/static/vendor/vendored.json` names package, version, the package's own hash, its licence, and for
each file where it comes from, where it goes, and its sha256. To move to another version, change it there and fetch:
what does not fit is said, with the hash that was found. What is built is built of the packages of a lock file, each
with its hash; the same versions give the same bytes.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "console" / "static" / "vendor" / "vendored.json"
ICONS = "icons/outline"
LONGEST_S = 300
INSTALL = ("npm", "ci", "--silent", "--ignore-scripts", "--no-audit")
ESBUILD = (
    "node_modules/.bin/esbuild", "entry.js", "--bundle", "--minify", "--legal-comments=none", "--log-level=error",
    "--outfile=built.js",
)  # fmt: skip


def manifest() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(MANIFEST.read_text())["packages"]
    return found


def builds() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(MANIFEST.read_text())["builds"]
    return found


def faults() -> list[str]:
    """A line for every file that is not as the manifest says, or that it does not name."""
    named = {file["to"]: file["sha256"] for package in manifest() for file in package["files"]}
    named |= {made["to"]: made["sha256"] for made in builds()}
    lines = [f"{name}: not there" for name in named if not (ROOT / name).is_file()]
    for folder in {str(Path(name).parent) for name in named}:
        for path in (ROOT / folder).iterdir():
            name = str(path.relative_to(ROOT))
            if path.is_file() and path != MANIFEST and sha256(path.read_bytes()) != named.get(name):
                lines.append(f"{name}: {'changed' if name in named else 'not in the manifest'}")
    return sorted(lines)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetch() -> list[str]:
    """Writes what fits; a line for what does not."""
    lines = []
    for package in manifest():
        with tempfile.TemporaryDirectory() as folder:
            archive = _packed(f"{package['package']}@{package['version']}", Path(folder))
            found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if found != package["integrity"]:
                lines.append(f"{package['package']}: the package's hash is {found}")
                continue
            lines += _write(package, archive)
    return lines


def build() -> list[str]:
    """Writes what fits; a line for what does not."""
    lines = []
    for made in builds():
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "build"
            shutil.copytree(ROOT / made["folder"], place)
            for command in (INSTALL, (*ESBUILD, *made["arguments"])):
                subprocess.run(command, cwd=place, check=True, timeout=LONGEST_S, stdout=subprocess.DEVNULL)
            content = (place / "built.js").read_bytes()
        if sha256(content) != made["sha256"]:
            lines.append(f"{made['to']}: its sha256 is {sha256(content)}")
            continue
        (ROOT / made["to"]).write_bytes(content)
    return lines


def _packed(name: str, folder: Path) -> Path:
    command = ["npm", "pack", "--silent", "--ignore-scripts", name]
    subprocess.run(command, cwd=folder, check=True, timeout=LONGEST_S, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tgz")
    return archive


def _write(package: dict[str, Any], archive: Path) -> list[str]:
    lines = []
    with tarfile.open(archive) as packed:
        for file in package["files"]:
            content = _icons(packed, file["icons"]) if "icons" in file else _read(packed, file["from"])
            if sha256(content) != file["sha256"]:
                lines.append(f"{file['to']}: its sha256 is {sha256(content)}")
                continue
            target = ROOT / file["to"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return lines


def _read(packed: tarfile.TarFile, name: str) -> bytes:
    found = packed.extractfile(f"package/{name}")
    if found is None:
        raise FileNotFoundError(name)
    return found.read()


def _icons(packed: tarfile.TarFile, names: list[str]) -> bytes:
    """What stands inside of each icon's <svg>, by name."""
    inner = {}
    for name in sorted(names):
        text = _read(packed, f"{ICONS}/{name}.svg").decode()
        paths = re.findall(r"<(?:path|circle|line|rect|polyline)[^>]*/>", text)
        inner[name] = "".join(path for path in paths if 'stroke="none"' not in path)
    return (json.dumps(inner, indent=1) + "\n").encode()


def main(words: list[str]) -> int:
    acts = {"--check": list, "--fetch": fetch, "--build": build}
    if len(words) != 1 or words[0] not in acts:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    lines = [*acts[words[0]](), *faults()]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
