"""Receivers that are lost, silent, or say nonsense; programs that receive; what a probe finds."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from devices import cul, frame_of, im871a, rtl
from dongle import Dongle

from gateway_firmware_config.agent.framings import RECEIVERS
from gateway_firmware_config.agent.framings.im871a import ASK
from gateway_firmware_config.agent.lines import LineLost, OpenLine, command_line, serial_line
from gateway_firmware_config.agent.listening import Listener, Manners
from gateway_firmware_config.agent.probe import probe
from gateway_firmware_config.agent.received import Frame

GOOD = frame_of(b"\x2a\x00\x00\x00\x04\x13\x01\x02\x03\x04")


class FakeLine:
    """A line that gives what it is told to, and then nothing, or is gone."""

    def __init__(self, portions: list[bytes | LineLost]) -> None:
        self.portions = portions
        self.written = b""
        self.closed = False

    def read(self, seconds: float) -> bytes:
        if not self.portions:
            time.sleep(min(seconds, 0.01))
            return b""
        portion = self.portions.pop(0)
        if isinstance(portion, LineLost):
            raise portion
        return portion

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True


class Heard:
    """A sink that can be waited for."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self._changed = threading.Condition()

    def __call__(self, _name: str, events) -> None:
        with self._changed:
            self.events += events
            self._changed.notify()

    def await_events(self, number: int) -> list[object]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= number, 10), self.events
        return self.events


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Listener, Heard]]]:
    """Start listeners that do not wait before they open a line again."""
    monkeypatch.setattr("gateway_firmware_config.agent.listening._OPEN_AGAIN_S", (0.01,))
    started: list[Listener] = []

    def start(open_line: OpenLine, kind: str = "im871a", **manners) -> tuple[Listener, Heard]:
        heard = Heard()
        receiver = RECEIVERS[kind]
        listener = Listener(
            "attic", open_line, lambda: receiver.reader(None), heard, manners=Manners(**manners)
        )
        listener.start()
        started.append(listener)
        return listener, heard

    yield start
    for listener in started:
        listener.stop()


def opening(lines: list[FakeLine | LineLost]) -> OpenLine:
    def open_line() -> FakeLine:
        line = lines.pop(0) if len(lines) > 1 else lines[0]
        if isinstance(line, LineLost):
            raise line
        return line

    return open_line


def test_a_lost_line_is_opened_again_and_half_a_telegram_forgotten(listen):
    lost = LineLost("gone")
    lines = [
        FakeLine([im871a(GOOD), im871a(GOOD)[:10], lost]),
        LineLost("not there"),
        FakeLine([im871a(GOOD)]),
    ]
    first = lines[0]
    listener, heard = listen(opening(lines))
    assert heard.await_events(2) == [Frame(GOOD, rssi_dbm=-72)] * 2
    assert first.closed
    assert listener.condition.open


def test_a_port_that_is_not_there_is_trouble_that_health_tells(listen):
    listener, _ = listen(opening([LineLost("/dev/ttyUSB7 cannot be opened: No such file or directory")]))
    end = time.monotonic() + 5
    while not listener.condition.trouble and time.monotonic() < end:
        time.sleep(0.01)
    assert listener.condition.trouble.startswith("/dev/ttyUSB7 cannot be opened")
    assert not listener.condition.open


def test_a_silent_dongle_is_told_to_start_anew_and_opened_again(listen):
    """It stays plugged in and gives no error; only its silence tells."""
    silent, speaking = FakeLine([]), FakeLine([im871a(GOOD)])
    listener, heard = listen(opening([silent, speaking]), silent_s=0.2, reset=b"reset")
    heard.await_events(1)
    assert silent.written == b"reset"
    assert silent.closed
    assert listener.condition.restarts >= 1


def test_a_line_of_nothing_but_gibberish_is_told_as_a_wrong_speed_until_a_telegram_comes(listen):
    line = FakeLine([bytes((0x80, 0x00, 0xE0)) * 500])
    listener, heard = listen(opening([line]))
    end = time.monotonic() + 10
    while not listener.condition.trouble:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert listener.condition.trouble.endswith("none is of a telegram: wrong baud or wrong kind")
    line.portions.append(im871a(GOOD))
    heard.await_events(1)
    assert listener.condition.trouble == ""


