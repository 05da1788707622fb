"""The audit's end cannot be cut off in silence: signed lines outside the table speak of rows that must be there."""

from pathlib import Path

import pytest

from domain.records import AuditEntry
from relay.jobs.audit_anchor import Anchoring
from store.audit.anchor import AnchorFile, ChainVerified, UnableToAnchor, judge
from store.audit.audit import AuditStore
from store.pool import Pool
from tests.store.examples import NOW

KEY = b"k" * 32


@pytest.fixture
def file(tmp_path: Path) -> AnchorFile:
    return AnchorFile(tmp_path / "far" / "anchor.jsonl", KEY)


async def grow(pool: Pool, rows: int) -> AuditStore:
    audit = AuditStore(pool)
    for n in range(rows):
        await audit.append(AuditEntry(actor="ops", action="stock.receive", detail={"n": n}), NOW)
    return audit


async def verified(audit: AuditStore, file: AnchorFile) -> ChainVerified:
    anchors, problems = file.read()
    hashes = await audit.hashes([a.seq for a in anchors])
    return judge(await audit.head(), await audit.broken_at(), anchors, hashes, problems)


async def meddle(pool: Pool, *statements: str) -> None:
    await pool.execute("ALTER TABLE audit DISABLE TRIGGER audit_only_grows")
    for statement in statements:
        await pool.execute(statement)


async def test_an_anchor_is_written_when_the_log_has_grown_and_only_then(pool: Pool, file: AnchorFile) -> None:
    audit = await grow(pool, 2)
    anchoring = Anchoring(audit, file, lambda: NOW, every_s=60)
    await anchoring.look()
    await anchoring.look()
    await grow(pool, 1)
    await anchoring.look()
    found = await verified(audit, file)
    assert (found.anchors, found.anchored, found.problems) == (2, 3, ())


async def test_a_cut_end_shows(pool: Pool, file: AnchorFile) -> None:
    audit = await grow(pool, 5)
    await Anchoring(audit, file, lambda: NOW, every_s=60).look()
    await meddle(pool, "DELETE FROM audit WHERE id > 3")
    assert await audit.broken_at() is None, "the chain alone does not show it"
    (problem,) = (await verified(audit, file)).problems
    assert "rows 4 to 5 are gone" in problem


async def test_an_end_that_was_written_anew_shows(pool: Pool, file: AnchorFile) -> None:
    audit = await grow(pool, 3)
    await Anchoring(audit, file, lambda: NOW, every_s=60).look()
    await meddle(pool, "DELETE FROM audit WHERE id = 3")
    await audit.append(AuditEntry(actor="ops", action="something.else"), NOW)
    assert await audit.broken_at() is None
    (problem,) = (await verified(audit, file)).problems
    assert "row 3 is not the one that was anchored" in problem


async def test_a_changed_row_shows_with_and_without_anchors(pool: Pool, file: AnchorFile) -> None:
    audit = await grow(pool, 3)
    await Anchoring(audit, file, lambda: NOW, every_s=60).look()
    await meddle(pool, "UPDATE audit SET actor = 'nobody' WHERE id = 2")
    assert (await verified(audit, file)).problems == ("row 2 was changed, or the row before it is gone",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"seq":9,"hash":"' + "0" * 64 + '","at":"x","mac":"' + "0" * 64 + '"}', "was not signed with our key"),
        ("{}", "is no anchor"),
        ('{"seq":1,"seq":2}', "is no anchor"),
    ],
)
async def test_a_line_that_is_not_ours_is_told_and_not_believed(
    pool: Pool, tmp_path: Path, line: str, said: str
) -> None:
    audit = await grow(pool, 1)
    (tmp_path / "anchor.jsonl").write_text(line + "\n")
    found = await verified(audit, AnchorFile(tmp_path / "anchor.jsonl", KEY))
    assert found.anchors == 0
    assert said in found.problems[0]


async def test_a_file_that_cannot_be_written_is_said(pool: Pool, tmp_path: Path) -> None:
    audit = await grow(pool, 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(UnableToAnchor, match="cannot be written"):
        await Anchoring(audit, AnchorFile(tmp_path / "file" / "anchor", KEY), lambda: NOW, every_s=60).look()
