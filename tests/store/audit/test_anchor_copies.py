"""Anchors lie a second time where whoever cuts audit and file together does not reach."""

from datetime import timedelta
from pathlib import Path

import pytest

from relay.jobs.audit_anchor import Anchoring
from store.audit.anchor import Anchor, AnchorFile, UnableToAnchor, judge
from store.audit.audit import AuditHead
from store.audit.copies import NEWEST, AnchorCopies
from store.object_stores import object_store_at
from store.pool import Pool
from tests.store.audit.anchored import KEY, grow, meddle, verified
from tests.store.examples import NOW


class SecondPlace(AnchorCopies):
    """Copies in a folder that can be out of reach."""

    away = True

    async def put(self, anchor: Anchor) -> None:
        self._reach()
        await super().put(anchor)

    async def newest(self, most: int = NEWEST) -> tuple[tuple[Anchor, ...], tuple[str, ...]]:
        self._reach()
        return await super().newest(most)

    async def rows(self) -> list[int]:
        return sorted(anchor.seq for anchor in (await self.newest())[0])

    def _reach(self) -> None:
        if self.away:
            raise UnableToAnchor("nobody answers there")


@pytest.fixture
def place(tmp_path: Path) -> SecondPlace:
    """Away until it is back."""
    return SecondPlace(object_store_at((tmp_path / "elsewhere").as_uri(), "copies", None)[0], KEY)


async def test_the_file_goes_on_alone_while_the_second_place_is_away_and_the_copies_follow(
    pool: Pool, file: AnchorFile, place: SecondPlace
) -> None:
    anchoring = Anchoring(pool, file, lambda: NOW, every_s=60, copies=place)
    for grown in (1, 2, 3):
        audit = await grow(pool, 1)
        with pytest.raises(UnableToAnchor):
            await anchoring.look()
        assert [a.seq for a in file.read()[0]] == list(range(1, grown + 1))
    place.away = False
    await anchoring.look()
    assert await place.rows() == [1, 2, 3]
    assert (await verified(audit, file)).anchors == 3, "no line was written twice"


async def test_copies_that_an_earlier_process_could_not_write_follow_too(
    pool: Pool, file: AnchorFile, place: SecondPlace
) -> None:
    await grow(pool, 1)
    place.away = False
    await Anchoring(pool, file, lambda: NOW, every_s=60, copies=place).look()
    place.away = True
    for _ in range(2):
        await grow(pool, 1)
        with pytest.raises(UnableToAnchor):
            await Anchoring(pool, file, lambda: NOW, every_s=60, copies=place).look()
    place.away = False
    await Anchoring(pool, file, lambda: NOW, every_s=60, copies=place).look()
    assert await place.rows() == [1, 2, 3]


async def test_a_place_that_goes_away_in_between_loses_no_copy(
    pool: Pool, file: AnchorFile, place: SecondPlace
) -> None:
    place.away = False
    anchoring = Anchoring(pool, file, lambda: NOW, every_s=60, copies=place)
    for gone in (False, True, True, False):
        await grow(pool, 1)
        if gone:
            place.away = True
            with pytest.raises(UnableToAnchor):
                await anchoring.look()
            continue
        place.away = False
        await anchoring.look()
    assert await place.rows() == [1, 2, 3, 4]


