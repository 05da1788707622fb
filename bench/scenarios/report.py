"""Results as lines for people, or as JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from bench.scenarios.run import ScenarioResult, Verdict


def lines(results: Sequence[ScenarioResult]) -> Iterator[str]:
    """A line per scenario and block, differences beneath; what nothing checked; last the count.

    A scenario of which some block is not built counts neither as passed nor as failed.
    """
    for result in results:
        for block in result.blocks:
            yield f"{result.id} {block.block} {block.verdict}"
            yield from (f"    {note}" for note in block.notes if block.verdict is not Verdict.NOT_YET)
        if not result.blocks:
            yield f"{result.id} states nothing that can be run"
    yield from _unproven(results)
    yield f"scenarios: {_count(results, Verdict.PASS)} passed, {_count(results, Verdict.FAIL)} failed"


def as_json(results: Sequence[ScenarioResult]) -> str:
    """`{"passed", "failed", "not_yet", "scenarios": [{"id", "title", "verdict", "assertions", "blocks": [...]}]}`."""
    counts = {
        key: _count(results, verdict)
        for key, verdict in (("passed", Verdict.PASS), ("failed", Verdict.FAIL), ("not_yet", Verdict.NOT_YET))
    }
    return json.dumps({**counts, "scenarios": [_one(result) for result in results]}, ensure_ascii=False, indent=2)


def _one(result: ScenarioResult) -> dict[str, object]:
    return {
        "id": result.id,
        "title": result.title,
        "verdict": result.verdict,
        "assertions": result.sentences,
        "blocks": [{"block": b.block, "verdict": b.verdict, "notes": list(b.notes)} for b in result.blocks],
    }


def _unproven(results: Sequence[ScenarioResult]) -> Iterator[str]:
    missing = Counter(b.block for r in results for b in r.blocks if b.verdict is Verdict.NOT_YET)
    if missing:
        yield f"not yet: {missing.total()} blocks ({', '.join(f'{name} {n}' for name, n in sorted(missing.items()))})"
    if waiting := [r.id for r in results if r.verdict is Verdict.NOT_YET]:
        yield f"neither passed nor failed: {len(waiting)} scenarios ({' '.join(waiting)})"
    if sentences := sum(r.sentences for r in results):
        yield f"not checked here: {sentences} assertions in words"


def _count(results: Sequence[ScenarioResult], verdict: Verdict) -> int:
    return sum(r.verdict is verdict for r in results)
