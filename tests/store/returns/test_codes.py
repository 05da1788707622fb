"""Return codes: made once, and guessing is refused before it looks (R50, case 65)."""

import asyncio
from datetime import timedelta

import pytest

from domain.returns.records import CodeLookup
from store.pool import Pool
from store.returns import ReturnStore
from store.returns.errors import NoSuchReturn, TooManyGuesses, UnknownCode
from tests.store.cases import LATER, a_case


async def test_a_code_is_made_once_and_finds_its_case(returns: ReturnStore, pool: Pool, order: str) -> None:
    await a_case(returns, pool)
    issued = await asyncio.gather(*(returns.issue_code("RT20261120", LATER) for _ in range(5)))
    assert len({i.code for i in issued}) == 1
    typed = issued[0].code.lower().replace("-", " ")
    assert await returns.look_up(CodeLookup(code=typed, who="desk-1", at=LATER)) == "RT20261120"
    with pytest.raises(NoSuchReturn):
        await returns.issue_code("RT-NOBODY", LATER)


async def test_guessing_is_refused_before_it_looks_even_many_at_once(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    await a_case(returns, pool)
    code = (await returns.issue_code("RT20261120", LATER)).code
    guesses = [returns.look_up(CodeLookup(code=f"RC-{n}", who="desk-1", at=LATER)) for n in range(25)]
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(a, UnknownCode) for a in answers) == 10
    assert sum(isinstance(a, TooManyGuesses) for a in answers) == 15
    with pytest.raises(TooManyGuesses, match=r"try again in \d+ s"):
        await returns.look_up(CodeLookup(code=code, who="desk-1", at=LATER))
    assert await returns.look_up(CodeLookup(code=code, who="desk-2", at=LATER)) == "RT20261120"
    assert await returns.look_up(CodeLookup(code=code, who="desk-1", at=LATER + timedelta(minutes=10))) == "RT20261120"
    assert await pool.fetchval("SELECT count(*) FROM audit WHERE action = 'return.code_unknown'") == 10


async def test_guessing_under_many_names_is_guessing_too(returns: ReturnStore, pool: Pool) -> None:
    with pytest.raises(UnknownCode):
        await returns.look_up(CodeLookup(code="RC-1", who="desk-1", at=LATER))
    await pool.execute("UPDATE code_misses SET misses = 200 WHERE who = '*'")
    with pytest.raises(TooManyGuesses):
        await returns.look_up(CodeLookup(code="RC-1", who="desk-new", at=LATER))


async def test_junk_under_invented_names_shuts_out_nobody_who_is_known(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    await a_case(returns, pool)
    code = (await returns.issue_code("RT20261120", LATER)).code
    await pool.execute("INSERT INTO people (person_id, created_at) VALUES ('u-wh', $1), ('u-wh2', $1)", LATER)
    for n in range(200):
        with pytest.raises(UnknownCode):
            await returns.look_up(CodeLookup(code="RC-1", who=f"invented-{n}", at=LATER))
    with pytest.raises(TooManyGuesses):
        await returns.look_up(CodeLookup(code=code, who="invented-200", at=LATER))
    assert await returns.look_up(CodeLookup(code=code, who="u-wh", at=LATER)) == "RT20261120"
    for _ in range(10):
        with pytest.raises(UnknownCode):
            await returns.look_up(CodeLookup(code="RC-1", who="u-wh", at=LATER))
    with pytest.raises(TooManyGuesses):
        await returns.look_up(CodeLookup(code=code, who="u-wh", at=LATER))
    assert await returns.look_up(CodeLookup(code=code, who="u-wh2", at=LATER)) == "RT20261120"
