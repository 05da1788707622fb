"""`python -m console.api.contract [--check]`: the open API as docs/contract/openapi.json, made from the code."""

import json
import sys
from pathlib import Path

from console.api.app import make_api

FILE = Path(__file__).resolve().parents[2] / "docs" / "contract" / "openapi.json"


def text() -> str:
    return json.dumps(make_api(None).openapi(), indent=2, ensure_ascii=True) + "\n"


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m console.api.contract [--check]\n")
        return 2
    if not arguments:
        FILE.write_text(text(), encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text():
        sys.stderr.write(f"{FILE.name} is stale. Run `python -m console.api.contract`.\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
