"""The shortest steps that still break the same rule: pieces are taken out, halves first, as long as it breaks."""

from bench.conserve.many import kind_of
from bench.conserve.run import Player, Run

MOST_PLAYS = 80
ALIKE = 45
"""So many letters of what went wrong: the rest names parcels and amounts, which may differ."""


async def shorter(player: Player, run: Run) -> Run:
    """Plays until no step can be spared, or `MOST_PLAYS` times."""
    best, plays, size = run, 0, max(len(run.steps) // 2, 1)
    while size and plays < MOST_PLAYS:
        start, spared = 0, False
        while start < len(best.steps) and plays < MOST_PLAYS:
            again = await player.play(run.seed, [*best.steps[:start], *best.steps[start + size :]])
            plays += 1
            if again.failed and kind_of(again)[:ALIKE] == kind_of(run)[:ALIKE]:
                best, spared = again, True
            else:
                start += size
        if not spared or size > 1:
            size //= 2
    return best
