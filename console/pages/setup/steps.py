"""`/setup`: what is there and what is not yet, each with the page that does it; a ready set, asked for in one go."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import SETUP_READERS
from console.pages.acting import field
from console.pages.controls.asking import asked
from console.pages.rendering import render
from console.session.user import User
from console.text.catalogue import N_
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.controls import ControlChange, PublishAutomations, PublishForms, PublishPolicy
from domain.access.desk import DraftPolicy, TryAutomation
from domain.policy import changes
from domain.returns.forms import FormBook
from store.automation.books import BookStore
from store.automation.desk import AutomationDesk
from store.console.setting_up import COUNTED, how_far
from store.pool import Pool
from store.rules.policies import PolicyStore
from store.rules.policy_drafts import PolicyDrafts
from store.rules.templates import ReadySet, ready_sets

router = APIRouter()
MOST_NUMBER = 10**9


@dataclass(frozen=True)
class SetupStep:
    """`text`, `detail`: of the catalogue; `n`: how many there are. `path`: where it is done, if it is a page."""

    text: str
    done: bool
    detail: str
    path: str
    n: int | str = ""


@router.get("/setup")
async def setup(request: Request, user: Annotated[User, Depends(SETUP_READERS)]) -> Response:
    return await _page(request, user)


@router.post("/setup/set")
async def take_set(request: Request, user: Annotated[User, Depends(SETUP_READERS)]) -> Response:
    """Policy, automations and forms of a ready set, each a question to a second person; what is so already is none."""
    wanted = next((one for one in ready_sets() if one.id == request.query_params.get("id")), None)
    if wanted is None or not user.may_give("controls.change: automations"):
        raise HTTPException(404)
    if not await field(request, "csrf"):
        raise HTTPException(400)
    numbers: list[str] = []
    for change in await _changes(wiring_of(request).pool, wanted):
        ready = await tried(_prepared(request, user, wanted, change))
        if isinstance(ready, RefusedAct):
            return await _page(request, user, ready, numbers)
        number = await asked(request, user, ready)
        if isinstance(number, RefusedAct):
            return await _page(request, user, number, numbers)
        numbers.append(number)
    return await _page(request, user, None, numbers)


async def _prepared(request: Request, user: User, wanted: ReadySet, change: ControlChange) -> ControlChange:
    """Tried on what has happened, as all that is published is: also where nothing has happened yet."""
    wiring, desk = wiring_of(request), await user.desk()
    if isinstance(change, PublishPolicy):
        based_on = (await PolicyStore(wiring.pool).current()).version
        work = DraftPolicy(policy=change.policy, name=wanted.name.zh, based_on=based_on)
        number = (await desk.do(work, secrets.randbelow(MOST_NUMBER), user.id))["draft_no"]
        await PolicyDrafts(wiring.pool).try_on_the_past(number, user.id, wiring.now())
        return change.model_copy(update={"draft_no": number})
    if isinstance(change, PublishAutomations):
        for one in wanted.automations.automations:
            if one.moves:
                await desk.do(TryAutomation(automation=one), secrets.randbelow(MOST_NUMBER), user.id)
    return change


async def _changes(pool: Pool, wanted: ReadySet) -> list[ControlChange]:
    """Those that would change something."""
    found: list[ControlChange] = []
    policy = await PolicyStore(pool).current()
    if changes(policy, wanted.policy_on(policy)):
        found.append(PublishPolicy(policy=wanted.policy_on(policy)))
    book = await AutomationDesk(pool).book()
    if (automations := wanted.automations_on(book)).automations != book.automations:
        found.append(PublishAutomations(book=automations))
    newest = await BookStore(pool).newest("forms")
    forms = FormBook() if newest is None else newest.read(FormBook)
    if (then := wanted.forms_on(forms)).rules != forms.rules:
        found.append(PublishForms(book=then))
    return found


def _counted(n: int) -> int | str:
    return n if n < COUNTED else f"{COUNTED:,}+"


def steps_of(found: Mapping[str, Any], return_address: str | None) -> list[SetupStep]:
    heard = ", ".join(found["heard_of"])
    return [
        SetupStep(
            N_("Two administrators"), found["administrators"] >= 2,
            N_("One asks, the other decides: `oms people bootstrap` makes them."), "/people", found["administrators"],
        ),
        SetupStep(
            N_("People who decide"), found["roles"] == 4,
            N_("Order operations, supervisor, finance and warehouse: somebody each."), "/people", found["roles"],
        ),
        SetupStep(
            N_("Keys of shop, payment, warehouse and courier"), bool(heard),
            N_("They stand in each process's settings and are never shown here. `oms config check` names what is "
               "missing; one that has told us something proves that its key works."), "", heard,
        ),
        SetupStep(
            N_("Address for returns"), bool(return_address), N_("Setting OMS_CONSOLE_RETURN_ADDRESS."), "",
        ),
        SetupStep(N_("Catalogue file"), found["skus"] > 0, N_("With the warehouses of each SKU."), "/catalogue",
                  found["skus"]),
        SetupStep(N_("Stock"), found["stocked"] > 0, N_("A receipt of goods, or the first count."), "/stock",
                  found["stocked"]),
        SetupStep(N_("Policy, carriers and rules"), found["policy"] > 0,
                  N_("A ready set below, then your own carriers and tariffs in the rules."), "/rules", found["policy"]),
        SetupStep(N_("First test order"), found["orders"] > 0, N_("For 0.01, to yourself; or your shop's own."),
                  "/setup/test-order", _counted(found["orders"])),
        SetupStep(N_("It was paid"), found["paid"] > 0, "", "/orders", _counted(found["paid"])),
        SetupStep(N_("It left the warehouse"), found["shipped"] > 0, "", "/orders", _counted(found["shipped"])),
    ]  # fmt: skip


async def _page(
    request: Request, user: User, refusal: RefusedAct | None = None, numbers: list[str] | None = None
) -> Response:
    wiring = wiring_of(request)
    found = steps_of(await how_far(wiring.pool), wiring.settings.return_address)
    return render(
        request, "setup/steps.html", user, status=refusal.status if refusal else 200, refusal=refusal, steps=found,
        sets=ready_sets(), numbers=numbers, asks=user.may_give("controls.change: automations"),
    )  # fmt: skip
