"""The spool: what was added is there after any end, in order, once, bounded, with its time put right."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway_firmware_config.agent.envelope import Item, item_of, payload
from gateway_firmware_config.agent.moment import MachineClock, Moment, rfc3339
from gateway_firmware_config.agent.received import Frame, Pulse
from gateway_firmware_config.agent.spool import Spool, SpoolLimits
from metering.clock import SystemClock
from metering.errors import StoreUnavailable
from metering.uplink import ClockSource

AT = 1_767_225_600_000  # 2026-01-01
NOW = Moment(AT, 1000, "start-1", ClockSource.NTP)


def later(ms: int, source: ClockSource = ClockSource.NTP, machine: str = "start-1") -> Moment:
    return Moment(AT + ms, 1000 + ms, machine, source)


def item(number: int, heard: Moment = NOW) -> Item:
    return item_of(Pulse("1", number), heard)


def total(entry) -> int:
    return json.loads(entry.item.body)["total"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "spool.db"


def test_what_was_added_comes_out_in_order_and_numbered(path: Path):
    spool = Spool(path, "b0000001")
    spool.add([item(1), item(2)])
    spool.add([item(3)])
    assert [(entry.boot, entry.seq, total(entry)) for entry in spool.after(0, 10)] == [
        ("b0000001", 1, 1),
        ("b0000001", 2, 2),
        ("b0000001", 3, 3),
    ]


def test_the_next_run_finds_what_the_last_one_left_under_its_old_numbers(path: Path):
    spool = Spool(path, "b0000001")
    spool.add([item(1), item(2)])
    spool.remove([spool.after(0, 1)[0].id])
    spool.close()
    spool = Spool(path, "b0000002")
    spool.add([item(3)])
    assert [(entry.boot, entry.seq, total(entry)) for entry in spool.after(0, 10)] == [
        ("b0000001", 2, 2),
        ("b0000002", 1, 3),
    ]


def test_a_failed_write_keeps_nothing_and_uses_no_number(path: Path):
    spool = Spool(path, "b0000001")
    broken = Item("frame", None, NOW)  # type: ignore[arg-type]  # NOT NULL refuses it
    with pytest.raises(StoreUnavailable):
        spool.add([item(1), broken])
    spool.add([item(2)])
    assert [(entry.seq, total(entry)) for entry in spool.after(0, 10)] == [(1, 2)]


def test_a_spool_that_cannot_be_read_is_set_aside_and_a_new_one_begun(path: Path):
    path.parent.mkdir()
    path.write_bytes(b"not a database " * 1000)
    spool = Spool(path, "b0000001")
    spool.add([item(1)])
    assert spool.set_aside is not None
    assert spool.set_aside.read_bytes().startswith(b"not a database")
    assert spool.depth == 1


def test_a_spool_that_cannot_be_made_is_told_by_name(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match=r"file/spool\.db"):
        Spool(tmp_path / "file" / "spool.db", "b0000001")


# --- bounds -----------------------------------------------------------------------------------------


def test_a_full_spool_lets_the_oldest_go_and_counts_them(path: Path):
    spool = Spool(path, "b0000001", SpoolLimits(most_bytes=200_000))
    for first in range(0, 5000, 500):
        spool.add([item(number) for number in range(first, first + 500)])
        spool.shed(NOW)
    kept = [total(entry) for entry in spool.after(0, 10_000)]
    assert 0 < len(kept) < 5000
    assert kept == list(range(5000 - len(kept), 5000))
    assert spool.shed_so_far == {"size": 5000 - len(kept)}
    assert path.stat().st_size < 400_000


def test_what_is_too_old_goes_unless_its_time_is_not_known(path: Path):
    spool = Spool(path, "b0000001", SpoolLimits(most_days=1))
    spool.add([item(1), item(2, Moment(0, 500, "start-0", ClockSource.NONE)), item(3, later(86_000_000))])
    assert spool.shed(later(86_500_000)) == 1
    assert [total(entry) for entry in spool.after(0, 10)] == [2, 3]
    assert spool.shed_so_far == {"age": 1}


def test_a_wall_clock_that_jumps_makes_nothing_old_that_was_heard_since_the_machine_started(path: Path):
    spool = Spool(path, "b0000001", SpoolLimits(most_days=1))
    spool.add([item(1), item(2, Moment(NOW.at_ms, 500, "start-0", ClockSource.NTP))])
    jumped = Moment(NOW.at_ms + 400 * 86_400_000, NOW.uptime_ms + 1000, NOW.machine, ClockSource.NTP)
    assert spool.shed(jumped) == 1, "of an earlier start only the wall clock is known"
    assert [total(entry) for entry in spool.after(0, 10)] == [1]


def test_what_was_shed_while_the_broker_took_it_is_not_counted_as_lost(path: Path):
    spool = Spool(path, "b0000001", SpoolLimits(most_bytes=1))
    spool.add([item(1), item(2)])
    on_its_way = [entry.id for entry in spool.after(0, 10)]
    spool.shed(NOW)
    spool.remove(on_its_way)
    assert spool.shed_so_far == {}


def test_what_was_shed_is_remembered_by_the_next_run(path: Path):
    spool = Spool(path, "b0000001")
    spool.count_shed("disk", 3)
    spool.close()
    assert Spool(path, "b0000002").shed_so_far == {"disk": 3}


# --- time -------------------------------------------------------------------------------------------


def test_what_was_heard_before_the_clock_was_right_gets_its_time_when_it_is(path: Path):
    spool = Spool(path, "b0000001")
    wrong = Moment(0, 5_000, "start-1", ClockSource.NONE)  # 1970, five seconds after the start
    other = Moment(0, 5_000, "start-0", ClockSource.NONE)  # of an earlier start: nobody knows
    spool.add([item(1, wrong), item(2, other)])
    assert spool.restamp(Moment(AT, 65_000, "start-1", ClockSource.NTP)) == 1
    first, second = spool.after(0, 10)
    assert (first.item.heard.at_ms, first.item.heard.source) == (AT - 60_000, ClockSource.NTP)
    assert (second.item.heard.at_ms, second.item.heard.source) == (0, ClockSource.NONE)


def test_a_clock_that_is_not_right_yet_changes_nothing(path: Path):
    spool = Spool(path, "b0000001")
    spool.add([item(1, later(0, ClockSource.NONE))])
    assert spool.restamp(later(1000, ClockSource.NONE)) == 0


def test_times_are_written_in_utc_with_milliseconds():
    assert rfc3339(AT + 1234) == "2026-01-01T00:00:01.234Z"
    assert rfc3339(-1) == "1969-12-31T23:59:59.999Z"


def test_the_machine_clock_counts_on_while_the_wall_clock_jumps():
    clock = MachineClock(SystemClock(), "rtc")
    first, second = clock.now(), clock.now()
    assert second.uptime_ms >= first.uptime_ms > 0
    assert first.source is ClockSource.RTC
    assert first.machine == second.machine


# --- thinning ---------------------------------------------------------------------------------------


def test_of_an_interval_only_the_newest_is_numbered(path: Path):
    spool = Spool(path, "b0000001")
    assert spool.hold([("a", item(1)), ("b", item(2))], 60_000) == 0
    assert spool.hold([("a", item(3, later(30_000)))], 60_000) == 1
    assert spool.release(later(59_999)) == 0
    assert spool.release(later(60_000)) == 2
    assert [(entry.seq, total(entry)) for entry in spool.after(0, 10)] == [(1, 3), (2, 2)]
    assert spool.after(0, 10)[0].item.heard == later(30_000)


def test_what_was_held_before_a_power_cut_is_released_at_once_after_it(path: Path):
    spool = Spool(path, "b0000001")
    spool.hold([("a", item(1))], 3_600_000)
    spool.close()
    spool = Spool(path, "b0000002")
    assert spool.release(Moment(AT, 10, "start-2", ClockSource.NTP)) == 1


# --- envelopes --------------------------------------------------------------------------------------


def test_an_entry_is_written_as_the_contract_says(path: Path):
    spool = Spool(path, "b0000001")
    spool.add([item_of(Frame(b"\x0b\x44", rssi_dbm=-71), NOW, mode="T1")])
    assert json.loads(payload(spool.after(0, 1), [True])) == [
        {
            "v": 1,
            "k": "frame",
            "boot": "b0000001",
            "seq": 1,
            "ts": "2026-01-01T00:00:00.000Z",
            "ts_src": "ntp",
            "mode": "T1",
            "rssi": -71,
            "hex": "0b44",
            "hist": True,
        }
    ]


# --- a power cut ------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from gateway_firmware_config.agent.envelope import item_of
from gateway_firmware_config.agent.moment import Moment
from gateway_firmware_config.agent.received import Pulse
from gateway_firmware_config.agent.spool import Spool
from metering.uplink import ClockSource

now = Moment(0, 0, "m", ClockSource.NTP)
spool = Spool(Path(sys.argv[1]), sys.argv[2])
number = int(sys.argv[3])
while True:
    spool.add([item_of(Pulse("1", number + more), now) for more in range(3)])
    number += 3
    print(number, flush=True)
    if number % 5 == 0:
        spool.remove([entry.id for entry in spool.after(0, 2)])
"""


def test_killed_while_writing_nothing_that_was_told_to_be_kept_is_lost(path: Path):
    """`kill -9` at random moments; what is left is an unbroken run of numbers up to the last one told."""
    dice, number = random.Random(7), 0
    for run in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"b{run:07d}", str(number)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        said, _ = process.communicate()
        told = [int(line) for line in said.split()] or [number + 3]
        kept = [total(entry) for entry in Spool(path, "reader").after(0, 1_000_000)]
        assert kept == list(range(kept[0], kept[-1] + 1))
        assert kept[-1] + 1 >= told[-1]
        number = kept[-1] + 1
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*), count(DISTINCT boot || ' ' || seq) FROM entries").fetchone()[
            0
        ] == len(kept)
    db.close()
