"""The audit's end cannot be cut off in silence: signed lines outside the table speak of rows that must be there."""

import hmac
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from domain.records import AuditEntry
from relay.jobs.audit_anchor import Anchoring
from store.audit.anchor import Anchor, AnchorFile, UnableToAnchor
from store.audit.audit import AuditHead
from store.pool import Pool
from tests.store.audit.anchored import KEY, grow, meddle, verified
from tests.store.examples import NOW


async def test_an_anchor_is_written_when_the_log_has_grown_and_only_then(pool: Pool, file: AnchorFile) -> None:
    audit = await grow(pool, 2)
    anchoring = Anchoring(pool, file, lambda: NOW, every_s=60)
    await anchoring.look()
    await anchoring.look()
    await grow(pool, 1)
    await anchoring.look()
    found = await verified(audit, file)
    assert (found.anchors, found.anchored, found.problems) == (2, 3, ())


async def test_a_cut_end_shows(pool: Pool, file: AnchorFile) -> None:
    audit = await grow(pool, 5)
    await Anchoring(pool, file, lambda: NOW, every_s=60).look()
    await meddle(pool, "DELETE FROM audit WHERE id > 3")
    assert await audit.broken_at() is None, "the chain alone does not show it"
    (problem,) = (await verified(audit, file)).problems
    assert "rows 4 to 5 are gone" in problem


async def test_an_end_that_was_written_anew_shows(pool: Pool, file: AnchorFile) -> None:
    audit = await grow(pool, 3)
    await Anchoring(pool, file, lambda: NOW, every_s=60).look()
    await meddle(pool, "DELETE FROM audit WHERE id = 3")
    await audit.append(AuditEntry(actor="ops", action="something.else"), NOW)
    assert await audit.broken_at() is None
    (problem,) = (await verified(audit, file)).problems
    assert "row 3 is not the one that was anchored" in problem


async def test_a_changed_row_shows_with_and_without_anchors(pool: Pool, file: AnchorFile) -> None:
    audit = await grow(pool, 3)
    await Anchoring(pool, file, lambda: NOW, every_s=60).look()
    await meddle(pool, "UPDATE audit SET actor = 'nobody' WHERE id = 2")
    assert (await verified(audit, file)).problems == ("row 2 was changed, or the row before it is gone",)


async def test_from_an_anchored_row_on_only_what_follows_is_held_against_its_hashes(pool: Pool) -> None:
    audit = await grow(pool, 3)
    anchored = await audit.head()
    await grow(pool, 3)
    await meddle(pool, "UPDATE audit SET actor = 'nobody' WHERE id = 2")
    assert (await audit.broken_at(), await audit.broken_at(anchored)) == (2, None)
    await meddle(pool, "UPDATE audit SET actor = 'nobody' WHERE id = 5")
    assert await audit.broken_at(anchored) == 5
    assert await audit.broken_at(AuditHead(3, "0" * 64)) == 4, "which does not follow another row than the anchored"


