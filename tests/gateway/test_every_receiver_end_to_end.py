"""Every other kind of receiver -> the agent -> Mosquitto over TLS -> `nurt run`: each telegram stored once.

The iM871A, CUL and RC1180 stand in ``test_agent_end_to_end.py``; here are the others, all on one box.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from agent_process import AgentProcess
from devices import amber, cul_c1, hex_line, iu891a, rtl
from dongle import Dongle
from gateway_street import METERS, await_stored, telegrams
from rendered_broker import RenderedBroker
from service_process import NurtService, csv_file
from wired_bus import ADDRESS, LAST, METER, MORE, Bus

from metering.meter import MeterId
from metering.reading import Register

pytestmark = pytest.mark.servers

KINDS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "iu891a": (115200, iu891a),
    "amber": (9600, amber),
    "amber-transparent": (9600, lambda frame: frame),
    "cul": (38400, cul_c1),
    "hex": (115200, hex_line),
}
COUNTED = MeterId("ITW", "00000777", "00", "07")
EVER = datetime(2025, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def dongles(tmp_path: Path) -> Iterator[dict[str, Dongle]]:
    made = {kind: Dongle(tmp_path / kind, baud, wrap) for kind, (baud, wrap) in KINDS.items()}
    made["pulses"] = Dongle(tmp_path / "pulses", 9600, lambda line: line)
    yield made
    for one in made.values():
        one.unplug()


class Stick:
    """rtl_wmbus as a program that prints what it hears: here what is written into a pipe."""

    def __init__(self, pipe: Path) -> None:
        self.command = f"['cat', '{pipe}']"
        self._pipe = pipe
        self._open()

    def _open(self) -> None:
        os.mkfifo(self._pipe)
        self._end = os.open(self._pipe, os.O_RDWR)  # both ways, or the program would end with each writer

    def send(self, frame: bytes) -> None:
        os.write(self._end, rtl(frame))

    def begin_anew(self) -> None:
        """End the program: systemd ends what an agent leaves behind."""
        self.close()
        self._pipe.unlink()
        self._open()

    def close(self) -> None:
        os.close(self._end)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    made = Stick(tmp_path / "rtl")
    yield made
    with suppress(OSError):
        made.close()


def box(dongles: dict[str, Dongle], stick: Stick, riser: str) -> str:
    """The box's receivers, all but the wired meter heard on the air or counted."""
    return (
        "".join(
            f"[[receiver]]\nname = '{kind}'\nkind = '{kind}'\nport = '{one.port}'\n"
            + ("rssi = false\n" if kind == "amber-transparent" else "")
            + ("mode = 'C1'\n" if kind == "cul" else "")
            + ("litres_per_pulse = { 1 = '2.5' }\n" if kind == "pulses" else "")
            for kind, one in dongles.items()
        )
        + f"[[receiver]]\nname = 'stick'\nkind = 'rtl-wmbus'\ncommand = {stick.command}\n"
        + f"[[wired]]\nname = 'riser'\nport = '{riser}'\nmeters = ['{METER}']\n"
    )


def register(service: NurtService) -> None:
    header = "meter_id,installed_from,gateway,channel,litres_per_pulse,start_count,start_index_m3"
    rows = [
        [str(METER), *[""] * 6],
        [str(COUNTED), "2025-01-01", "roof", "1", "2.5", "0", "0"],
    ]
    csv_file(service.folder / "more.csv", header, rows)
    assert "2 new" in service.command("meters", "import", "more.csv")


def assert_booked(service: NurtService) -> None:
    account = service.account()["roof"]
    assert account["received"] == sum(count for outcome, count in account.items() if outcome != "received")
    assert (account["foreign"], account["quarantined"]) == (0, 0)
    store = service.store()
    with store.reading() as view:
        volumes = [one.value for one in view.readings.series(COUNTED, Register("volume"), *EVER)]
        wired = {one.value for one in view.readings.series(METER, Register("volume"), *EVER)}
        heard = {str(meter) for meter in METERS if view.readings.series(meter, Register("volume"), *EVER)}
    store.close()
    assert volumes == [Decimal("0.25"), Decimal("0.35")], "100 and 140 pulses of 2.5 litres"
    assert wired == {Decimal("12.345")}
    assert len(heard) == len(METERS)


def test_every_telegram_of_every_receiver_is_stored_once_over_outages(  # noqa: PLR0917  fixtures
    service: NurtService,
    broker: RenderedBroker,
    dongles: dict[str, Dongle],
    stick: Stick,
    gateway: Callable[..., AgentProcess],
    pseudo_terminal: Callable[[Bus], str],
):
    """With noise, half telegrams, an unplugged dongle, a killed agent and a broker that goes away."""
    register(service)
    agent = gateway(broker.login("roof"), box(dongles, stick, pseudo_terminal(Bus([MORE, LAST]))))
    agent.start()
    opened = 1

    def await_open() -> None:
        for name in [*dongles, "stick"]:
            agent.await_told("receiver.open", times=opened, receiver=name)

    await_open()
    dice, source, sent = random.Random(11), telegrams(), []
    air = [one for kind, one in dongles.items() if kind != "pulses"]

    def speak(rounds: int) -> None:
        for _ in range(rounds):
            for one in (*air, stick):
                sent.append(next(source))
                one.send(sent[-1])

    speak(8)
    for kind in ("iu891a", "amber"):
        dongles[kind].say(dice.randbytes(40))
    for kind in ("cul", "hex"):
        dongles[kind].say(b"noise\r\n")
    time.sleep(1.3)  # the dongles' pause after which a telegram begins anew
    speak(4)
    for one in air:
        one.half(next(source))
    speak(4)
    dongles["pulses"].say(b"1 100\r\n")
    broker.process.stop()
    unheard = len(sent)
    speak(6)
    agent.await_spooled(sent[unheard:])
    dongles["amber"].unplug()
    agent.await_told("receiver.lost", receiver="amber")
    dongles["amber"].plug_in()
    agent.await_told("receiver.open", times=2, receiver="amber")
    speak(3)
    agent.await_spooled(sent[unheard:])
    agent.kill()
    stick.begin_anew()
    agent.start()
    opened = 2
    await_open()
    agent.await_told("receiver.open", times=3, receiver="amber")
    broker.process.start()
    speak(4)
    dongles["pulses"].say(b"1 140\r\n")
    found = await_stored(service, {frame.hex() for frame in sent} | {LAST.hex()})
    on_the_air = Counter({frame: n for frame, n in found.items() if bytes.fromhex(frame)[7:15] != ADDRESS})
    assert on_the_air == Counter(frame.hex() for frame in sent), "each once, nothing else"
    agent.stop()
    assert agent.spooled() == []
    assert_booked(service)
