"""`oms return apply` by options makes the number, `oms approve show` what helps to decide."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.scenarios.environment import ScenarioEnvironment, Servers
from bench.scenarios.environment.evidence import evidence_of_a_house
from bench.scenarios.environment.return_case import case_of, picture
from deploy.local.logins import as_role
from domain.returns.enums import CaseStatus, Grade, ReturnType
from store.returns import ReturnStore
from store.returns.evidence_storage import Vault
from tests.returns.orders import cups, signed


async def oms(
    servers: Servers, house: ScenarioEnvironment, folder: Path, *arguments: str, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """A process of its own, pointed at the house, with its pictures in `folder`."""
    postgres, _ = await servers._open()
    database = await house.pool.fetchval("SELECT current_database()")
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("OMS_", "TEMPORAL_", "LANG", "LC_"))},
        "OMS_ENV_FILE": "", "OMS_ENVIRONMENT": "local", "OMS_STATE_DIR": str(folder / "state"),
        "OMS_DATABASE_URL": as_role(postgres.url(database), "oms_operator"), "OMS_EVIDENCE_URL": folder.as_uri(),
        "TEMPORAL_ADDRESS": house.temporal.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": house.temporal.namespace, **settings,
    }  # fmt: skip
    command = [sys.executable, "-m", "starter.cli", *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=False, env=env
    )


@pytest.fixture
def dent(tmp_path: Path) -> Path:
    file = tmp_path / "dent.png"
    file.write_bytes(picture())
    return file


async def test_an_application_is_made_of_options_with_a_number_of_its_own(
    servers: Servers, house: ScenarioEnvironment, tmp_path: Path, dent: Path
) -> None:
    order = (await signed(house, cups(2))).order.order_no
    words = (
        "return", "apply", "--order", order, "--unit", "L1=1", "--type", "return_refund", "--reason", "no_reason",
        "--photo", str(dent), "--by", "u-cs",
    )  # fmt: skip
    applied = await oms(servers, house, tmp_path, *words, "--json")
    assert applied.returncode == 0, applied.stderr
    answer = json.loads(applied.stdout)
    case = await ReturnStore(house.pool).view(answer["return_no"])
    assert case is not None and case.applied_by.kind == "cs_agent" and case.applied_by.on_behalf_of
    assert (case.type, len(case.evidence), case.quote.total_minor) == (ReturnType.RETURN_REFUND, 1, 3_000)
    again = await oms(servers, house, tmp_path, *words, "--quantity", "2")
    assert again.returncode == 0 and answer["return_no"] not in again.stdout, "every application has its own number"
    taken = await oms(servers, house, tmp_path, *words)
    assert (taken.returncode, "QTY_EXCEEDED" in taken.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what goes back"),
        (("--order", "{order}", "--unit", "L9=1", "--type", "refund_only", "--reason", "damaged"), "no line 'L9'"),
        (("--order", "{order}", "--unit", "L1=x", "--type", "refund_only", "--reason", "damaged"), "write it as L1=2"),
        (("--order", "{order}", "--unit", "L1"), "says --type and --reason"),
        (("file.json", "--order", "{order}"), "not both"),
    ],
)
async def test_an_application_that_is_not_whole_says_what_is_missing(
    servers: Servers, house: ScenarioEnvironment, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    order = (await signed(house, cups(2))).order.order_no
    refused = await oms(servers, house, tmp_path, "return", "apply", *(w.format(order=order) for w in words))
    assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


async def test_who_decides_sees_amounts_names_units_both_sides_pictures_and_who_decided_before(
    servers: Servers, house: ScenarioEnvironment, tmp_path: Path
) -> None:
    house.vault = Vault.at(tmp_path.as_uri())
    house.evidence = evidence_of_a_house(house.pool, house.vault)
    case = await case_of(await signed(house, cups(price=10_001)), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    first = (await case.asked()).request.approval_id
    listed = (await oms(servers, house, tmp_path, "approve", "list")).stdout
    assert first in listed and "100.01 CNY" in listed and "Refund applied for" in listed
    await case.decide("u-sup")
    await case.goods_come_back(Grade.MINOR)
    assert await case.status() is CaseStatus.FINANCE_REVIEW
    second = (await case.asked()).request.approval_id
    shown = await oms(servers, house, tmp_path, "approve", "show", second, "--photos", str(tmp_path / "seen"))
    assert shown.returncode == 0, shown.stderr
    for told in ("Refund before payout", "CUP", "100.01 CNY", "What the desk found", "minor", "the return desk's",
                 "the buyer's", first, "u-sup", "Approved"):  # fmt: skip
        assert told in shown.stdout or told.lower() in shown.stdout, (told, shown.stdout)
    pictures = sorted(path.name for path in (tmp_path / "seen").iterdir())
    assert len(pictures) >= 2 and any("inspection" in name for name in pictures)
    assert all(str(tmp_path / "seen" / name) in shown.stdout.splitlines() for name in pictures)
    chinese = (await oms(servers, house, tmp_path, "--lang", "zh", "approve", "show", second)).stdout
    assert "退款放款" in chinese and "质检结果" in chinese and "轻微瑕疵" in chinese and "已批准" in chinese


async def test_a_slip_says_where_it_goes_and_until_when(
    servers: Servers, house: ScenarioEnvironment, tmp_path: Path
) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.decide()
    address = {"OMS_CONSOLE_RETURN_ADDRESS": "上海市浦东新区示例路 1 号 退货组"}
    slip = await oms(servers, house, tmp_path, "return", "slip", case.return_no, **address)
    assert slip.returncode == 0, slip.stderr
    assert "寄至 / Send to: 上海市浦东新区示例路 1 号 退货组" in slip.stdout and "Hand over before" in slip.stdout
    page = tmp_path / "slip.html"
    await oms(servers, house, tmp_path, "return", "slip", case.return_no, "--html", str(page), **address)
    assert "示例路 1 号" in page.read_text(encoding="utf-8")
    unknown = await oms(servers, house, tmp_path, "return", "slip", case.return_no)
    assert (unknown.returncode, "Send to" in unknown.stdout) == (0, False)
