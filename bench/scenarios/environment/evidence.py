"""Pictures of a house: production's desk, with a folder of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from activities.evidence import EvidenceService
from store.pool import Pool
from store.returns.evidence import EvidenceStore
from store.returns.evidence_storage import Vault


def evidence_of_a_house(pool: Pool, vault: Vault) -> EvidenceService:
    return EvidenceService(EvidenceStore(pool), vault)


@contextmanager
def vault_of_a_house() -> Iterator[Vault]:
    folder = Path(tempfile.mkdtemp(prefix="oms-pictures-"))
    try:
        yield Vault.at(folder.as_uri())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