async def test_a_gap_at_the_end_of_what_is_read_at_once_shows(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.audit.audit._CHECKED", 2)
    audit = await grow(pool, 7)
    assert await audit.broken_at() is None
    await meddle(pool, "DELETE FROM audit WHERE id = 3")
    assert await audit.broken_at() == 4


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
    await grow(pool, 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(UnableToAnchor, match="cannot be written"):
        await Anchoring(pool, AnchorFile(tmp_path / "file" / "anchor", KEY), lambda: NOW, every_s=60).look()


async def test_a_line_taken_out_of_the_file_shows(pool: Pool, file: AnchorFile, tmp_path: Path) -> None:
    for _ in range(3):
        audit = await grow(pool, 1)
        await Anchoring(pool, file, lambda: NOW, every_s=60).look()
    path = tmp_path / "far" / "anchor.jsonl"
    first, _, last = path.read_text().splitlines()
    path.write_text(f"{first}\n{last}\n")
    (problem,) = (await verified(audit, file)).problems
    assert "line 2" in problem and "lines are gone" in problem


async def test_lines_of_older_versions_are_believed_and_followed(pool: Pool, file: AnchorFile, tmp_path: Path) -> None:
    audit = await grow(pool, 1)
    head = await audit.head()
    assert head is not None
    mac = hmac.new(KEY, f"{head.id}:{head.hash}:{NOW.isoformat()}".encode(), sha256).hexdigest()
    (tmp_path / "far").mkdir()
    old = Anchor(seq=head.id, hash=head.hash, at=NOW.isoformat(), mac=mac)
    (tmp_path / "far" / "anchor.jsonl").write_bytes(old.line())
    await grow(pool, 1)
    await Anchoring(pool, file, lambda: NOW, every_s=60).look()
    found = await verified(audit, file)
    assert (found.anchors, found.anchored, found.problems) == (2, 2, ())
    assert file.read()[0][1].prev == mac


@pytest.mark.parametrize("rows_after", [0, 4])
async def test_a_head_that_has_gone_back_is_asked_about_at_once_and_not_anchored(
    pool: Pool, file: AnchorFile, rows_after: int
) -> None:
    await grow(pool, 5)
    anchoring = Anchoring(pool, file, lambda: NOW, every_s=60)
    await anchoring.look()
    await meddle(pool, "DELETE FROM audit WHERE id > 3")
    await grow(pool, rows_after)
    for one in (anchoring, Anchoring(pool, file, lambda: NOW, every_s=60)):  # a restart does not forget
        await one.look()
        await one.look()
    (ticket,) = await pool.fetch("SELECT system, step, severity, error FROM tickets")
    assert (ticket["system"], ticket["step"], ticket["severity"]) == ("audit", "anchor", "urgent")
    assert "row 5 of the audit was there" in ticket["error"]
    assert len(file.read()[0]) == 1


async def test_after_a_persons_answer_the_audit_is_anchored_from_where_it_is(pool: Pool, file: AnchorFile) -> None:
    audit = await grow(pool, 5)
    anchoring = Anchoring(pool, file, lambda: NOW, every_s=60)
    await anchoring.look()
    await meddle(pool, "DELETE FROM audit WHERE id > 3")
    await anchoring.look()
    await pool.execute("UPDATE tickets SET resolved_at = now(), resolved_by = 'u-adm', action = 'give_up'")
    await anchoring.look()
    assert [a.seq for a in file.read()[0]] == [5, 3]
    assert "rows 4 to 5 are gone" in (await verified(audit, file)).problems[0], "it goes on being said"


async def test_after_an_answered_loss_a_restart_still_sees_the_next_one(pool: Pool, file: AnchorFile) -> None:
    """The anchors of rows that are gone for good have higher numbers than what was anchored since."""
    now = NOW

    async def look() -> None:
        """By a relay that has just begun."""
        nonlocal now
        now += timedelta(minutes=1)
        await Anchoring(pool, file, lambda: now, every_s=60).look()

    await grow(pool, 9)
    await look()
    await meddle(pool, "DELETE FROM audit WHERE id > 3")
    await look()
    await pool.execute("UPDATE tickets SET resolved_at = now(), resolved_by = 'u-adm', action = 'give_up'")
    await look()
    await meddle(pool, "DELETE FROM audit WHERE id > 2")
    await look()
    assert await pool.fetchval("SELECT count(*) FROM tickets WHERE system = 'audit'") == 2
    assert [a.seq for a in file.read()[0]] == [9, 3]


async def test_after_a_torn_line_the_next_one_counts(pool: Pool, file: AnchorFile, tmp_path: Path) -> None:
    audit = await grow(pool, 1)
    await Anchoring(pool, file, lambda: NOW, every_s=60).look()
    path = tmp_path / "far" / "anchor.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    await grow(pool, 1)
    await Anchoring(pool, file, lambda: NOW, every_s=60).look()
    found = await verified(audit, file)
    assert (found.anchors, found.anchored, found.problems) == (2, 2, ("line 2 of the anchor file is no anchor",))
