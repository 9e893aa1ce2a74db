"""Wired M-Bus: questions, answers of several telegrams, lost answers, and meters that never end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wired_bus import ADDRESS, LAST, METER, MORE, VOLUME, Bus, answer

from gateway_firmware_config.agent.lines import LineLost, serial_line
from gateway_firmware_config.agent.received import Frame
from gateway_firmware_config.agent.wired import frames
from gateway_firmware_config.agent.wired.exchange import Target, Told, read_meter
from gateway_firmware_config.agent.wired.more import more_follows
from gateway_firmware_config.agent.wired.polling import Poller, converse


def told_by(bus: Bus, target: Target = METER) -> Told:
    exchange = read_meter(target)
    question = next(exchange)
    try:
        while True:
            question = exchange.send(bus.reply(question))
    except StopIteration as done:
        return done.value


def test_questions_are_those_printed_in_the_standard():
    assert frames.reset(0xFD) == bytes.fromhex("1040FD3D16")
    assert frames.request(0xFD, odd=False) == bytes.fromhex("105BFD5816")
    assert frames.request(0xFD, odd=True) == bytes.fromhex("107BFD7816")
    assert frames.select(METER).hex() == "680b0b6853fd52" + ADDRESS.hex() + "4016"


def test_all_telegrams_of_an_answer_are_read():
    said = [MORE, answer(b"\x01\x13\x05\x1f", 2), answer(VOLUME, 3)]
    assert told_by(Bus(said)) == Told(tuple(said))


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_answer_is_asked_for_again_and_skips_nothing(lost: int):
    assert told_by(Bus([MORE, LAST], lost=lost)).telegrams == (MORE, LAST)


def test_a_meter_that_does_not_answer_is_told_by_name():
    told = told_by(Bus([LAST], lost=100))
    assert told.telegrams == ()
    assert told.fault is not None
    assert (told.fault.reason, told.fault.sentence) == (
        "no_answer",
        "KAM-12345678-1b-16 does not answer",
    )


def test_a_meter_that_never_ends_is_asked_sixteen_times():
    bus = Bus([answer(bytes((0x01, 0x13, number)) + b"\x1f", number) for number in range(40)])
    assert len(told_by(bus).telegrams) == 16


def test_a_meter_that_says_the_same_again_under_another_number_is_not_asked_on():
    assert told_by(Bus([MORE, answer(VOLUME + b"\x1f", 2)])).telegrams == (MORE,)


@pytest.mark.parametrize(
    ("records", "more"),
    [
        ("1f", True),
        ("0413000000001f", True),
        ("041300000000", False),
        ("04130000001f", False),  # 1F is the value's last byte
        ("0f1f1f", False),  # manufacturer's data
        ("1f0102", True),  # manufacturer's data, and more records elsewhere
        ("2f2f1f", True),
        ("0d78021f1f1f", True),  # text of two bytes
        ("02fc0348522574001f1f", True),  # unit as text
        ("840113000000001f", True),
        ("", False),
        ("04", False),
        ("84", False),
    ],
)
def test_dif_1f_is_seen_where_a_record_begins_and_nowhere_else(records: str, more: bool):
    assert more_follows(answer(bytes.fromhex(records))) is more


@settings(max_examples=200, deadline=None)
@given(records=st.binary(max_size=200), frame=st.binary(max_size=60))
def test_records_that_cannot_be_followed_end_the_answer_and_never_raise(records: bytes, frame: bytes):
    assert more_follows(answer(records)) in {True, False}
    more_follows(frame)


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, len(LAST) - 1), noise=st.binary(max_size=5).filter(lambda some: 0x68 not in some))
def test_an_answer_is_complete_with_its_last_byte_and_not_before(cut: int, noise: bytes):
    assert frames.complete(noise.replace(b"\xe5", b"") + LAST[:cut]) is None
    assert frames.complete(noise + LAST) == LAST


# --- over a line ------------------------------------------------------------------------------------


def test_a_meter_on_a_serial_port_is_read(pseudo_terminal: Callable[[Bus], str]):
    port = pseudo_terminal(Bus([MORE, LAST]))
    line = serial_line(port, 2400)()
    try:
        assert converse(line, METER, 2400).telegrams == (MORE, LAST)
    finally:
        line.close()


def test_the_baud_rate_a_meter_answered_to_is_tried_first_the_next_time(
    pseudo_terminal: Callable[[Bus], str],
):
    bus, heard, tried = Bus([LAST], lost=3), [], []
    port = pseudo_terminal(bus)

    def opening(baud: int):
        def open_it():
            tried.append(baud)
            return serial_line(port, baud)()

        return open_it

    poller = Poller(
        "cellar",
        {9600: opening(9600), 2400: opening(2400)},
        [METER],
        lambda name, events: heard.extend((name, event) for event in events),
        every_s=60,
    )
    poller.ask(METER)  # the bus loses all three answers to the first speed
    poller.ask(METER)
    assert tried == [9600, 2400, 2400]
    assert heard == [("cellar", Frame(LAST))] * 2


def test_a_port_that_is_not_there_is_told_by_name():
    with pytest.raises(LineLost, match=r"/dev/nowhere cannot be opened: No such file"):
        serial_line("/dev/nowhere", 2400)()
