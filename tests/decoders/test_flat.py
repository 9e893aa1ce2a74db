"""The flat output dashboards know, oddities included."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import decode
from decoders.build import build
from decoders.flat import Flat, flat
from decoders.model import Model
from decoders.model_file import read
from decoders.models import models
from decoders.telegram import Telegram
from decoders.wmbus.records import walk
from metering.meter import MeterId

METER = MeterId("KAM", "1A345678", "1b", "16")
NOON = datetime(2025, 6, 1, 12, 30, 15, tzinfo=UTC)
TOTAL = 'name = "total_m3"\nquantity = "volume"'


def telegram(records: str, status: int = 0, meter: MeterId = METER) -> Telegram:
    return decode(build(meter, bytes.fromhex(records), status=status))


def model(*tables: str) -> Model:
    fields = "\n".join(f"[[field]]\n{table}" for table in tables)
    return read(f'name = "brook"\ngroup = "water"\nmedia = ["water"]\n{fields}', "brook.toml")


def told(records: str, *tables: str, status: int = 0) -> Flat:
    whole = flat(telegram(records, status), model(*tables), received_at=NOON)
    frame = {"_", "media", "meter", "name", "id", "timestamp"}
    return {name: value for name, value in whole.items() if name not in frame}


# --- the frame around the fields -----------------------------------------------------------------


def test_keys_stand_in_the_order_users_know():
    status = 'name = "status"\njoin = "tpl"'
    target = 'name = "target_m3"\nquantity = "volume"\nstorage = 1'
    heard = telegram("441315000000 041314000000")
    whole = flat(heard, model(status, TOTAL, target), received_at=NOON, name="attic")
    assert list(whole.items()) == [
        ("_", "telegram"),
        ("media", "cold water"),
        ("meter", "brook"),
        ("name", "attic"),
        ("id", "1a345678"),
        ("total_m3", Decimal("0.02")),
        ("target_m3", Decimal("0.021")),
        ("status", "OK"),
        ("timestamp", "2025-06-01T12:30:15Z"),
    ]


def test_the_time_of_reception_is_told_in_utc():
    east = NOON.astimezone(timezone(timedelta(hours=2)))
    assert flat(telegram(""), model(TOTAL), received_at=east)["timestamp"] == "2025-06-01T12:30:15Z"


@pytest.mark.parametrize(
    ("maker", "kind", "media"),
    [
        ("ABC", "07", "water"),
        ("ABC", "06", "warm water"),
        ("ABC", "25", "customer unit (display device)"),
        ("ABC", "1d", "reserved"),
        ("ABC", "32", "reserved"),
        ("ABC", "37", "radio converter (meter side)"),
        ("ABC", "14", "Unknown"),
        ("ABC", "62", "Unknown"),
        ("TCH", "62", "warm water"),
        ("TCH", "80", "heat cost allocator"),
    ],
)
def test_media_are_named_as_users_know_them(maker: str, kind: str, media: str):
    heard = telegram("", meter=MeterId(maker, "12345678", "01", kind))
    assert flat(heard, None, received_at=NOON)["media"] == media


def test_without_a_model_records_go_by_rule():
    whole = flat(telegram("0413140000 00 426C1F3C 046D32371F15", status=4), None, received_at=NOON)
    assert list(whole)[2:] == [
        "meter", "name", "id", "total_m3", "target_date", "meter_datetime", "status", "timestamp",
    ]  # fmt: skip
    assert (whole["meter"], whole["target_date"], whole["meter_datetime"], whole["status"]) == (
        "auto",
        "2024-12-31",
        "2008-05-31 23:50",
        "POWER_LOW",
    )


def test_records_without_a_field_are_left_out():
    assert told("041314000000 426C1F3C", TOTAL) == {"total_m3": Decimal("0.02")}


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "field", "text"),
    [
        ("04138E540E00", TOTAL, "939.15"),
        ("0413D8530E00", TOTAL, "938.968"),
        ("041100000000", TOTAL, "0"),
        ("041101000000", TOTAL, "0.00001"),
        ("041001000000", TOTAL, "0.000001"),
        ("0417E8030000", TOTAL, "10000"),
        ("0408E8030000", 'name = "total_kwh"\nquantity = "energy"', "0.000278"),
        ("0408F4010000", 'name = "total_kwh"\nquantity = "energy"', "0.000139"),
        ("055B00004841", 'name = "flow_c"\nquantity = "flow_temperature"', "12.5"),
        ("05FF0AC3F54840", 'name = "x_factor"\nrecord = "05FF0A"\nraw = true', "3.14"),
    ],
)
def test_numbers_have_six_decimals_at_most_and_no_exponent(record: str, field: str, text: str):
    (value,) = told(record, field).values()
    assert str(value) == text


@settings(max_examples=300, deadline=None)
@given(raw=st.integers(-(1 << 31), (1 << 31) - 1), vif=st.integers(0x10, 0x17))
def test_every_number_is_its_value_rounded(raw: int, vif: int):
    data = bytes((0x04, vif)) + raw.to_bytes(4, "little", signed=True)
    value = told(data.hex(), TOTAL)["total_m3"]
    assert isinstance(value, Decimal)
    assert value == Decimal(raw).scaleb(vif - 0x16)
    assert "E" not in str(value)
    assert not str(value).endswith((".0", "."))


def test_the_pattern_for_invalid_stays_a_number():
    assert told("041300000080", TOTAL) == {"total_m3": Decimal("-2147483.648")}
    counter = 'name = "a_counter"\nquantity = "dimensionless"'
    assert told("04FD3AFFFFFFFF", counter) == {"a_counter": Decimal(-1)}


def test_the_models_own_invalid_value_is_null():
    assert told("041300000080", TOTAL + '\nnull = "-2147483.648"') == {"total_m3": None}


def test_a_real_number_that_is_none_is_null():
    assert told("05130000C07F", TOTAL) == {"total_m3": None}


@pytest.mark.parametrize("record", ["0C13FFFFFFFF", "0C131A000000", "0013", "0D130431323334"])
def test_a_record_without_a_number_is_left_out(record: str):
    assert told(record, TOTAL) == {}


def test_bcd_can_be_negative():
    assert told("0C13563412F0", TOTAL) == {"total_m3": Decimal("-123.456")}


def test_a_duration_keeps_the_unit_of_its_vif():
    """A flow whose VIFE counts how long it was exceeded is told as the flow the name says."""
    flow = (
        'name = "volume_flow_m3h"\nquantity = "volume_flow"\n'
        'qualifiers = ["duration_of_last_lower_limit_exceed"]'
    )
    assert told("02BB560500", flow) == {"volume_flow_m3h": Decimal("0.005")}


def test_a_calculation_without_a_value_can_have_a_number_for_it():
    both = 'name = "both_m3"\nhook = "sum_of"\nof = ["total_m3"]'
    assert told("", TOTAL, both) == {"both_m3": None}
    assert told("", TOTAL, both + '\nflat_null = "0"') == {"both_m3": Decimal(0)}


# --- dates ---------------------------------------------------------------------------------------

MOMENT = 'name = "set_date"\nquantity = "date"\nstorage = 1'
TEXT = MOMENT + '\nform = "date"'


@pytest.mark.parametrize(
    ("data", "moment", "text"),
    [
        ("1F3C", "2024-12-31", "2024-12-31"),
        ("0000", "1999-11-30", "2000-00-00"),
        ("2000", "2000-11-30", "2001-00-00"),
        ("0001", "1999-12-31", "2000-01-00"),
        ("1F02", "2000-03-02", "2000-02-31"),
        ("FFFF", None, ""),
        ("1F0D", None, ""),
        ("E1F1", "2127-01-01", "2127-01-01"),
    ],
)
def test_dates_that_are_none(data: str, moment: str | None, text: str):
    """A month above 12 is none; month 0 and day 0 roll back in a date, and stand as they are in a text."""
    assert told(f"426C{data}", MOMENT) == {"set_date": moment}
    assert told(f"426C{data}", TEXT) == {"set_date": text}


@pytest.mark.parametrize(
    ("record", "text", "minute"),
    [
        ("046D32371F15", "2008-05-31 23:50", "2008-05-31 23:50"),
        ("066D2C32374F3101", "2026-01-15 23:50:44", "2026-01-15 23:50"),
        ("046DB2371F15", "2008-05-31 23:50", "2008-05-31 23:50"),
        ("046D3F1F1F15", "", None),
    ],
)
def test_seconds_stand_in_texts_only(record: str, text: str, minute: str | None):
    field = 'name = "meter_datetime"\nquantity = "datetime"'
    assert told(record, field) == {"meter_datetime": minute}
    assert told(record, field + '\nform = "datetime"') == {"meter_datetime": text}


@settings(max_examples=200, deadline=None)
@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_day_there_is_is_told(day: date):
    year = day.year - 2000
    data = bytes((day.day | (year & 7) << 5, day.month | (year >> 3) << 4)).hex()
    assert told(f"426C{data}", MOMENT) == told(f"426C{data}", TEXT) == {"set_date": day.isoformat()}


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=6, max_size=6), st.sampled_from([2, 4, 6]))
def test_any_bytes_of_a_date_are_told_or_null(data: bytes, size: int):
    record = bytes((0x40 | size, 0x6D)) + data[:size]
    values = told(record.hex(), 'name = "due_datetime"\nquantity = "datetime"\nstorage = 1').values()
    assert all(value is None or len(str(value)) == 16 for value in values)


# --- texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "form", "text"),
    [
        ("0C7878563412", "text", "12345678"),
        ("0E789986011240FF", "text", "FF4012018699"),
        ("0D780444433241", "text", "A2CD"),
        ("04780000 4241", "text", "AB"),
        ("0478FF004241", "text", "414200FF"),
        ("0D78033C410A", "text", "<0A>A<3C>"),
        ("02780000", "text", "0000"),
        ("0D7803414243", "text_as_sent", "ABC"),
        ("0D7803410143", "text_as_sent", "410143"),
        ("0D78020A1F", "hex_as_sent", "0A1F"),
        ("0278 0102", "hex_as_sent", "0102"),
    ],
)
def test_texts_are_letters_where_all_bytes_can_be(record: str, form: str, text: str):
    assert told(record, f'name = "no"\nquantity = "fabrication_number"\nform = "{form}"') == {"no": text}


def test_a_text_without_data_is_left_out():
    assert told("0D7800", 'name = "no"\nquantity = "fabrication_number"\nform = "text"') == {}


# --- status --------------------------------------------------------------------------------------

FLAGS = '[field.flags]\nmask = "FFFF"\nrest = "ERROR_FLAGS"\nnames = ["0004 LEAK", "0001 DRY"]'


def test_a_status_that_joins_the_status_byte_is_always_told():
    status = f'name = "status"\nquantity = "error_flags"\njoin = "tpl"\n{FLAGS}'
    assert told("", status) == {"status": "OK"}
    assert told("02FD170500", status, status=0x28) == {"status": "DRY LEAK PERMANENT_ERROR UNKNOWN_20"}


def test_a_status_of_the_record_alone_is_told_with_its_record():
    status = f'name = "status"\nquantity = "error_flags"\njoin = "record"\n{FLAGS}'
    assert told("", status, status=4) == {}
    assert told("02FD170100", status, status=4) == {"status": "DRY"}


def test_flags_without_a_join_are_just_a_text():
    flags = f'name = "current_status"\nquantity = "error_flags"\n{FLAGS}\nnone = "FINE"'
    assert told("02FD170000", flags, status=4) == {"current_status": "FINE"}
    assert told("02FD170800", flags) == {"current_status": "ERROR_FLAGS_8"}
    assert told("", flags) == {}


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(sorted(models())), payload=st.binary(max_size=60), status=st.integers(0, 255))
def test_any_payload_is_told_by_any_model(name: str, payload: bytes, status: int):
    """Whatever the records hold: flat values of the three kinds, never an error."""
    heard = replace(telegram("", status), records=walk(payload, 0).records)
    whole = flat(heard, models()[name], received_at=NOON)
    assert all(value is None or isinstance(value, Decimal | str) for value in whole.values())