async def test_a_cut_that_only_the_copies_show_is_asked_about_when_they_are_back(
    pool: Pool, file: AnchorFile, place: SecondPlace, tmp_path: Path
) -> None:
    """Audit and file cut together while the second place is kept away: the file goes on, a person is asked later."""
    place.away = False
    await grow(pool, 5)
    await Anchoring(pool, file, lambda: NOW, every_s=60, copies=place).look()
    place.away = True
    await meddle(pool, "DELETE FROM audit WHERE id > 3")
    (tmp_path / "far" / "anchor.jsonl").unlink()
    later = NOW + timedelta(hours=1)
    anchoring = Anchoring(pool, file, lambda: later, every_s=60, copies=place)
    with pytest.raises(UnableToAnchor):
        await anchoring.look()
    place.away = False
    await grow(pool, 1)
    for _ in range(2):
        await anchoring.look()
    assert await pool.fetchval("SELECT count(*) FROM tickets WHERE system = 'audit'") == 1
    assert [a.seq for a in file.read()[0]] == [3], "nothing is anchored until a person has answered"
    await pool.execute("UPDATE tickets SET resolved_at = now(), resolved_by = 'u-adm', action = 'give_up'")
    await anchoring.look()
    assert [a.seq for a in file.read()[0]] == [3, 4]
    assert await place.rows() == [3, 4, 5]


async def test_audit_and_anchors_cut_together_show_by_the_copies(pool: Pool, file: AnchorFile, tmp_path: Path) -> None:
    copies = AnchorCopies.at((tmp_path / "elsewhere").as_uri(), KEY)
    path = tmp_path / "far" / "anchor.jsonl"
    await grow(pool, 2)
    anchoring = Anchoring(pool, file, lambda: NOW, every_s=60, copies=copies)
    await anchoring.look()
    kept = path.read_bytes()
    audit = await grow(pool, 3)
    await anchoring.look()
    await meddle(pool, "DELETE FROM audit WHERE id > 2")
    path.write_bytes(kept)
    anchors, problems = file.read()
    assert judge(await audit.head(), None, anchors, await audit.hashes([2]), problems).problems == ()
    kept_copies, wrong = await copies.newest()
    hashes = await audit.hashes([a.seq for a in (*anchors, *kept_copies)])
    found = judge(await audit.head(), None, anchors, hashes, (*problems, *wrong), kept_copies)
    assert found.copies == 2
    assert any("lines of the anchor file are gone: row 5" in problem for problem in found.problems)
    assert any("rows 3 to 5 are gone" in problem for problem in found.problems)
    await Anchoring(pool, file, lambda: NOW, every_s=60, copies=copies).look()
    assert await pool.fetchval("SELECT count(*) FROM tickets WHERE system = 'audit'") == 1


async def test_a_copy_that_is_not_ours_is_told_and_not_believed(pool: Pool, file: AnchorFile, tmp_path: Path) -> None:
    copies = AnchorCopies.at((tmp_path / "elsewhere").as_uri(), KEY)
    await grow(pool, 1)
    await Anchoring(pool, file, lambda: NOW, every_s=60, copies=copies).look()
    (mine,) = (tmp_path / "elsewhere").iterdir()
    mine.write_bytes(mine.read_bytes().replace(b'"seq":1', b'"seq":7'))
    (tmp_path / "elsewhere" / "junk.json").write_text("{}")
    anchors, problems = await copies.newest()
    assert anchors == ()
    assert ["was not signed" in p or "none of ours" in p for p in problems] == [True, True]


async def test_junk_beside_the_copies_hides_none_of_them(pool: Pool, file: AnchorFile, tmp_path: Path) -> None:
    copies = AnchorCopies.at((tmp_path / "elsewhere").as_uri(), KEY)
    await grow(pool, 1)
    await Anchoring(pool, file, lambda: NOW, every_s=60, copies=copies).look()
    for n in range(3):
        (tmp_path / "elsewhere" / f"~{n}.json").write_text("{}")
    anchors, problems = await copies.newest(1)
    assert [anchor.seq for anchor in anchors] == [1]
    assert "none of ours" in problems[0]


async def test_a_file_that_lost_all_its_lines_shows_by_the_copies(file: AnchorFile) -> None:
    anchor = file.append(AuditHead(id=1, hash="0" * 64), NOW)
    found = judge(AuditHead(id=1, hash="0" * 64), None, (), {1: "0" * 64}, (), (anchor,))
    assert any("lines of the anchor file are gone" in problem for problem in found.problems)