def test_noise_is_not_taken_for_signs_of_life(listen):
    noisy = FakeLine([b"\x00" * 10] * 100)
    listener, heard = listen(opening([noisy, FakeLine([im871a(GOOD)])]), silent_s=0.2)
    heard.await_events(1)
    assert listener.condition.restarts >= 1


def test_a_receiver_is_greeted_with_what_sets_its_mode(listen):
    line = FakeLine([cul(GOOD)])
    _, heard = listen(opening([line]), kind="cul", greeting=RECEIVERS["cul"].set_mode["T1"])
    heard.await_events(1)
    assert line.written == b"brt\r\nX21\r\n"


def test_faults_are_counted_by_their_reason(listen):
    bad = bytearray(im871a(GOOD))
    bad[10] ^= 1
    listener, heard = listen(opening([FakeLine([bytes(bad), bytes(bad), im871a(GOOD)])]))
    heard.await_events(1)
    assert listener.condition.faults["bad_crc"] == 2


# --- real lines -------------------------------------------------------------------------------------


def test_an_unplugged_dongle_is_heard_again_when_it_is_back(listen, tmp_path: Path):
    dongle = Dongle(tmp_path / "ttyUSB0", 57600, im871a)
    listener, heard = listen(serial_line(str(dongle.port), 57600))
    _await(lambda: listener.condition.open)
    dongle.send(GOOD)
    heard.await_events(1)
    dongle.unplug()
    _await(lambda: not listener.condition.open)
    dongle.plug_in()
    _await(lambda: listener.condition.open)
    dongle.send(GOOD)
    heard.await_events(2)
    dongle.unplug()


def test_a_port_is_ours_alone(tmp_path: Path):
    dongle = Dongle(tmp_path / "ttyUSB0", 57600, im871a)
    line = serial_line(str(dongle.port), 57600)()
    with pytest.raises(LineLost, match="ttyUSB0 cannot be opened"):
        serial_line(str(dongle.port), 57600)()
    line.close()
    dongle.unplug()


def test_a_program_is_read_and_started_again_when_it_ends(listen):
    say = f"import sys; sys.stdout.write({rtl(GOOD).decode()!r})"
    _, heard = listen(command_line([sys.executable, "-c", say]), kind="rtl-wmbus")
    heard.await_events(2)


def test_a_closed_program_ends_with_its_children(tmp_path: Path):
    marker = tmp_path / "pid"
    line = command_line(["sh", "-c", f"sleep 60 & echo $! > {marker}; echo ready; wait"])()
    assert line.read(5) == b"ready\n"
    child = int(marker.read_text())
    line.close()
    _await(lambda: not _lives(child))


def test_a_program_that_is_not_there_is_told_by_name():
    with pytest.raises(LineLost, match="/no/such/program cannot be started"):
        command_line(["/no/such/program"])()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _await(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


# --- probing ----------------------------------------------------------------------------------------


def test_a_dongle_that_can_be_asked_is_recognised_by_its_answer(tmp_path: Path):
    """An iM871A answers with its device info; written from the shape of the message."""
    dongle = Dongle(tmp_path / "ttyUSB0", 57600, im871a)
    assert dongle._ends is not None
    master, ended = dongle._ends[0], threading.Event()

    def answer() -> None:
        heard = b""
        while not ended.is_set():
            if select.select([master], [], [], 0.05)[0]:
                heard += os.read(master, 100)
            if ASK in heard:
                heard = b""
                os.write(master, bytes.fromhex("a5011004") + b"\x33\x01\x13\x00")

    thread = threading.Thread(target=answer)
    thread.start()
    found = probe(lambda baud: serial_line(str(dongle.port), baud), 0.1)
    ended.set()
    thread.join()
    dongle.unplug()
    assert found is not None
    assert (found.kind, found.baud) == ("im871a", 57600)
    assert found.said.startswith("iM871A")


def test_a_receiver_that_cannot_be_asked_is_recognised_by_what_it_says():
    def at(baud: int) -> OpenLine:
        return lambda: FakeLine([rtl(GOOD)] if baud == 115200 else [])

    found = probe(at, 0.1)
    assert found is not None
    assert (found.kind, found.baud) == ("rtl-wmbus", 115200)


def test_where_nothing_speaks_nothing_is_recognised():
    assert probe(lambda _baud: lambda: FakeLine([]), 0.05) is None
