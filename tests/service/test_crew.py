"""Workers as processes: started, started again, ended; and what they are called."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from ingest.roster import Member
from metering.errors import SettingsError
from service import crew as crew_module
from service.crew import Crew
from service.crew_names import as_worker, demand_shareable, left_behind, worker_name
from service.settings_model import IngestSettings, MqttSettings, Settings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ORDERLY = "import sys; sys.stdin.read()"
STUBBORN = "import time\nwhile True: time.sleep(1)"


def crew_of(program: str, size: int = 2) -> Crew:
    return Crew(lambda _number: (sys.executable, "-c", program), size)


def watch_until(crew: Crew, condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        crew.watch()
        time.sleep(0.02)


def test_all_end_in_order_when_their_input_does():
    crew = crew_of(ORDERLY)
    crew.start()
    pids = crew.processes
    assert len(set(pids)) == 2
    assert crew.stop(10)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_one_that_does_not_end_is_killed():
    crew = crew_of(STUBBORN, 1)
    crew.start()
    assert not crew.stop(0.3)
    with pytest.raises(ProcessLookupError):
        os.kill(crew.processes[0], 0)


def test_one_that_dies_is_told_and_started_again_the_others_go_on(monkeypatch):
    monkeypatch.setattr(crew_module, "_PAUSES_S", (0.1, 0.2))
    crew = crew_of(ORDERLY)
    with capture_logs() as logs:
        crew.start()
        first, second = crew.processes
        os.kill(first, signal.SIGKILL)
        watch_until(crew, lambda: len(crew.processes) == 2 and crew.processes[0] != first)
    assert crew.processes[1] == second
    [died] = [entry for entry in logs if entry["event"] == "worker.died"]
    assert (died["worker"], died["signal"], died["again_in_s"]) == (1, signal.SIGKILL, 0.1)
    assert crew.stop(10)


def test_one_that_dies_at_its_start_is_started_later_each_time(monkeypatch):
    monkeypatch.setattr(crew_module, "_PAUSES_S", (0.05, 0.1, 0.2))
    crew = crew_of("raise SystemExit(3)", 1)
    with capture_logs() as logs:
        crew.start()
        watch_until(crew, lambda: sum(entry["event"] == "worker.died" for entry in logs) == 4)
    died = [entry for entry in logs if entry["event"] == "worker.died"]
    assert [entry["again_in_s"] for entry in died] == [0.05, 0.1, 0.2, 0.2]
    assert {entry["code"] for entry in died} == {3}
    crew.stop(5)


def test_workers_outlive_no_parent():
    """The parent is killed with no chance to end them: their input ends, and so do they."""
    program = (
        "import sys, time\nfrom service.crew import Crew\n"
        f"crew = Crew(lambda n: (sys.executable, '-c', {ORDERLY!r}), 2)\ncrew.start()\n"
        "print('PIDS', *crew.processes, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        said = next(line for line in parent.stdout if line.startswith("PIDS"))
        pids = [int(one) for one in said.split()[1:]]
        parent.kill()
    end = time.monotonic() + 10
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123  a file of the kernel
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# --- names ---------------------------------------------------------------------------------------


def settings_of(**mqtt) -> Settings:
    return Settings(mqtt=MqttSettings(**mqtt), ingest=IngestSettings(machine="box"))


def test_a_worker_has_a_name_that_stays_and_a_share():
    own = as_worker(settings_of(client_id="town"), 3)
    assert (own.mqtt.client_id, own.mqtt.shared_group) == ("town-ingest-box-3", "nurt")
    assert as_worker(settings_of(shared_group="g"), 1).mqtt.shared_group == "g"
    machine = worker_name(Settings(), 1).removeprefix("nurt-ingest-").removesuffix("-1")
    assert machine
    assert " " not in machine


def test_an_old_protocol_cannot_share():
    with pytest.raises(SettingsError, match="MQTT 5"):
        demand_shareable(settings_of(protocol="3.1.1"))


def test_what_is_left_behind_is_of_this_machine_and_nobody_uses_it():
    old, fresh = NOON - timedelta(hours=1), NOON - timedelta(seconds=5)
    members = [
        Member("nurt", "box", [], old),
        Member("nurt-ingest-box-1", "box", [], old),
        Member("nurt-ingest-box-2", "box", [], fresh),
        Member("nurt-ingest-box-3", "box", [], fresh, away=True),
        Member("nurt-ingest-box-4", "box", [], old),
        Member("nurt-ingest-annex-4", "annex", [], old),
        Member("other-ingest-box-4", "box", [], old),
    ]
    here = settings_of()
    assert left_behind(members, here, 3, NOON) == ["nurt", "nurt-ingest-box-4"]
    assert left_behind(members, here, 1, NOON) == ["nurt", "nurt-ingest-box-3", "nurt-ingest-box-4"]
    assert left_behind(members, here, None, NOON) == [
        "nurt-ingest-box-1",
        "nurt-ingest-box-3",
        "nurt-ingest-box-4",
    ]
