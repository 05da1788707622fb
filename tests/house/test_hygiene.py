"""Nothing in the tree points at a machine, a registry or a secret."""

import re
from pathlib import Path

THIS = Path(__file__).name
REGISTRY = re.compile(
    "|".join([r"--(extra-)?index" + "-url", "index" + r"-url\s*=", "find" + "-links", r"\bregistry\s*=\s*http"])
)
REGISTRY_HOST = re.compile(r"https?://[\w.-]*\b(" + "py" + r"pi|npm" + r"js|pythonho" + r"sted)[\w.-]*")
MACHINE_PATH = re.compile(r"(?<![\w.}/$])/(" + "wo" + "rk|ro" + "ot|ho" + r"me/\w+|tm" + r"p/\w+)(?![\w-])")
PRIVATE_KEY = re.compile("-----BEGIN [A-Z ]*PRIVATE" + " KEY-----\n[A-Za-z0-9+/=]{20}")
LITERAL_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{24,}")


def hits(files: list[Path], pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in files:
        if path.name != THIS:
            text = path.read_text(errors="replace")
            found += [
                f"{path}:{text.count(chr(10), 0, m.start()) + 1} {m.group(0)[:60]}" for m in pattern.finditer(text)
            ]
    return found


def test_no_file_names_a_package_registry(kept_files: list[Path]) -> None:
    assert hits(kept_files, REGISTRY) == []
    assert hits(kept_files, REGISTRY_HOST) == []


def test_no_file_names_a_place_on_one_machine(kept_files: list[Path]) -> None:
    assert hits(kept_files, MACHINE_PATH) == []


def test_no_file_holds_a_secret(kept_files: list[Path]) -> None:
    assert hits(kept_files, PRIVATE_KEY) == []
    # Tests hold the published examples of the signature standards.
    assert hits([path for path in kept_files if "tests" not in path.parts], LITERAL_SECRET) == []


def test_servers_bind_to_loopback(python_files: list[Path]) -> None:
    assert hits([path for path in python_files if "tests" not in path.parts], re.compile(r"[\"']0\.0\.0\.0[\"']")) == []


def test_every_locked_package_has_hashes_and_no_address(root: Path) -> None:
    for name in ("requirements.lock", *(f"deploy/{name}.lock" for name in ("installer", "production", "training"))):
        text = (root / name).read_text().replace("\\\n", " ")
        packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert packages, name
        assert [line for line in packages if "--hash=sha256:" not in line] == []
        assert [line for line in packages if "==" not in line or "://" in line or line.startswith("-")] == []


def test_every_declared_dependency_is_locked(root: Path) -> None:
    declared = re.findall(
        r'^  "([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?(?:[=><~]=[^"]*)?",$', _dependencies(root), re.MULTILINE
    )
    locked = {line.split("==")[0] for line in (root / "requirements.lock").read_text().splitlines() if "==" in line}
    assert len(declared) > 20
    assert {name.lower().replace("_", "-") for name in declared} - locked == set()


def _dependencies(root: Path) -> str:
    """The part of pyproject.toml before the tools' own sections."""
    return (root / "pyproject.toml").read_text().split("\n[tool.")[0]


def test_ci_runs_what_the_readme_promises(root: Path) -> None:
    steps = (root / ".ci" / "run").read_text()
    assert "make test" in steps
    assert "make demo" in steps


def test_production_runs_the_tested_versions(root: Path) -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9-]+==[^ ]+)", (root / name).read_text(), re.MULTILINE))

    assert pins("deploy/production.lock") < pins("deploy/training.lock") <= pins("requirements.lock")
