import socket
import sys
import sysconfig
from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client

from deploy.local.ports import PortTaken
from deploy.local.temporal import (
    SEARCH_ATTRIBUTES,
    LocalTemporal,
    UnableToRunTemporal,
    temporal_binary,
    temporary_temporal,
)


class OnlyAPort(LocalTemporal):
    """A server whose port is open and that says nothing."""

    def prepare(self) -> None:
        """Its port is taken: that is what is tried."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", "import time; time.sleep(60)"]


async def test_search_attributes_are_there_from_the_first_start(tmp_path: Path) -> None:
    with temporary_temporal(tmp_path) as server:
        client = await Client.connect(server.address)
        known = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
        assert set(SEARCH_ATTRIBUTES) <= set(known.custom_attributes)
        with pytest.raises(PortTaken, match="OMS_PORT_TEMPORAL"):
            LocalTemporal(tmp_path, port=server.port).prepare()
    assert (tmp_path / "temporal.db").exists()


def test_a_server_has_not_started_while_only_its_port_answers(tmp_path: Path) -> None:
    """The front end opens its port first and refuses calls for a moment ("not healthy yet")."""
    with socket.socket() as only_a_port:
        only_a_port.bind(("127.0.0.1", 0))
        only_a_port.listen()
        with pytest.raises(UnableToRunTemporal, match="did not start"):
            OnlyAPort(tmp_path, port=only_a_port.getsockname()[1]).start(timeout_s=0.2)


def test_a_missing_server_program_is_never_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    with pytest.raises(UnableToRunTemporal, match="TEMPORAL_ADDRESS"):
        temporal_binary()


def test_tests_can_skip_time_and_the_stack_cannot(tmp_path: Path) -> None:
    flag = "frontend.WorkflowTimeSkippingEnabled=true"
    assert flag in LocalTemporal(tmp_path, port=1, time_skipping=True).command()
    assert flag not in LocalTemporal(tmp_path, port=1).command()
