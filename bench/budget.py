"""What an order may cost in events, workflow tasks and round trips: `budget.json`, held against the counts by tests.

Counts hardly depend on the machine, so CI can check them; times it cannot. Who makes an order cheaper lowers them, who
makes it dearer says why.
"""

import json
from pathlib import Path


def budget(what: str) -> dict[str, int]:
    """Most that may be spent: by a kind of order, or by `round trips`."""
    found: dict[str, int] = json.loads((Path(__file__).parent / "budget.json").read_text())[what]
    return found
