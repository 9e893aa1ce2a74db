"""Dongles -> the agent -> Mosquitto as rendered, with TLS -> `nurt run`: each telegram once."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from agent_process import AgentProcess
from devices import im871a
from dongle import Dongle
from gateway_street import await_stored, telegrams
from rendered_broker import RenderedBroker
from service_process import NurtService

pytestmark = pytest.mark.servers

STEPPED = (sys.executable, str(Path(__file__).with_name("stepped_agent.py")))


@pytest.fixture
def dongle(tmp_path: Path) -> Iterator[Dongle]:
    made = Dongle(tmp_path / "im871a", 57600, im871a)
    yield made
    made.unplug()


def receiver(dongle: Dongle) -> str:
    return f"[[receiver]]\nname = 'attic'\nkind = 'im871a'\nport = '{dongle.port}'\n"


class Street:
    """What the meters of a street said, and when."""

    def __init__(self, dongle: Dongle) -> None:
        self.sent: dict[str, datetime] = {}
        self._dongle = dongle
        self._source = telegrams()

    def speak(self, number: int) -> list[str]:
        """Have some telegrams said; gives them in hex."""
        said = []
        for frame in islice(self._source, number):
            self.sent[frame.hex()] = datetime.now(UTC)
            self._dongle.send(frame)
            said.append(frame.hex())
        return said

    def half(self) -> None:
        self._dongle.half(next(self._source))


def heard_at(nurt: NurtService) -> dict[str, datetime]:
    """When each telegram was heard, as stored."""
    store = nurt.store()
    with store.reading() as view:
        found = {one.frame.hex(): one.heard_at for one in view.archive.telegrams(limit=1_000_000)}
    store.close()
    return found


def test_packed_over_tls_with_noise_and_outages_every_telegram_is_stored_once(
    broker: RenderedBroker, service: NurtService, dongle: Dongle, gateway: Callable[..., AgentProcess]
):
    login = broker.login("roof") + "gzip = true\n"
    agent = gateway(login, receiver(dongle))
    agent.start()
    agent.await_told("receiver.open")
    street, dice = Street(dongle), random.Random(7)
    street.speak(15)
    dongle.say(dice.randbytes(40))
    time.sleep(1.3)
    street.half()
    street.speak(5)
    broker.process.stop()
    caught = street.speak(40)
    agent.kill()
    lost = set(caught) - set(agent.spooled())  # heard in the last 0.2 s: a power cut may take it
    agent.start()
    agent.await_told("receiver.open", times=2)
    broker.process.start()
    dongle.unplug()
    agent.await_told("receiver.lost")
    dongle.plug_in()
    agent.await_told("receiver.open", times=3)
    street.speak(15)
    found = await_stored(service, set(street.sent) - lost)
    agent.stop()
    assert set(found.values()) == {1}, "nothing twice"
    assert found.keys() <= street.sent.keys(), "nothing invented"
    assert agent.spooled() == []


def test_over_steps_of_the_clock_every_telegram_is_stored_once_and_dated_right(
    broker: RenderedBroker, service: NurtService, dongle: Dongle, gateway: Callable[..., AgentProcess]
):
    """A box without a clock of its own; then a time service that errs forward by a year, and back."""
    agent = gateway(
        broker.login("roof"), receiver(dongle), "[spool]\nmax_days = 1\n", program=STEPPED, clock="auto"
    )
    file = agent.folder / "clock.json"

    def clock(offset: timedelta, *, is_set: bool) -> None:
        made = file.with_suffix(".new")
        made.write_text(json.dumps({"offset_s": offset.total_seconds(), "set": is_set}))
        made.replace(file)

    clock(timedelta(days=-9000), is_set=False)
    agent.start()
    agent.await_told("receiver.open")
    street = Street(dongle)
    broker.process.stop()
    undated = street.speak(20)
    clock(timedelta(), is_set=True)
    agent.await_told("clock.right")
    right = street.speak(10)
    clock(timedelta(days=365), is_set=True)
    ahead = street.speak(10)
    time.sleep(0.5)
    agent.kill()
    agent.start()
    agent.await_told("receiver.open", times=2)
    ahead += street.speak(5)
    time.sleep(0.5)
    clock(timedelta(days=-2), is_set=True)
    behind = street.speak(10)
    time.sleep(0.5)
    clock(timedelta(), is_set=True)
    right += street.speak(10)
    broker.process.start()
    found = await_stored(service, set(street.sent))
    agent.stop()
    assert found == Counter(street.sent.keys()), "each once, nothing shed for its age"
    times = heard_at(service)
    for frame in undated + right:
        assert abs(times[frame] - street.sent[frame]) < timedelta(minutes=1), "put right by the steady clock"
    latest = datetime.now(UTC) + timedelta(minutes=10)
    assert all(times[frame] <= latest for frame in ahead), "a year ahead is believed nowhere"
    assert all(street.sent[frame] - times[frame] > timedelta(days=1) for frame in behind)


class SmallDisk:
    """A file system of two megabytes that can be filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("mounting a small disk needs root")

    def fill(self) -> None:
        """Write until nothing goes in any more."""
        with (self.folder / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(512))
            except OSError:
                pass

    def room(self) -> None:
        (self.folder / "filler").unlink()

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.unmount()


def test_over_a_full_disk_every_telegram_is_stored_once(
    broker: RenderedBroker,
    service: NurtService,
    dongle: Dongle,
    gateway: Callable[..., AgentProcess],
    small_disk: SmallDisk,
):
    """The disk is full while the broker is away; room again before the broker is back."""
    agent = gateway(broker.login("roof"), receiver(dongle), folder=small_disk.folder / "gateway")
    agent.start()
    agent.await_told("receiver.open")
    street = Street(dongle)
    street.speak(10)
    await_stored(service, set(street.sent))
    broker.process.stop()
    street.speak(10)
    time.sleep(0.5)
    small_disk.fill()
    street.speak(30)
    time.sleep(2)
    small_disk.room()
    agent.await_told("spool.works_again")
    street.speak(10)
    broker.process.start()
    found = await_stored(service, set(street.sent))
    agent.stop()
    assert found == Counter(street.sent.keys()), "each once, nothing lost"
    account = service.account()["roof"]
    assert account["received"] == sum(count for outcome, count in account.items() if outcome != "received")
