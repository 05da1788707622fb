"""`oms sandbox`: the other side of a local stack, played by hand, and never anybody else's."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.local.logins import as_role
from sandbox.core import Settings, serve
from sandbox.kuaidi100.server import create_app as courier
from sandbox.wechat.server import Server as Wechat
from tests.postgres import database_url
from tests.providers.wechat_world import APIV3_KEY, APPID, MCHID, PLATFORM_ID, SERIAL, private_pem, public_pem
from tests.starter.conftest import Oms

DOCS = Path(__file__).resolve().parents[2] / "docs/sandbox.md"

__all__ = ["database_url"]


class Sandboxes:
    """A payment channel that knows the order O-00001, and a courier; on a loop of their own."""

    def __init__(self) -> None:
        self._ready, self._over = threading.Event(), asyncio.Event()
        self.urls: dict[str, str] = {}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(20)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        wechat = Wechat(
            Settings(
                {
                    "MCHID": MCHID, "APPID": APPID, "APIV3_KEY": APIV3_KEY, "MERCHANT_SERIAL": SERIAL,
                    "MERCHANT_PUBLIC_KEY": public_pem("merchant"), "PLATFORM_PRIVATE_KEY": private_pem("platform"),
                    "PLATFORM_SERIAL": PLATFORM_ID,
                }
            )
        )  # fmt: skip
        wechat.books.create(
            "O-00001", {"amount": {"total": 100, "currency": "CNY"}, "notify_url": "http://127.0.0.1:9/"}
        )
        async with AsyncExitStack() as open_ones:
            self.urls["wechat"] = await open_ones.enter_async_context(serve(wechat.box.app(wechat.routes())))
            box = courier(Settings({"CUSTOMER": "C", "KEY": "k" * 16}))
            self.urls["kuaidi100"] = await open_ones.enter_async_context(serve(box))
            self._ready.set()
            await self._over.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)


@pytest.fixture(scope="module")
def boxes() -> Iterator[Sandboxes]:
    found = Sandboxes()
    yield found
    found.close()


@pytest.fixture
def sandbox(oms: Oms, boxes: Sandboxes, monkeypatch: pytest.MonkeyPatch) -> Oms:
    for name, url in boxes.urls.items():
        monkeypatch.setenv(f"OMS_{name.upper()}_BASE_URL", f"{url}/any/path")
    return lambda *words: oms("sandbox", *words)


def test_an_order_is_paid_where_it_is_known_and_refused_with_advice_where_it_is_not(sandbox: Oms) -> None:
    done = sandbox("pay", "O-00001", "--channel", "wechat", "--json")
    assert (done.code, done.json["channel"]) == (0, "wechat")
    assert done.json["transaction"].startswith("42000")
    unknown = sandbox("pay", "O-00002", "--channel", "wechat")
    assert unknown.code == 1
    assert "was not paid" in unknown.err and "oms order show O-00002" in unknown.err


def test_a_parcel_that_is_moved_before_it_is_handed_over_goes_its_way_and_stays_at_its_end(
    sandbox: Oms, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMS_DATABASE_URL", as_role(database_url, "oms_operator"))
    first, again = (sandbox("move", "YT0000000000009", "--to-end", "--json") for _ in range(2))
    assert (first.code, again.code) == (0, 0), (first.err, again.err)
    assert first.json[0]["finished"] and again.json == first.json


def test_faults_are_armed_shown_and_taken_back(sandbox: Oms) -> None:
    armed = sandbox("fault", "kuaidi100", "query", "busy", "--times", "2", "--order", "O-1", "--json")
    assert [(f["operation"], f["fault"], f["times"], f["match"]) for f in armed.json] == [
        ("query", "busy", 2, {"order_no": "O-1"})
    ]
    assert sandbox("fault", "kuaidi100", "--clear", "--json").json == []
    wrong = sandbox("fault", "kuaidi100", "query", "sulk")
    assert wrong.code == 1
    assert "no fault 'sulk' here; known are" in wrong.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("pay", "O-00001", "--channel", "cash"), 2, "no payment channel"),
        (("fault", "bank"), 2, "there is no sandbox"), (("fault", "qimen"), 1, "start one with `make up`"),
        (("fault", "kuaidi100", "query"), 2, "say how query is to fail"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_with_advice(sandbox: Oms, words: tuple[str, ...], code: int, said: str) -> None:
    done = sandbox(*words)
    assert (done.code, said in done.err) == (code, True), done.err


def test_nothing_is_asked_of_what_is_no_sandbox_or_no_local_stack(
    sandbox: Oms, boxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMS_QIMEN_BASE_URL", boxes.urls["wechat"])
    assert "is no sandbox of qimen; nothing was done" in sandbox("fault", "qimen").err
    monkeypatch.setenv("OMS_ENVIRONMENT", "prod")
    assert sandbox("pay", "O-00001").code == 1


def test_the_page_names_every_fault_of_every_sandbox() -> None:
    from sandbox.alipay.server import OWN_FAULTS as ALIPAY
    from sandbox.core.faults import CALLBACK_FAULTS, HTTP_FAULTS
    from sandbox.qimen.server import _ON_CANCEL, _ON_PUSH
    from sandbox.wechat.server import OWN_FAULTS as WECHAT

    page = DOCS.read_text(encoding="utf-8")
    known = {*ALIPAY, *WECHAT, *HTTP_FAULTS, *CALLBACK_FAULTS, *_ON_PUSH, *_ON_CANCEL}
    known |= {"exception", "refused", "lost_parcel", "busy", "address_not_served", "too_late", "system_error"}
    assert sorted(name for name in known if f"`{name}`" not in page) == []
