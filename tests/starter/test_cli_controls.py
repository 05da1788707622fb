"""`oms people` and `oms config policy` on a real worker and database: asked for by one, decided by another."""

import json
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.access.authority import Binding
from providers.tokens.issue import issue_proof, key_set, new_key, read_key
from tests.domain.rules import a_table
from tests.postgres import database_url
from tests.starter.conftest import Oms, Said
from tests.starter.test_cli_rules import a_file, drafted, past_orders, published, store

__all__ = ["database_url", "past_orders", "store"]

NOTHING_LOOSER = "Nothing becomes looser"


def decided(oms: Oms, number: str, person: str) -> Said:
    return oms("approve", "approve", number, "--as", person, "--remark", "looked at it")


def until_made(look: Any) -> None:
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def people(oms: Oms) -> dict[str, Any]:
    return {p["person_id"]: p for p in oms("people", "list", "--json").json}


def policy_file(oms: Oms, folder: Path, **settings: object) -> str:
    policy = oms("config", "policy", "show", "--json").json | settings
    (folder / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    return str(folder / "policy.json")


def test_a_person_is_added_with_what_it_lets_through_in_words_once_another_administrator_agrees(oms: Oms) -> None:
    said = oms("people", "add", "u-new", "--role", "FINANCE", "--by", "u-admin")
    assert said.code == 0, said
    assert "A-people/u-new-1 asks ADMIN" in said.out and "! u-new 获得 FINANCE" in said.out
    assert "u-new" not in people(oms)
    for person in ("u-admin", "u-fin"):
        assert decided(oms, "A-people/u-new-1", person).code == 3
    assert (
        "! u-new 获得 FINANCE：审批放款、账外资金和政策 / u-new gets FINANCE"
        in oms("approve", "show", "A-people/u-new-1").out
    )
    assert decided(oms, "A-people/u-new-1", "u-admin2").code == 0
    until_made(lambda: people(oms).get("u-new", {}).get("roles") == ["FINANCE"])


def test_who_is_no_administrator_or_brings_keys_of_their_own_asks_for_nothing(
    oms: Oms, monkeypatch: pytest.MonkeyPatch
) -> None:
    for by, code in (("u-fin", "WRONG_ROLE"), ("root", "UNKNOWN_PERSON")):
        said = oms("people", "add", "u-crony", "--role", "FINANCE", "--by", by)
        assert (said.code, code in said.err) == (3, True), said
    pem = new_key()
    monkeypatch.setenv("OMS_TOKENS_PRIVATE_KEY", pem)
    monkeypatch.setenv("OMS_TOKENS_JWKS", json.dumps(key_set(read_key(pem))))
    said = oms("people", "add", "u-crony", "--role", "FINANCE", "--by", "u-admin")
    assert (said.code, "TOKEN_INVALID" in said.err) == (3, True), said
    assert oms("approve", "list", "--all", "--json").json == [] and "u-crony" not in people(oms)


def test_where_other_commands_are_taken_at_their_word_the_controls_are_not(
    oms: Oms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMS_TOKENS_PRIVATE_KEY")
    said = oms("people", "add", "u-crony", "--role", "FINANCE", "--by", "u-admin")
    assert (said.code, "PROOF_REQUIRED" in said.err) == (3, True), said
    assert oms("approve", "list", "--all", "--json").json == []


def test_who_is_deactivated_is_so_at_once_and_comes_back_by_two(oms: Oms) -> None:
    for _ in range(2):
        assert oms("people", "deactivate", "u-fin", "--by", "u-admin").code == 0
    assert people(oms)["u-fin"]["active"] is False
    said = oms("people", "activate", "u-fin", "--by", "u-admin")
    assert (said.code, "u-fin gets FINANCE" in said.out) == (0, True), said
    assert people(oms)["u-fin"]["active"] is False


def test_an_installation_with_an_administrator_is_given_no_others(oms: Oms) -> None:
    said = oms("people", "bootstrap", "u-x", "u-y", "--by", "root")
    assert (said.code, "there is an administrator already" in said.err) == (1, True), said
    assert "u-x" not in people(oms)


def test_a_policy_waits_for_finance_and_history_and_diff_tell_what_changed(oms: Oms, tmp_path: Path) -> None:
    file = policy_file(oms, tmp_path, small_refund_max_minor=99_999_999)
    number = str(oms("config", "policy", "draft", file, "--by", "u-ops", "--json").json["draft_no"])
    early = oms("config", "policy", "publish", number, "--by", "u-ops")
    assert (early.code, f"oms config policy try {number}" in early.err) == (1, True), early
    assert oms("config", "policy", "try", number, "--json").json["returns"] == 0
    said = oms("config", "policy", "publish", number, "--by", "u-ops")
    for text, there in (("A-policy-1 asks FINANCE", True), ("100.00 → 999,999.99", True), (NOTHING_LOOSER, False)):
        assert (text in said.out) == there, said
    assert oms("config", "policy", "show", "--json").json["small_refund_max_minor"] == 10_000
    assert decided(oms, "A-policy-1", "u-ops").code == 3
    assert decided(oms, "A-policy-1", "u-fin").code == 0
    until_made(lambda: oms("config", "policy", "show", "--json").json["version"] == 1)
    newest = oms("config", "policy", "history", "--json").json[0]
    assert (newest["published_by"], newest["changed"]) == ("u-fin", {"small_refund_max_minor": [10_000, 99_999_999]})
    assert "small_refund_max_minor 10000 → 99999999" in oms("config", "policy", "history").out
    assert "100.00 → 999,999.99" in oms("config", "policy", "diff", "0").out
    assert NOTHING_LOOSER in oms("config", "policy", "diff", "1", "0").out
    assert oms("config", "policy", "diff", "0", "1", "--json").json["looser"] != []
    unknown = oms("config", "policy", "diff", "0", "9")
    assert (unknown.code, unknown.err.count("\n"), "oms config policy history" in unknown.err) == (1, 1, True)
    assert oms("config", "policy", "drafts", "--json").json[0]["version"] == 1
    same = oms("config", "policy", "draft", policy_file(oms, tmp_path), "--by", "u-ops")
    assert (same.code, "nothing differs" in same.err) == (1, True), same
    back = str(oms("config", "policy", "bring-back", "0", "--by", "u-ops", "--json").json["draft_no"])
    assert oms("config", "policy", "drafts", "--json").json[0]["policy"]["small_refund_max_minor"] == 10_000
    assert oms("config", "policy", "try", back, "--json").json["returns"] == 0
    none = oms("config", "policy", "bring-back", "9", "--by", "u-ops")
    assert (none.code, "oms config policy history" in none.err) == (1, True), none


def test_a_policy_that_makes_nothing_looser_says_so(oms: Oms, tmp_path: Path) -> None:
    file = policy_file(oms, tmp_path, small_refund_max_minor=1)
    number = str(oms("config", "policy", "draft", file, "--by", "u-ops", "--json").json["draft_no"])
    assert "finance decides" in oms("config", "policy", "try", number).out
    said = oms("config", "policy", "publish", number, "--by", "u-ops")
    assert (said.code, NOTHING_LOOSER in said.out) == (0, True), said
    bad = oms("config", "policy", "draft", policy_file(oms, tmp_path, receipt_s=0), "--by", "u-ops")
    assert (bad.code, "receipt_s" in bad.err) == (2, True), bad


@pytest.mark.usefixtures("past_orders")
def test_a_table_that_asks_finance_less_often_is_told_so_and_decided_by_finance(oms: Oms, tmp_path: Path) -> None:
    small, high = {"amount_minor": "<= 5000"}, {"risk": '"high"'}
    strict = a_table(
        "approval_route",
        {**high, "levels": '["CS_SUPERVISOR", "FINANCE"]'}, {**small, "levels": '["CS_SUPERVISOR"]'},
        {"levels": '["CS_SUPERVISOR", "FINANCE"]'},
    )  # fmt: skip
    number = drafted(oms, a_file(tmp_path, approval_route=strict))
    assert "looser" not in oms("rules", "validate", str(number)).out
    oms("rules", "simulate", str(number))
    assert published(oms, number, "u-ops").code == 3
    assert published(oms, number, "u-fin").json["version"] == 1
    usual = a_table(
        "approval_route",
        {"condition": "amount_minor <= small_max_minor", "levels": '["CS_SUPERVISOR"]'},
        {"levels": '["CS_SUPERVISOR", "FINANCE"]'},
    )
    file = a_file(tmp_path, approval_route=usual)
    assert "FINANCE no longer asked about" in oms("rules", "validate", "--file", file).out
    number = drafted(oms, file)
    oms("rules", "simulate", str(number))
    said = oms("rules", "publish", str(number), "--by", "u-ed")
    assert "! 放宽" in said.out and "asks FINANCE" in said.out, said


@pytest.mark.parametrize(
    "rows",
    [
        [{"levels": '["CS_SUPERVISOR"]'}],
        [{"levels": '["SYSTEM"]'}],
        [{"exempt": "false", "levels": '["SYSTEM"]'}, {"levels": '["CS_SUPERVISOR", "FINANCE"]'}],
        [{"amount_minor": "<= 99_999_999", "levels": '["CS_SUPERVISOR"]'}, {"levels": '["CS_SUPERVISOR", "FINANCE"]'}],
        [{"type": "'exchange'", "levels": '["SYSTEM"]'}, {"levels": '["CS_SUPERVISOR", "FINANCE"]'}],
    ],
)
def test_a_table_by_which_nobody_or_one_role_alone_decides_money_is_refused(
    oms: Oms, tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    file = a_file(tmp_path, approval_route=a_table("approval_route", *rows))
    for command in (("draft", file, "--by", "u-ed"), ("validate", "--file", file)):
        said = oms("rules", *command, "--json")
        assert said.code == 2, said
        assert [f["row"] for f in said.json] == ["R1"]
        assert any(text in said.json[0]["text"] for text in ("SYSTEM is for rows", "would be one role")), said


def test_outside_a_developers_stack_who_asks_brings_a_token_for_exactly_this(
    oms: Oms, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("connections", "approvals.controls"):  # all else is as on one
        monkeypatch.setattr(f"starter.cli.{room}.is_local_stack", lambda: False)
    monkeypatch.setenv("LOGNAME", "u-admin")
    command = ("people", "add", "u-new", "--role", "FINANCE")
    told = oms(*command)
    words = re.search(r"workflow (\S+), command (\S+), content_hash (\w{64}) .* nonce (\w{64})", told.err)
    assert told.code == 3 and words, told
    binding = Binding(words[1], words[2], words[3])
    assert (binding.workflow_id, binding.nonce) == ("controls/people/u-new-1", words[4])
    key = read_key(os.environ["OMS_TOKENS_PRIVATE_KEY"])
    made: dict[str, Any] = {"issuer": "oms-local", "audience": "oms-approvals", "now": datetime.now(UTC)}
    proof = issue_proof(key, "u-admin", binding, token_id="p-1", **made)
    other = oms("people", "add", "u-new", "--role", "ADMIN", "--proof", proof)
    assert (other.code, "PROOF_MISMATCH" in other.err) == (3, True), other
    said = oms(*command, "--proof", proof)
    assert (said.code, "A-people/u-new-1 asks ADMIN" in said.out) == (0, True), said
    told_twice = [re.findall(r"controls/people/u-fin-(\d+)", oms("people", "deactivate", "u-fin").err) for _ in "12"]
    first, second = (int(numbers[0]) for numbers in told_twice)
    assert second - first in (0, 1), "a quarter of an hour to make a token for it"
