"""What the house rules are checked on: the files git would keep."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def kept_files() -> list[Path]:
    """Every text file of the tree, without what .gitignore leaves out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=30).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


@pytest.fixture(scope="session")
def python_files(kept_files: list[Path]) -> list[Path]:
    return [path for path in kept_files if path.suffix == ".py"]
