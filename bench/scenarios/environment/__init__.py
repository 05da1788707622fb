"""Servers on which scenarios are played through running workflows: real store, real relay delivery, skipped time.

`Servers` starts PostgreSQL and a Temporal server with skipped time once a run, at the first block that needs them.
`servers.house()` gives one play a database, a Temporal namespace and a worker of its own, so that plays run side by
side and every scenario keeps its own order numbers. In an environment the workflows and all activities that touch our
own database are production's (`worker.WORKFLOWS`, `worker.inside`); messages travel through the inbox and the relay's
delivery; the outside systems answer from a script (`ScriptedSystems`), under the real activities' names, and keep a
ledger of every attempt.
"""

from bench.scenarios.environment.environment import ScenarioEnvironment
from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.environment.providers import ScriptedSystems
from bench.scenarios.environment.servers import Servers

__all__ = ["ScenarioEnvironment", "ScenarioOrder", "ScriptedSystems", "Servers"]
