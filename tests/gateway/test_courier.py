"""The courier: order, history, nothing forgotten that was not taken."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from gateway_firmware_config.agent.courier import Courier, Pace, Verdict
from gateway_firmware_config.agent.envelope import item_of
from gateway_firmware_config.agent.moment import Moment
from gateway_firmware_config.agent.received import Pulse
from gateway_firmware_config.agent.spool import Spool
from metering.uplink import ClockSource

AT = 1_767_225_600_000


def moment(ms: int, source: ClockSource = ClockSource.NTP, machine: str = "start-1") -> Moment:
    return Moment(AT + ms, ms, machine, source)


class FakeLink:
    """A broker that says what the test wants it to say."""

    def __init__(self) -> None:
        self.connected = True
        self.sent: list[tuple[int, list[dict]]] = []
        self.sizes: list[int] = []
        self.said: list[tuple[int, Verdict]] = []
        self.reconnections = 0
        self.answered: set[int] = set()

    def publish(self, topic: str, message: bytes) -> int:
        assert topic == "amr/1/roof/up"
        self.sizes.append(len(message))
        plain = gzip.decompress(message) if message.startswith(b"\x1f\x8b") else message
        self.sent.append((len(self.sent) + 1, json.loads(plain)))
        return len(self.sent)

    def verdicts(self) -> list[tuple[int, Verdict]]:
        said, self.said = self.said, []
        return said

    def reconnect(self) -> None:
        self.reconnections += 1

    def answer(self, verdict: Verdict = Verdict.TAKEN) -> None:
        self.said += [(number, verdict) for number, _ in self.sent if number not in self.answered]
        self.answered |= {number for number, _ in self.sent}

    def totals(self) -> list[int]:
        return [item["total"] for _, items in self.sent for item in items]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool.db", "b0000001")


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


def fill(spool: Spool, numbers: range, heard: Moment) -> None:
    spool.add([item_of(Pulse("1", number), heard) for number in numbers])


def run(courier: Courier, now: Moment) -> None:
    while courier.work(now):
        pass


PACE = Pace(batch=10, window=3)


def courier_of(spool: Spool, link: FakeLink, pace: Pace = PACE) -> Courier:
    return Courier(spool, link, "amr/1/roof/up", pace)


def test_entries_go_in_order_in_batches_and_stay_until_they_are_taken(spool: Spool, link: FakeLink):
    fill(spool, range(25), moment(0))
    courier = courier_of(spool, link)
    run(courier, moment(1))
    assert [len(items) for _, items in link.sent] == [10, 10, 5]
    assert link.totals() == list(range(25))
    assert spool.depth == 25
    link.answer()
    run(courier, moment(2))
    assert spool.depth == 0
    assert courier.delivered == 25


def test_packed_messages_say_the_same_in_a_fourth_of_the_bytes(tmp_path: Path):
    plain, packed = FakeLink(), FakeLink()
    for link, pack in ((plain, False), (packed, True)):
        spool = Spool(tmp_path / f"{pack}.db", "b0000001")
        fill(spool, range(100), moment(0))
        run(courier_of(spool, link, Pace(pack=pack)), moment(1))
        spool.close()
    assert packed.sent == plain.sent
    assert packed.sizes[0] * 4 < plain.sizes[0]


def test_a_message_that_packing_would_make_longer_goes_as_it_is(spool: Spool, link: FakeLink):
    fill(spool, range(1), moment(0))
    run(courier_of(spool, link, Pace(pack=True)), moment(1))
    assert link.sizes[0] < 140


def test_no_more_messages_than_the_window_are_on_their_way(spool: Spool, link: FakeLink):
    fill(spool, range(100), moment(0))
    courier = courier_of(spool, link)
    run(courier, moment(1))
    assert len(link.sent) == 3
    link.answer()
    run(courier, moment(2))
    assert len(link.sent) == 6


def test_entries_are_collected_for_one_message_and_a_full_one_goes_at_once(spool: Spool, link: FakeLink):
    courier = courier_of(spool, link, Pace(batch=10, window=3, collect_ms=60_000))
    fill(spool, range(1), moment(0))
    run(courier, moment(0))
    fill(spool, range(1, 4), moment(1))
    link.answer()
    run(courier, moment(59_999))
    assert link.totals() == [0]
    run(courier, moment(60_000))
    assert [len(items) for _, items in link.sent] == [1, 3]
    fill(spool, range(4, 14), moment(60_001))
    run(courier, moment(60_001))
    assert [len(items) for _, items in link.sent] == [1, 3, 10]


def test_without_a_broker_nothing_is_sent(spool: Spool, link: FakeLink):
    fill(spool, range(3), moment(0))
    link.connected = False
    assert courier_of(spool, link).work(moment(1)) is False
    assert link.sent == []


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.NOBODY])
def test_what_was_not_taken_is_sent_again_from_the_oldest_after_a_pause(
    spool: Spool, link: FakeLink, verdict: Verdict
):
    """A broker that takes a message for nobody throws it away."""
    fill(spool, range(5), moment(0))
    courier = courier_of(spool, link)
    run(courier, moment(1))
    link.answer(verdict)
    run(courier, moment(2))
    assert (spool.depth, len(link.sent)) == (5, 1)
    run(courier, moment(PACE.retry_ms + 3))
    assert link.sent[1][1] == link.sent[0][1]
    link.answer()
    run(courier, moment(PACE.retry_ms + 4))
    assert spool.depth == 0


def test_after_a_refusal_one_message_at_a_time_goes_until_one_is_taken(spool: Spool, link: FakeLink):
    fill(spool, range(100), moment(0))
    courier = courier_of(spool, link)
    run(courier, moment(1))
    link.answer(Verdict.REFUSED)
    run(courier, moment(PACE.retry_ms + 10))
    run(courier, moment(2 * PACE.retry_ms + 10))
    assert len(link.sent) == 4
    link.answer()
    run(courier, moment(2 * PACE.retry_ms + 11))
    assert len(link.sent) == 7


def test_a_connection_on_which_nothing_is_acknowledged_is_given_up(spool: Spool, link: FakeLink):
    fill(spool, range(3), moment(0))
    courier = courier_of(spool, link)
    run(courier, moment(1))
    run(courier, moment(PACE.stuck_ms))
    assert link.reconnections == 0
    run(courier, moment(PACE.stuck_ms + 10))
    assert link.reconnections == 1
    run(courier, moment(PACE.stuck_ms + 20))
    assert link.reconnections == 1


def test_what_waited_is_marked_as_history(spool: Spool, link: FakeLink):
    fill(spool, range(1), moment(0, machine="start-0"))
    fill(spool, range(1, 2), moment(0))
    fill(spool, range(2, 3), moment(60_001))
    run(courier_of(spool, link), moment(60_001))
    assert [item["hist"] for item in link.sent[0][1]] == [True, True, False]


def test_history_of_unsure_time_waits_for_the_clock(spool: Spool, link: FakeLink):
    """Live items go at once; what was heard before and cannot be dated yet waits, for some time."""
    fill(spool, range(2), moment(0, ClockSource.NONE))
    courier = courier_of(spool, link)
    courier.work(moment(0, ClockSource.NONE))
    assert link.totals() == [0, 1], "live"
    fill(spool, range(2, 4), moment(0, ClockSource.NONE))
    run(courier, moment(100_000, ClockSource.NONE))
    assert link.totals() == [0, 1], "held back"
    spool.restamp(moment(110_000))
    run(courier, moment(110_000))
    assert link.totals() == [0, 1, 2, 3]
    assert {item["ts_src"] for item in link.sent[1][1]} == {"ntp"}


def test_what_can_never_be_dated_holds_nothing_up(spool: Spool, link: FakeLink):
    """Left by a start of the machine that ended before its clock was right."""
    fill(spool, range(1), moment(0, ClockSource.NONE, machine="start-0"))
    fill(spool, range(1, 2), moment(1))
    run(courier_of(spool, link), moment(2))
    assert link.totals() == [0, 1]


def test_history_of_unsure_time_goes_in_the_end_when_the_clock_never_becomes_right(
    spool: Spool, link: FakeLink
):
    fill(spool, range(2), moment(0, ClockSource.NONE))
    courier = courier_of(spool, link)
    link.connected = False
    courier.work(moment(0, ClockSource.NONE))
    link.connected = True
    run(courier, moment(PACE.clock_wait_ms + 1, ClockSource.NONE))
    assert link.totals() == [0, 1]
    assert link.sent[0][1][0]["ts_src"] == "none"


@pytest.mark.parametrize("seed", range(10))
def test_over_any_run_of_verdicts_and_outages_every_entry_is_taken_and_none_forgotten(
    spool: Spool, link: FakeLink, seed: int
):
    dice = random.Random(seed)
    courier, taken = courier_of(spool, link), set()
    added, now = 0, 0
    for _ in range(400):
        now += dice.randrange(10_000)
        if added < 300:
            more = dice.randrange(6)
            fill(spool, range(added, added + more), moment(now))
            added += more
        link.connected = dice.random() < 0.8
        courier.work(moment(now))
        if link.connected and dice.random() < 0.7:
            fresh = [number for number, _ in link.sent if number not in link.answered]
            for number in fresh:
                verdict = dice.choice([Verdict.TAKEN, Verdict.TAKEN, Verdict.REFUSED, Verdict.NOBODY])
                link.said.append((number, verdict))
                link.answered.add(number)
                if verdict is Verdict.TAKEN:
                    taken |= {item["total"] for item in link.sent[number - 1][1]}
    link.connected = True
    for _ in range(300):
        now += 16_000
        courier.work(moment(now))
        for number, items in link.sent:
            if number not in link.answered:
                link.said.append((number, Verdict.TAKEN))
                link.answered.add(number)
                taken |= {item["total"] for item in items}
    courier.work(moment(now))
    assert spool.depth == 0
    assert taken == set(range(added))
