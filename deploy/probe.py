"""`python -m deploy.probe`: is the worker of this container polling? Exit 0 yes, 1 no; for health checks.

Looks at the task queue and not at the process: a worker can live on without polling (docs/performance.md).
"""

import asyncio
import sys

from config.settings import TemporalSettings, UnableToConfigure, load
from deploy.local.checks import TemporalChecks
from workflows.messages import TASK_QUEUE

WORKER_PID = 1
"""The worker is the container's first process."""


async def polling() -> bool:
    checks = TemporalChecks(load(TemporalSettings).connect_arguments())
    return await checks.polls(TASK_QUEUE)(WORKER_PID)


def main() -> int:
    try:
        return 0 if asyncio.run(polling()) else 1
    except UnableToConfigure as e:
        print(f"the probe cannot look: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
