from pathlib import Path

import pytest

from store.audit.anchor import AnchorFile
from tests.store.audit.anchored import KEY


@pytest.fixture
def file(tmp_path: Path) -> AnchorFile:
    return AnchorFile(tmp_path / "far" / "anchor.jsonl", KEY)
