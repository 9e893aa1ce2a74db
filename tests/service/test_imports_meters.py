"""Meter lists: what is understood, and how every fault is told."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.errors import ImportRefused
from metering.meter import Meter, MeterId, PulseInput, ServicePoint
from service.imports.meters import COLUMNS, read_meters

ZONE = ZoneInfo("Europe/Warsaw")
TODAY = datetime(2026, 3, 1, tzinfo=UTC)
KAM = MeterId.parse("KAM-76348799-1b-16")

NOT_AN_ID = (
    "row 4, column meter_id: 'nonsense' is not a meter id; expected manufacturer-serial-version-type"
    " like KAM-76348799-1b-16"
)


def read(text: str | bytes):
    raw = text if isinstance(text, bytes) else text.encode()
    return read_meters(raw, "meters.csv", zone=ZONE, today=TODAY)


def faults(text: str | bytes) -> list[str]:
    with pytest.raises(ImportRefused) as told:
        read(text)
    return [str(fault) for fault in told.value.faults]


def test_an_identity_is_enough():
    (row,) = read("meter_id\nkam-76348799-1B-16\n")
    assert row.meter == Meter(KAM)
    assert (row.number, row.point, row.since, row.pulse) == (2, None, None, None)


def test_the_identity_may_stand_in_four_columns_whose_leading_zeros_a_spreadsheet_dropped():
    (row,) = read("manufacturer,serial,version,device_type\nkam,6348799,7,6\n")
    assert str(row.meter.id) == "KAM-06348799-07-06"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("sign", [",", ";"])
def test_a_row_says_the_same_however_the_spreadsheet_writes_it(sign, mark, ending):
    header = sign.join(["Meter_ID", "label", "service_point", "address", "installed_from"])
    line = sign.join(["KAM-76348799-1b-16", '"Główny, ""stary"" ; x"', "SP1", "Łąkowa 3", "2026-07-01"])
    (row,) = read(mark + header + ending + line + ending)
    assert row.meter == Meter(KAM, "", 'Główny, "stary" ; x')
    assert row.point == ServicePoint("SP1", "Łąkowa 3")
    assert row.since == datetime(2026, 6, 30, 22, tzinfo=UTC)


PULSE = "meter_id;gateway;channel;litres_per_pulse;start_count;start_index_m3;installed_from\n"


def test_a_pulse_input_takes_a_decimal_comma_and_stays_exact():
    (row,) = read(PULSE + "KAM-76348799-1b-16;gw-1;1;2,5;100;1234,567;2026-03-01T10:00:00+01:00\n")
    assert row.pulse == PulseInput(
        "gw-1", "1", KAM, Decimal("2.5"), 100, Decimal("1234.567"), datetime(2026, 3, 1, 9, tzinfo=UTC)
    )


def test_without_a_date_a_pulse_input_begins_today():
    (row,) = read(PULSE + "KAM-76348799-1b-16;gw-1;1;10;0;0;\n")
    assert row.pulse is not None
    assert row.pulse.valid_from == TODAY


@pytest.mark.parametrize(("said", "model"), [("iperl", "iperl"), ("Multical21", "kamwater"), ("", None)])
def test_a_model_is_kept_by_its_name_here(said, model):
    (row,) = read(f"meter_id,model\nKAM-76348799-1b-16,{said}\n")
    assert row.meter.model == model


def test_blank_rows_count_but_say_nothing():
    assert [row.number for row in read("\n\nmeter_id\n\nKAM-76348799-1b-16\n , \n"[:-3])] == [5]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"meter_id": "76348799"}, "row 2, column meter_id: '76348799' is not a meter id"),
        ({"meter_id": "", "label": "x"}, "row 2, column meter_id: missing, and so is manufacturer, serial"),
        (
            {"manufacturer": "KAM", "serial": "1", "version": "1b", "device_type": "16"},
            "row 2, column meter_id: KAM-76348799-1b-16 is not KAM-00000001-1b-16",
        ),
        ({"medium": "beer"}, "row 2, column medium: 'beer' is not one of a/d converter, bidirectional"),
        ({"model": "none"}, "row 2, column model: 'none' is no meter model of this release"),
        ({"label": "x" * 201}, "row 2, column label: 201 characters; at most 200 are kept"),
        ({"label": '"a\nb"'}, "row 2, column label: holds a line break"),
        ({"address": "Łąkowa 3"}, "row 2, column address: given, but service_point is empty"),
        (
            {"service_point": "SP1", "installed_from": "1.3.2026"},
            "row 2, column installed_from: '1.3.2026' is neither a date like 2026-03-01",
        ),
        (
            {"service_point": "SP1", "installed_from": "2026-03-01T10:00"},
            "row 2, column installed_from: '2026-03-01T10:00' is neither",
        ),
        ({"gateway": "gw"}, "row 2, column channel: '' is not a name"),
        ({"gateway": "gw", "channel": "1"}, "row 2, column litres_per_pulse: missing; a number like"),
        ({"gateway": "g w"}, "row 2, column gateway: 'g w' is not a name"),
        ({"litres_per_pulse": "0"}, "row 2, column litres_per_pulse: a pulse must be worth something"),
        ({"start_count": "1.5"}, "row 2, column start_count: '1.5' is not a whole number"),
        ({"start_index_m3": "-1"}, "row 2, column start_index_m3: '-1' is not a number like"),
        ({"start_index_m3": "1.234,5"}, "row 2, column start_index_m3: '1.234,5' is not a number like"),
    ],
)
def test_a_wrong_cell_is_told_with_row_and_column(cells, sentence):
    said = {"meter_id": "KAM-76348799-1b-16", **cells}
    text = ";".join(COLUMNS) + "\n" + ";".join(said.get(column, "") for column in COLUMNS) + "\n"
    assert any(told.startswith(sentence) for told in faults(text)), faults(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "row 1: the file is empty; its first row names the columns"),
        ("\n\n", "row 1: the file is empty; its first row names the columns"),
        ("meter_idd\n", "row 1: unknown column 'meter_idd'; did you mean meter_id?"),
        ("meter_id,label,label\n", "row 1: column label is there twice"),
        (
            "label\n",
            "row 1: the header lacks meter_id, or manufacturer and serial and version and device_type",
        ),
        ("meter_id\nKAM-76348799-1b-16,x\n", "row 2: 2 cells where the header has 1"),
        ('meter_id\n"KAM', "row 2: not a table row: unexpected end of data"),
    ],
)
def test_what_is_no_table_is_told(text, sentence):
    assert faults(text) == [sentence]


def test_a_file_in_windows_1250_is_refused_with_what_to_do():
    (told,) = faults("meter_id,label\nKAM-76348799-1b-16,Główny\n".encode("cp1250"))
    assert told.startswith("row 2: byte 0xb3 is not UTF-8 text; save the file as UTF-8")


def test_every_fault_is_told_in_row_order_and_duplicates_are_faults():
    header = "meter_id;service_point;address;gateway;channel;litres_per_pulse;start_count;start_index_m3\n"
    assert faults(
        header
        + "KAM-76348799-1b-16;SP1;A;gw;1;1;0;0\n"
        + "KAM-76348799-1B-16;SP1;B;gw;1;1;0;0\n"
        + "nonsense;;;;;;;\n"
    ) == [
        "row 3, column meter_id: the same meter is in row 2",
        "row 3, column channel: the same pulse input is in row 2",
        "row 3, column service_point: address, district or route differ from row 2",
        NOT_AN_ID,
    ]


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=80)
    | st.lists(st.lists(st.text(max_size=8), max_size=4), max_size=4).map(
        lambda rows: ("meter_id;label\n" + "\n".join(";".join(row) for row in rows)).encode(errors="replace")
    )
)
def test_any_file_gives_rows_or_a_refusal_with_faults(raw):
    try:
        told = None
        read(raw)
    except ImportRefused as refusal:
        told = refusal.faults
    assert told is None or told
