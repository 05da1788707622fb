import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import processes
from deploy.local.processes import Identity
from deploy.local.record import ServiceRecord, StackRecord, read_record, write_record


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_reused_process_id_is_another_process(sleeper: subprocess.Popen[bytes]) -> None:
    stranger = Identity(sleeper.pid, "another birth")
    processes.end(stranger, signal.SIGTERM, 1)
    assert sleeper.poll() is None


def test_a_process_that_ignores_the_polite_signal_is_killed() -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    with subprocess.Popen(["python3", "-c", code], stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout
        assert deaf.stdout.readline() == b"deaf\n"
        who = processes.identify(deaf.pid)
        assert who
        processes.end(who, signal.SIGTERM, 0.2)
        assert deaf.wait(5) == -signal.SIGKILL


def test_a_zombie_counts_as_gone(sleeper: subprocess.Popen[bytes]) -> None:
    who = processes.identify(sleeper.pid)
    assert who
    assert processes.is_running(who)
    os.kill(sleeper.pid, signal.SIGKILL)
    assert processes.gone_within(who, 5)


def test_the_record_finds_its_own_processes_and_no_others(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    who = processes.identify(sleeper.pid)
    assert who
    record = StackRecord(
        state="ready",
        services={
            "mine": ServiceRecord("mine", pid=who.pid, born=who.born),
            "reused": ServiceRecord("reused", pid=os.getpid(), born="another birth"),
            "never": ServiceRecord("never"),
        },
    )
    write_record(tmp_path / "stack.json", record)
    read = read_record(tmp_path / "stack.json")
    assert read == record
    assert [service.name for service, _ in read.leftovers()] == ["mine"]
    assert not read.supervised()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"supervisor": 3}', '{"supervisor": null, "state": "ready"}'])
def test_a_broken_record_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    assert read_record(tmp_path / "stack.json") == StackRecord()
