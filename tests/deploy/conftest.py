"""A configuration that reads nothing from the machine the tests run on."""

import os

import pytest


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("OMS_", "TEMPORAL_", "SANDBOX_", "OTEL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OMS_ENV_FILE", "")
