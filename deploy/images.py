"""`python -m deploy.images [--check] FILE`: the images of Compose by the digests that their registry has now.

Writes `OMS_IMAGE_…=name:tag@sha256:…` lines for an environment file. A tag can be moved to another image by who owns
it; a digest is one image. With --check: whether FILE pins every one of them. Needs Docker, as nothing else here does.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

COMPOSE = Path(__file__).resolve().parent / "temporal-compose.yml"
IMAGE = re.compile(r"\$\{(OMS_IMAGE_[A-Z]+):-([^}]+)\}")
PINNED = re.compile(r"[\w./-]+(?::[\w.-]+)?@sha256:[0-9a-f]{64}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
ASK_S = 60


class NoDigest(RuntimeError):
    """The registry did not say. The text names the image and what Docker said."""


def images(compose: str) -> dict[str, str]:
    """By variable: what the file takes when nobody says otherwise."""
    return dict(IMAGE.findall(compose))


def digest_of(image: str) -> str:
    """What the registry has under this tag, for all architectures. Raises `NoDigest`."""
    command = ["docker", "buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}"]
    try:
        asked = subprocess.run(command, check=False, capture_output=True, text=True, timeout=ASK_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoDigest(f"{image}: Docker cannot be asked ({error})") from None
    found = asked.stdout.strip()
    if asked.returncode or not DIGEST.fullmatch(found):
        raise NoDigest(f"{image}: {' '.join((asked.stderr or asked.stdout).split())[:200] or 'no digest'}")
    return found


def pinned(file: str) -> Mapping[str, str]:
    """The lines of an environment file that pin an image."""
    lines = [line.partition("=") for line in file.splitlines() if line.startswith("OMS_IMAGE_")]
    return {name: value for name, _, value in lines if PINNED.fullmatch(value)}


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.images", description=__doc__)
    parser.add_argument("file", type=Path, help="environment file to write, or with --check to look at")
    parser.add_argument("--check", action="store_true", help="only say which images it does not pin")
    options = parser.parse_args(words)
    wanted = images(COMPOSE.read_text())
    if options.check:
        open_ = [name for name in wanted if name not in pinned(options.file.read_text())]
        for name in open_:
            print(f"not pinned: {name} ({wanted[name]})", file=sys.stderr)
        return 1 if open_ else 0
    try:
        lines = [f"{name}={image}@{digest_of(image)}\n" for name, image in wanted.items()]
    except NoDigest as why:
        print(f"nothing was written: {why}", file=sys.stderr)
        return 1
    options.file.write_text("".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
