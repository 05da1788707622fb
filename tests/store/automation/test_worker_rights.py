"""The worker tries and runs automations of every trigger with the rights of its own role in the database."""

from datetime import timedelta

import pytest

from deploy.local.logins import as_role
from domain.automation.model import Automation, TagAct, Trigger, TriggerMoment
from store.automation.desk import AutomationDesk
from store.automation.running import AutomationRunner
from store.orders.orders import OrderStore
from store.pool import Pool, open_pool
from tests.store.automation.test_running import paid, publish, soon

NEEDS: dict[Trigger, dict[str, object]] = {
    Trigger.CHILD_WAITS: {"after_s": 3_600}, Trigger.SILENT: {"after_s": 3_600}, Trigger.DEADLINE: {"at": "16:00"},
}  # fmt: skip


@pytest.mark.parametrize("trigger", Trigger)
async def test_the_worker_may_try_and_run_it(
    database_url: str, pool: Pool, orders: OrderStore, trigger: Trigger
) -> None:
    moment = TriggerMoment.model_validate({"trigger": trigger, **NEEDS.get(trigger, {})})
    one = Automation(id="seen", name="seen", on=moment, do=TagAct(tag="seen"))
    await publish(pool, one)
    await paid(orders, "SO20261120")
    own = await open_pool(as_role(database_url, "oms_worker"), application="worker")
    try:
        assert (await AutomationDesk(own).try_on_past(one, 1, "u-ed", soon())).looked_at <= 1
        assert await AutomationRunner(own).look(soon() + timedelta(days=3)) <= 1
    finally:
        await own.close()
