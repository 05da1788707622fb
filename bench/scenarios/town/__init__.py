"""A town in which scenarios are played through running workflows: real store, real relay delivery, skipped time.

`Town` starts PostgreSQL and a Temporal server with skipped time once a run, at the first block that needs them.
`town.house()` gives one play a database, a Temporal namespace and a worker of its own, so that plays run side by side
and every scenario keeps its own order numbers. In a house the workflows and all activities that touch our own database
are production's (`worker.WORKFLOWS`, `worker.inside`); messages travel through the inbox and the relay's delivery; the
outside systems answer from a script (`Systems`), under the real activities' names, and keep a ledger of every attempt.
"""

from bench.scenarios.town.house import House
from bench.scenarios.town.life import Life
from bench.scenarios.town.systems import Systems
from bench.scenarios.town.town import Town

__all__ = ["House", "Life", "Systems", "Town"]
