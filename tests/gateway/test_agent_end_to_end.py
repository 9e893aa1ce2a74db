"""Dongles on pseudo-terminals -> the agent -> a real broker -> `nurt run`: every telegram stored once."""

from __future__ import annotations

import os
import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from devices import cul, im871a, rc1180
from dongle import Dongle
from gateway_street import await_stored, stored, telegrams
from rendered_broker import RenderedBroker
from service_process import NurtService

pytestmark = pytest.mark.servers

KILLS = int(os.environ.get("NURT_AGENT_KILLS", "5"))
SEED = int(os.environ.get("NURT_SEED", "7"))
KINDS = {"im871a": (57600, im871a), "cul": (38400, cul), "rc1180": (19200, rc1180)}


@pytest.fixture
def dongles(tmp_path: Path) -> Iterator[dict[str, Dongle]]:
    made = {kind: Dongle(tmp_path / kind, baud, wrap) for kind, (baud, wrap) in KINDS.items()}
    yield made
    for one in made.values():
        one.unplug()


def receivers(dongles: dict[str, Dongle]) -> str:
    return "\n".join(
        f"[[receiver]]\nname = '{kind}'\nkind = '{kind}'\nport = '{one.port}'\n"
        + ("rssi = true\n" if kind == "rc1180" else "")
        for kind, one in dongles.items()
    )


def test_every_telegram_of_three_dongles_is_stored_once_over_outages(
    service: NurtService,
    broker: RenderedBroker,
    dongles: dict[str, Dongle],
    gateway: Callable[..., AgentProcess],
):
    """With noise, half telegrams, an unplugged dongle and a broker that goes away."""
    agent = gateway(broker.login("roof"), receivers(dongles))
    agent.start()
    for kind in dongles:
        agent.await_told("receiver.open", receiver=kind)
    dice, source, sent = random.Random(SEED), telegrams(), []

    def speak(rounds: int) -> None:
        for _ in range(rounds):
            for one in dongles.values():
                sent.append(next(source))
                one.send(sent[-1])

    speak(10)
    dongles["im871a"].say(dice.randbytes(40))
    dongles["cul"].say(b"noise\r\n")
    time.sleep(1.3)
    speak(5)
    dongles["im871a"].half(next(source))
    speak(5)
    broker.process.stop()
    unheard = len(sent)
    speak(10)
    agent.await_spooled(sent[unheard:])
    dongles["im871a"].unplug()
    agent.await_told("receiver.lost", receiver="im871a")
    dongles["im871a"].plug_in()
    agent.await_told("receiver.open", times=2, receiver="im871a")
    speak(5)
    broker.process.start()
    speak(10)
    found = await_stored(service, {frame.hex() for frame in sent})
    agent.stop()
    assert found == Counter(frame.hex() for frame in sent), "each once, nothing else"
    account = service.account()["roof"]
    assert account["received"] == sum(count for outcome, count in account.items() if outcome != "received")
    assert agent.spooled() == []
    assert agent.told("receiver.fault") <= 2


def test_killed_again_and_again_whatever_was_spooled_is_stored_once(
    service: NurtService,
    broker: RenderedBroker,
    dongles: dict[str, Dongle],
    gateway: Callable[..., AgentProcess],
    capsys: pytest.CaptureFixture[str],
):
    """`kill -9` of the agent in mid-stream, the broker away now and then."""
    dice, source = random.Random(SEED), telegrams()
    agent = gateway(broker.login("roof"), receivers(dongles))
    sent: set[str] = set()
    spooled: set[str] = set()
    for kill in range(KILLS):
        if kill % 5 == 2:
            broker.process.stop()
        agent.start()
        for kind in dongles:
            agent.await_told("receiver.open", times=kill + 1, receiver=kind)
        end = time.monotonic() + dice.uniform(0.3, 1.5)
        while time.monotonic() < end:
            frame = next(source)
            dice.choice(list(dongles.values())).send(frame)
            sent.add(frame.hex())
        agent.kill()
        spooled |= set(agent.spooled())
        if kill % 5 == 4 or kill == 2:
            broker.process.restart()
    agent.start()
    agent.await_told("receiver.open", times=KILLS + 1, receiver="im871a")
    found = await_stored(service, spooled)
    agent.stop()
    with capsys.disabled():
        print(
            f"\nagent killed {KILLS} times, seed {SEED}: {len(sent)} sent, {len(found)} stored, "
            f"{len(spooled)} seen in the spool of a dead agent"
        )
    found = stored(service)
    assert spooled, "the kills met a spool that was not empty"
    assert set(found.values()) == {1}, "nothing twice"
    assert found.keys() <= sent, "nothing invented"
    assert spooled <= found.keys(), "nothing lost"


def test_what_the_broker_takes_for_nobody_waits_until_somebody_listens(
    mosquitto: Callable[..., object], dongles: dict[str, Dongle], gateway: Callable[..., AgentProcess]
):
    """A broker without the service's session would throw the telegrams away."""
    broker = mosquitto()
    agent = gateway(f"port = {broker.port}", receivers(dongles))
    agent.start()
    agent.await_told("receiver.open", receiver="im871a")
    source = telegrams()
    sent = [next(source) for _ in range(5)]
    for frame in sent:
        dongles["im871a"].send(frame)
    agent.await_told("broker.not_taken")
    agent.stop()
    assert agent.spooled() == [frame.hex() for frame in sent]


def test_what_is_heard_while_the_disk_is_full_is_kept_when_there_is_room_again(
    dongles: dict[str, Dongle], gateway: Callable[..., AgentProcess]
):
    """The disk is full for the spool alone: its log may not grow (a limit of the process, lifted later)."""
    agent = gateway("port = 9", receivers(dongles))
    agent.start()
    agent.await_told("receiver.open", receiver="im871a")
    source, sent = telegrams(), []

    def speak() -> None:
        for _ in range(5):
            sent.append(next(source))
            dongles["im871a"].send(sent[-1])

    speak()
    log = agent.folder / "data" / "spool.db-wal"
    agent.await_(lambda: log.stat().st_size > 20_000)
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, resource.RLIM_INFINITY))
    speak()
    agent.await_told("spool.refuses")
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    agent.await_told("spool.works_again")
    agent.stop()
    assert agent.spooled() == [frame.hex() for frame in sent]
