"""Records become readings and details, each with the time it holds for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from decoders import decode
from decoders.wmbus.encode import record
from ingest.registers import DECODER, pulse_reading, readings_of
from metering.meter import PulseInput
from metering.ports import ArchivedTelegram, TelegramState
from metering.reading import Function, Quality, Register, Way
from metering.uplink import ClockSource, PulseUplink, Reception

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WARSAW = ZoneInfo("Europe/Warsaw")
local = datetime.fromisoformat  # as a meter says it, without a zone
DATE, DATETIME = b"\x6c", b"\x6d"


def heard(**more) -> Reception:
    return Reception("gw1", NOON, NOON, **{"clock": ClockSource.NTP, **more})


@pytest.fixture
def read(make):
    def read(*records: bytes, reception: Reception | None = None):
        frame = make.frame(payload=b"".join(records))
        receptions = [(reception or heard(), None)]
        archived = ArchivedTelegram(7, make.meter(), frame, b"", TelegramState.STORED, "", NOON, receptions)
        readings, details = readings_of(decode(frame), archived, WARSAW)
        return {one.register.key: one for one in readings}, {one.register.key: one.text for one in details}

    return read


def volume(cubic_metres: str, **where) -> bytes:
    return record(b"\x13", Decimal(cubic_metres), field=4, **where)


def test_numbers_are_readings_and_everything_else_details(read):
    readings, details = read(
        volume("7.704"),
        record(DATETIME, local("2026-03-02T13:01"), field=4),
        record(b"\x78", "12345678", field=0xD),
        record(b"\x5b", None, field=2),
    )
    assert {key: (one.value, one.unit) for key, one in readings.items()} == {
        "volume": (Decimal("7.704"), "m3")
    }
    assert details == {"datetime": "2026-03-02T13:01:00", "fabrication_number": "12345678"}


def test_a_reading_says_where_it_came_from(read):
    readings, _ = read(volume("7.704"))
    provenance = readings["volume"].provenance
    assert (provenance.telegram, provenance.gateway, provenance.model, provenance.decoder) == (
        7,
        "gw1",
        None,
        DECODER,
    )
    assert readings["volume"].way is Way.RADIO


def test_a_value_during_error_says_so(read):
    readings, _ = read(volume("7.704", function=Function.ERROR))
    assert readings["volume:error"].quality is Quality.METER_ERROR


@pytest.mark.parametrize(
    ("when", "field", "vib", "moment"),
    [
        (date(2026, 3, 1), 2, DATE, datetime(2026, 2, 28, 23, tzinfo=UTC)),
        (date(2025, 7, 1), 2, DATE, datetime(2025, 6, 30, 22, tzinfo=UTC)),
        (local("2025-12-31T23:59"), 4, DATETIME, datetime(2025, 12, 31, 22, 59, tzinfo=UTC)),
        (
            local("2025-10-26T02:30"),
            4,
            DATETIME,
            datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
        ),  # twice: the first
        (
            local("2025-03-30T02:30"),
            4,
            DATETIME,
            datetime(2025, 3, 30, 1, 30, tzinfo=UTC),
        ),  # never: before the gap
        (date(2026, 3, 3), 2, DATE, datetime(2026, 3, 2, 23, tzinfo=UTC)),
    ],
)
def test_a_stored_value_holds_for_the_date_of_its_storage_in_the_utilitys_zone(
    read, when, field, vib, moment
):
    readings, _ = read(volume("8"), volume("7", storage=1), record(vib, when, field=field, storage=1))
    assert readings["volume"].measured_at == NOON
    assert readings["volume/s1"].measured_at == moment


@pytest.mark.parametrize(
    "other",
    [
        record(DATE, date(2026, 3, 5), field=2, storage=1),
        record(DATE, date(2026, 3, 1), field=2, storage=2),
        record(DATE, date(2026, 3, 1), field=2, storage=1, tariff=1),
        record(DATE, date(2026, 3, 1), field=2, storage=1, function=Function.MAXIMUM),
        record(DATE, None, field=2, storage=1),
        b"",
    ],
    ids=["future", "other storage", "other tariff", "time of a maximum", "no date", "none"],
)
def test_a_stored_value_without_a_sound_date_of_its_own_holds_for_the_reception(read, other):
    readings, _ = read(volume("7", storage=1), other)
    assert readings["volume/s1"].measured_at == NOON


@pytest.mark.parametrize(
    ("reception", "quality"),
    [
        ({}, Quality.RAW),
        ({"history": True}, Quality.RAW),
        ({"clock": ClockSource.NONE}, Quality.RAW),
        ({"clock": ClockSource.NONE, "history": True}, Quality.CLOCK_UNSURE),
        ({"clock": ClockSource.NONE, "redelivered": True}, Quality.CLOCK_UNSURE),
    ],
)
def test_an_unsure_clock_matters_only_for_what_was_not_live(read, reception, quality):
    readings, _ = read(
        volume("8"),
        volume("7", storage=1),
        record(DATE, date(2026, 3, 1), field=2, storage=1),
        reception=heard(**reception),
    )
    assert readings["volume"].quality is quality
    assert readings["volume/s1"].quality is Quality.RAW, "dated by the meter"


def test_the_index_of_a_pulse_counter_is_exact(make):
    wired = PulseInput(
        "gw1", "1", make.meter(), Decimal("2.5"), 100, Decimal("50.0001"), NOON - timedelta(days=1)
    )
    reading = pulse_reading(PulseUplink(heard(), "1", 2**60 + 100), wired)
    assert reading is not None
    assert reading.value == Decimal(2**60) * Decimal("0.0025") + Decimal("50.0001")
    assert (reading.register, reading.unit, reading.way) == (Register("volume"), "m3", Way.PULSE)
    assert pulse_reading(PulseUplink(heard(), "1", 99), wired) is None
