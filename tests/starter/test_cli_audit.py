"""`oms audit`: the log listed, verified and exported, on a real database."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.records import AuditEntry
from store.audit.anchor import AnchorFile
from store.audit.audit import AuditStore
from store.audit.copies import AnchorCopies
from store.pool import Pool
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import Store, store

__all__ = ["database_url", "store"]

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
KEY = "a-key-of-the-tests-with-32-characters"


@pytest.fixture
def anchored(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three rows, anchored."""
    path = tmp_path / "anchor.jsonl"
    monkeypatch.setenv("OMS_AUDIT_ANCHOR_FILE", str(path))
    monkeypatch.setenv("OMS_AUDIT_ANCHOR_KEY", KEY)

    async def seed(pool: Pool) -> None:
        audit = AuditStore(pool)
        for n, actor in enumerate(("anna", "=cmd()", "bo")):
            await audit.append(AuditEntry(actor=actor, action="stock.receive", detail={"n": n}), NOW)
        head = await audit.head()
        assert head is not None
        AnchorFile(path, KEY.encode()).append(head, NOW)

    store(seed)
    return path


def test_a_whole_log_is_said_to_be_whole(oms: Oms, anchored: Path) -> None:
    said = oms("audit", "verify", "--json")
    assert (said.code, said.json["rows"], said.json["whole"], said.json["anchored"]) == (0, 3, True, 3)
    assert "The log is whole." in oms("audit", "verify").out


def test_since_the_newest_anchor_only_what_followed_is_held_against_its_hash(
    oms: Oms, anchored: Path, store: Store
) -> None:
    async def meddle(pool: Pool) -> None:
        await pool.execute("ALTER TABLE audit DISABLE TRIGGER audit_only_grows")
        await pool.execute("UPDATE audit SET actor = 'nobody' WHERE id = 2")

    store(meddle)
    assert (oms("audit", "verify").code, oms("audit", "verify", "--new").code) == (1, 0)


def test_a_cut_log_is_an_error(oms: Oms, anchored: Path, store: Store) -> None:
    async def cut(pool: Pool) -> None:
        await pool.execute("ALTER TABLE audit DISABLE TRIGGER audit_only_grows")
        await pool.execute("DELETE FROM audit WHERE id = 3")

    store(cut)
    said = oms("audit", "verify")
    assert said.code == 1
    assert "rows 3 to 3 are gone" in said.out


def test_a_log_cut_together_with_its_anchors_is_an_error_by_the_copy_elsewhere(
    oms: Oms, anchored: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = (tmp_path / "elsewhere").as_uri()
    monkeypatch.setenv("OMS_AUDIT_COPY_URL", elsewhere)
    assert "No copy of an anchor elsewhere." in oms("audit", "verify").out
    (anchor,) = AnchorFile(anchored, KEY.encode()).read()[0]

    async def copied_and_cut(pool: Pool) -> None:
        await AnchorCopies.at(elsewhere, KEY.encode()).put(anchor)
        await pool.execute("ALTER TABLE audit DISABLE TRIGGER audit_only_grows")
        await pool.execute("DELETE FROM audit WHERE id = 3")

    store(copied_and_cut)
    anchored.write_text("")
    said = oms("audit", "verify", "--json")
    assert (said.code, said.json["copies"], said.json["whole"]) == (1, 1, False)
    assert any("rows 3 to 3 are gone" in problem for problem in said.json["problems"])


def test_a_missing_anchor_file_is_told(oms: Oms, anchored: Path) -> None:
    anchored.unlink()
    said = oms("audit", "verify")
    assert said.code == 1
    assert "cannot be read" in said.out


def test_the_log_is_listed_and_exported_without_formulas(oms: Oms, anchored: Path, tmp_path: Path) -> None:
    assert [row["actor"] for row in oms("audit", "list", "--json").json] == ["bo", "=cmd()", "anna"]
    sheet, lines = tmp_path / "audit.csv", tmp_path / "audit.jsonl"
    assert oms("audit", "export", "--out", str(sheet)).code == 0
    with sheet.open(newline="") as file:
        assert [row["actor"] for row in csv.DictReader(file)] == ["anna", "'=cmd()", "bo"]
    assert oms("audit", "export", "--format", "jsonl", "--out", str(lines)).code == 0
    assert [json.loads(line)["id"] for line in lines.read_text().splitlines()] == [1, 2, 3]
    again = oms("audit", "export", "--out", str(sheet))
    assert (again.code, "exists already" in again.err) == (1, True)
