"""Which telegrams are passed on, which take each other's place, and what happens when the disk refuses."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from devices import frame_of
from hypothesis import given
from hypothesis import strategies as st

from decoders.build import build
from decoders.wmbus.encode import record
from gateway_firmware_config.agent.intake import Intake, Traits
from gateway_firmware_config.agent.link_header import is_frame, senders
from gateway_firmware_config.agent.moment import Moment
from gateway_firmware_config.agent.received import Frame, Pulse
from gateway_firmware_config.agent.selection import Selection, kind_of
from gateway_firmware_config.agent.spool import Spool
from metering.errors import StoreUnavailable
from metering.meter import MeterId
from metering.uplink import ClockSource

AT = 1_767_225_600_000
METER = MeterId("KAM", "76348799", "1b", "16")
DIEHL = MeterId("DME", "12345678", "3c", "07")


def telegram(meter: MeterId = METER, litres: int = 1, access: int = 1) -> Frame:
    return Frame(build(meter, record(b"\x13", Decimal(litres).scaleb(-3), field=4), access=access))


def diehl() -> Frame:
    """Version and type before the number, as that family sends them."""
    body = bytes.fromhex("44 a511 3c07 78563412 a1 00")
    return Frame(bytes((len(body),)) + body)


def wired(meter_bytes: str = "78563412 2d2c 1b16") -> Frame:
    content = bytes.fromhex(f"08 01 72 {meter_bytes} 01 00 0000 0413 01000000")
    return Frame(b"\x68" + bytes((len(content),)) * 2 + b"\x68" + content + bytes((sum(content) & 255, 0x16)))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (telegram(), [METER]),
        (wired(), [MeterId("KAM", "12345678", "1b", "16")]),
        (Frame(b"\x0b\x44"), []),
        (Frame(b"\x68\x03\x03\x68\x08\x01\x78\x81\x16"), []),
    ],
)
def test_the_sender_is_read_from_the_link_layer(event: Frame, expected: list[MeterId]):
    assert list(senders(event.data)) == expected


def test_a_diehl_frame_may_come_from_either_of_two_identities():
    assert DIEHL in list(senders(diehl().data))


@given(data=st.binary(max_size=40))
def test_arbitrary_bytes_have_senders_or_none_and_never_raise(data: bytes):
    assert all(isinstance(one, MeterId) for one in senders(data))
    is_frame(data)


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), True),
        (Selection(meters=["KAM-76348799-1b-16"]), True),
        (Selection(meters=["76348799"]), True),
        (Selection(meters=["76348798"]), False),
        (Selection(meters=["KAM-76348799-1c-16"]), False),
        (Selection(manufacturers=["KAM"]), True),
        (Selection(manufacturers=["SEN"]), False),
        (Selection(meters=["76348798"], manufacturers=["KAM"]), True),
    ],
)
def test_a_telegram_is_wanted_by_its_meter_or_its_manufacturer(selection: Selection, wanted: bool):
    assert selection.wants(telegram()) is wanted


def test_a_diehl_meter_is_found_by_either_identity():
    assert Selection(meters=[str(DIEHL)]).wants(diehl())


def test_pulses_are_always_wanted():
    assert Selection(meters=["76348798"]).wants(Pulse("1", 1))


def test_only_telegrams_of_one_kind_take_each_others_place():
    long = Frame(build(METER, record(b"\x13", Decimal(1), field=4) * 2))
    assert kind_of(telegram(litres=1)) == kind_of(telegram(litres=2, access=2))
    assert kind_of(telegram()) != kind_of(long), "the long form some meters send now and then"
    assert kind_of(telegram()) != kind_of(telegram(MeterId("KAM", "76348798", "1b", "16")))
    assert kind_of(Pulse("1", 1)) == kind_of(Pulse("1", 2)) != kind_of(Pulse("2", 1))
    assert kind_of(wired()) != kind_of(wired("79563412 2d2c 1b16"))


# --- the intake -------------------------------------------------------------------------------------


class Hands:
    """A clock moved by hand."""

    def __init__(self, source: ClockSource = ClockSource.NTP) -> None:
        self.ms = 0
        self.source = source

    def now(self) -> Moment:
        return Moment(AT + self.ms, self.ms, "start-1", self.source)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool.db", "b0000001")


def bodies(spool: Spool) -> list[dict]:
    return [json.loads(entry.item.body) for entry in spool.after(0, 100)]


def test_what_is_heard_is_spooled_with_the_receivers_mode(spool: Spool):
    intake = Intake(spool, Selection(), Hands(), {"attic": Traits(mode="T1")})
    intake.take("attic", [Frame(frame_of(b"\x00")), Frame(frame_of(b"\x01"), mode="C1", rssi_dbm=-70)])
    intake.write()
    assert [(body["mode"], body.get("rssi")) for body in bodies(spool)] == [("T1", None), ("C1", -70)]


def test_what_is_not_selected_is_counted_and_left_out(spool: Spool):
    intake = Intake(spool, Selection(manufacturers=["SEN"]), Hands(), {})
    intake.take("attic", [telegram()])
    intake.write()
    assert bodies(spool) == []
    assert (intake.counts["heard"], intake.counts["left_out"]) == (1, 1)


def test_of_an_interval_the_newest_telegram_of_each_meter_is_passed_on(spool: Spool):
    hands = Hands()
    intake = Intake(spool, Selection(interval_s=60), hands, {})
    other = telegram(MeterId("KAM", "76348798", "1b", "16"))
    for ms, event in ((0, telegram(litres=1)), (10_000, other), (50_000, telegram(litres=2))):
        hands.ms = ms
        intake.take("attic", [event])
        intake.write()
    assert bodies(spool) == []
    hands.ms = 60_000
    intake.write()
    hands.ms = 70_000
    intake.write()
    assert [body["hex"] for body in bodies(spool)] == [telegram(litres=2).data.hex(), other.data.hex()]
    assert (intake.counts["thinned"], intake.counts["kept"]) == (1, 2)


def test_what_the_disk_refuses_waits_and_is_kept_when_it_works_again(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
):
    intake = Intake(spool, Selection(), Hands(), {})
    monkeypatch.setattr(spool, "add", refuse)
    intake.take("attic", [telegram(litres=1)])
    intake.write()
    intake.take("attic", [telegram(litres=2)])
    intake.write()
    monkeypatch.undo()
    intake.write()
    assert [body["hex"] for body in bodies(spool)] == [telegram(litres=n).data.hex() for n in (1, 2)]


def test_what_no_longer_fits_into_memory_is_lost_and_counted(spool: Spool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway_firmware_config.agent.intake._WAITING_AT_MOST", 2)
    intake = Intake(spool, Selection(), Hands(), {})
    with monkeypatch.context() as broken:
        broken.setattr(spool, "add", refuse)
        intake.take("attic", [telegram(litres=number) for number in range(5)])
        intake.write()
    intake.write()
    assert [body["hex"] for body in bodies(spool)] == [telegram(litres=n).data.hex() for n in (3, 4)]
    assert spool.shed_so_far == {"disk": 3}


def test_times_are_put_right_as_soon_as_the_clock_is(spool: Spool):
    hands = Hands(ClockSource.NONE)
    intake = Intake(spool, Selection(), hands, {})
    intake.take("attic", [telegram()])
    intake.write()
    hands.ms, hands.source = 5_000, ClockSource.NTP
    intake.write()
    [entry] = spool.after(0, 10)
    assert (entry.item.heard.source, entry.item.heard.at_ms) == (ClockSource.NTP, AT)


def test_what_was_stamped_before_the_clock_was_right_but_written_after_is_put_right_too(spool: Spool):
    hands = Hands(ClockSource.NONE)
    intake = Intake(spool, Selection(), hands, {})
    intake.take("attic", [telegram()])
    hands.source = ClockSource.NTP
    intake.write()
    assert spool.after(0, 10)[0].item.heard.source is ClockSource.NTP


def refuse(_items: object) -> None:
    raise StoreUnavailable("the disk is full")
