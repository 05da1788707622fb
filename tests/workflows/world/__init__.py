"""The world around an order: store, payment channel, warehouse, carrier, courier, each a fake with its own ledger.

The fakes answer under the real activities' names, and errors leave them through the real
`activities/provider_errors.py`, so that retries and batches behave as they do outside. `World.check` holds every test
to the invariants of docs/requirements.md.
"""

from tests.workflows.world.world import World

__all__ = ["World"]
