"""Published policies: insert-only, the newest one counts for new orders."""

from domain.policy import Policy
from domain.strict import of
from store.pool import Connection, Pool

# The newest policy.
NEWEST = "SELECT policy FROM policies ORDER BY version DESC LIMIT 1"

# One certain version.
VERSION = "SELECT policy FROM policies WHERE version = $1"

# A new version; does nothing when the number is taken.
PUBLISH = """
INSERT INTO policies (version, policy, published_by, published_at) VALUES ($1, $2, $3, now()) ON CONFLICT DO NOTHING"""

# Publishing one after another: version numbers have no gaps. Ends with the transaction.
ONE_PUBLISHER = "LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE"


class PolicyStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def current(self) -> Policy:
        """The newest policy; the built-in defaults as long as nobody has published one."""
        async with self._pool.acquire() as connection:
            return await read_current(connection) or Policy()

    async def version(self, version: int) -> Policy:
        """One published version. Raises `KeyError`."""
        found = await self._pool.fetchval(VERSION, version)
        if found is None:
            raise KeyError(f"policy version {version} was never published")
        return of(Policy, found)

    async def publish(self, policy: Policy, by: str) -> Policy:
        """The policy with the version that it got; `policy.version` as given is ignored."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(ONE_PUBLISHER)
            last = await read_current(connection)
            if last is None:
                last = await publish_defaults(connection)
            new = policy.model_copy(update={"version": last.version + 1})
            await connection.execute(PUBLISH, new.version, new.model_dump(mode="json"), by)
            return new


async def read_current(connection: Connection) -> Policy | None:
    found = await connection.fetchval(NEWEST)
    return None if found is None else of(Policy, found)


async def publish_defaults(connection: Connection) -> Policy:
    """The built-in defaults become version 0, so that every order can refer to a published version."""
    policy = Policy()
    await connection.execute(PUBLISH, policy.version, policy.model_dump(mode="json"), "built-in")
    return policy
