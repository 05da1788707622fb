"""What each program asks of the books: statements and transactions by login, counted by PostgreSQL itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from store.pool import Pool

# Only whoever owns the cluster may make it and see what others have asked.
BEGIN = ("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", "SELECT pg_stat_statements_reset()")

READ = """
SELECT regexp_replace(r.rolname, '^oms_|_login$', '', 'g') AS program, sum(s.calls)::bigint AS statements,
    coalesce(sum(s.calls) FILTER (WHERE s.query ~* '^\\s*(commit|rollback)'), 0)::bigint AS transactions
FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
WHERE r.rolname LIKE 'oms\\_%' GROUP BY 1"""

# The most frequent ones of one program.
WHICH = """
SELECT s.calls, regexp_replace(left(s.query, 4000), '\\s+', ' ', 'g') AS text
FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
WHERE r.rolname = 'oms_' || $1 || '_login' ORDER BY s.calls DESC LIMIT $2"""


@dataclass(frozen=True)
class Asked:
    """Of one program. `transactions`: those that were more than one statement; their BEGIN and COMMIT are statements,
    too, since each is a round trip."""

    statements: float
    transactions: float

    def less(self, idle: "Asked", times: float) -> "Asked":
        """Without what the program asks anyhow, whether orders come or not."""
        return Asked(
            max(0.0, self.statements - idle.statements * times), max(0.0, self.transactions - idle.transactions * times)
        )


async def begin_counting(owner: Pool) -> None:
    for statement in BEGIN:
        await owner.execute(statement)


async def counted(owner: Pool) -> Mapping[str, Asked]:
    """Since `begin_counting`, by program."""
    return {row["program"]: Asked(row["statements"], row["transactions"]) for row in await owner.fetch(READ)}


async def most_frequent(owner: Pool, program: str, most: int = 40) -> list[tuple[int, str]]:
    return [(row["calls"], row["text"]) for row in await owner.fetch(WHICH, program, most)]
