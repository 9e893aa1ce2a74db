"""A model applied to a telegram, told exactly: which record a field takes, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import decode
from decoders.build import build
from decoders.fields import fields as by_rule
from decoders.flat import flat
from decoders.hooks import Given, calculation, payload_reader
from decoders.matching import bind
from decoders.meaning import fields
from decoders.model import Model
from decoders.model_file import read
from decoders.models import models
from decoders.telegram import Record, Telegram, Value
from metering.meter import MeterId

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
METER = MeterId("ABC", "12345678", "01", "07")


def telegram(records: str, status: int = 0) -> Telegram:
    return decode(build(METER, bytes.fromhex(records), status=status))


def model(*tables: str) -> Model:
    fields_ = "\n".join(f"[[field]]\n{table}" for table in tables)
    return read(f'name = "brook"\ngroup = "water"\nmedia = ["water"]\n{fields_}', "brook.toml")


TOTAL = 'name = "total_m3"\nquantity = "volume"'


def told(records: str, *tables: str, status: int = 0):
    return fields(telegram(records, status), model(*tables))


# --- which record --------------------------------------------------------------------------------


def test_a_plain_field_takes_the_first_plain_record():
    assert told("44130A000000 04933C14000000 04131E000000 041328000000", TOTAL)["total_m3"] == Decimal("0.03")


def test_any_resolution_and_data_field_is_the_same_quantity():
    assert told("0C1478563412", TOTAL) == {"total_m3": Decimal("123456.78")}
    assert told("02FB100300", TOTAL) == {"total_m3": Decimal(300)}


@pytest.mark.parametrize("record", ["44131E000000", "14131E000000", "8410131E000000", "8440131E000000"])
def test_another_storage_function_tariff_or_subunit_is_another_register(record: str):
    assert "total_m3" not in told(record, TOTAL)


def test_qualifiers_must_be_all_there_and_no_other():
    backward = 'name = "total_backward_m3"\nquantity = "volume"\nqualifiers = ["backward"]'
    assert told("04933C14000000", backward)["total_backward_m3"] == Decimal("0.02")
    assert "total_backward_m3" not in told("0493BC2514000000", backward)
    assert "total_backward_m3" not in told("041314000000", backward)


def test_a_correction_is_no_qualifier():
    """VIFE 00 (no error) and multipliers change nothing of what a record is."""
    assert told("04930014000000", TOTAL) == {"total_m3": Decimal("0.02")}
    assert told("04937514000000", TOTAL) == {"total_m3": Decimal("0.002")}


def test_a_record_that_says_error_is_not_the_plain_record():
    named = told("04931614000000 041315000000", TOTAL)
    assert named["total_m3"] == Decimal("0.021")


def test_the_nth_record_of_a_kind_can_be_taken():
    second = 'name = "total_cooling_m3"\nquantity = "volume"\nnth = 2'
    named = told("041314000000 041315000000", TOTAL, second)
    assert (named["total_m3"], named["total_cooling_m3"]) == (Decimal("0.02"), Decimal("0.021"))


def test_a_range_names_each_record_by_its_number():
    history = 'name = "history_{storage-1}_m3"\nquantity = "volume"\nstorage = "2..16"'
    assert told("84011314000000 C4011315000000", history) == {
        "history_1_m3": Decimal("0.02"),
        "history_2_m3": Decimal("0.021"),
    }


def test_a_range_without_a_number_in_its_name_keeps_the_last():
    flow = 'name = "min_temperature_c"\nquantity = "flow_temperature"\nfunction = "minimum"\nstorage = "1..2"'
    assert told("615B05 A1015B06", flow)["min_temperature_c"] == Decimal(6)


def test_of_fields_with_one_name_the_later_that_finds_a_record_wins():
    month, year = (f'name = "target_m3"\nquantity = "volume"\nstorage = {storage}' for storage in (8, 1))
    assert told("441314000000 84041315000000", month, year)["target_m3"] == Decimal("0.02")
    assert told("84041315000000", month, year)["target_m3"] == Decimal("0.021")


def test_exact_bytes_take_the_first_such_record_only():
    word = 'name = "word_counter"\nrecord = "02FF20"\nraw = true'
    assert told("02FF200500 02FF200600", word)["word_counter"] == Decimal(5)


def test_a_status_without_its_record_takes_the_nearest_word():
    """A fault must not be lost because the meter adds a VIFE."""
    status = (
        'name = "status"\nquantity = "error_flags"\njoin = "tpl"\n'
        '[field.flags]\nmask = "FF"\nrest = "ERROR_FLAGS"\nnames = ["04 LEAK"]'
    )
    assert told("02FD971D0400", status)["status"] == "LEAK"
    assert told("02FD170000 02FD971D0400", status)["status"] == "OK"


def test_a_layout_is_matched_once():
    first = bind(models()["kamwater"], telegram("02FF200000 041314000000").records)
    again = bind(models()["kamwater"], telegram("02FF200100 0413FF000000").records)
    assert first is again


# --- nothing is hidden ---------------------------------------------------------------------------


def test_a_record_the_model_does_not_name_keeps_its_name_by_rule():
    assert told("041314000000 426C1F3C 02FF200500", TOTAL) == {
        "total_m3": Decimal("0.02"),
        "target_date": "2024-12-31",
        "manufacturer_20": Decimal(5),
    }


def test_a_name_by_rule_never_covers_a_name_of_the_model():
    flow = 'name = "total_m3"\nquantity = "volume"\nstorage = 1'
    assert told("041314000000 441315000000", flow) == {
        "total_m3": Decimal("0.021"),
        "total_m3_2": Decimal("0.02"),
    }


def test_without_a_model_every_record_has_a_name_by_rule():
    heard = telegram("041314000000 426C1F3C")
    assert fields(heard, None) == by_rule(heard)


RECORDS = st.lists(
    st.sampled_from(
        ["041314000000", "441315000000", "426C1F3C", "0259FFFF", "02FD170100", "0C7878563412", "02FF200500"]
    ),
    max_size=10,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(records=RECORDS, name=st.sampled_from(sorted(models())))
def test_no_model_ever_loses_a_record(records: str, name: str):
    """Each record is taken by a field or told by rule."""
    heard = telegram(records)
    chosen = models()[name]
    taken = {binding.record for binding in bind(chosen, heard.records)}
    untaken = len(heard.records) - len(taken - {None})
    assert len(fields(heard, chosen)) >= untaken


# --- what it says --------------------------------------------------------------------------------


def test_numbers_are_exact():
    energy = 'name = "total_kwh"\nquantity = "energy"'
    assert told("0403FFFFFF7F", energy) == {"total_kwh": Decimal("2147483.647")}
    assert told("040E09000000", energy) == {"total_kwh": Decimal("2.5")}
    assert told("040801000000", energy) == {"total_kwh": Decimal("2.777777777777777777777777778E-7")}


def test_what_the_meter_marks_invalid_is_null():
    assert told("041300000080", TOTAL) == {"total_m3": None}
    assert told("0C13FFFFFFFF", TOTAL) == {"total_m3": None}
    raw = 'name = "x_counter"\nquantity = "dimensionless"\nraw = true'
    assert told("02FD3AFFFF", raw) == {"x_counter": None}


def test_the_models_own_invalid_value_is_null():
    field = 'name = "t_c"\nquantity = "external_temperature"\nnull = "-10"'
    assert told("026518FC", field) == {"t_c": None}


def test_dates_that_are_none_are_null():
    date = 'name = "set_date"\nquantity = "date"\nstorage = 1'
    text = 'name = "set_date"\nquantity = "date"\nstorage = 1\nform = "date"'
    assert told("426C0000", date) == told("426C0000", text) == {"set_date": None}
    assert told("426C1F3C", date) == told("426C1F3C", text) == {"set_date": "2024-12-31"}


def test_a_date_field_leaves_out_the_time():
    assert told("046D32371F15", 'name = "last_date"\nquantity = "datetime"') == {"last_date": "2008-05-31"}
    assert told("046D32371F15", 'name = "last_datetime"\nquantity = "datetime"') == {
        "last_datetime": "2008-05-31T23:50:00"
    }


def test_a_number_in_a_unit_that_cannot_be_is_told_by_rule():
    """A flow whose VIFE makes it a duration is no flow."""
    flow = (
        'name = "volume_flow_m3h"\nquantity = "volume_flow"\n'
        'qualifiers = ["duration_of_last_lower_limit_exceed"]'
    )
    assert list(told("02BB560500", flow)) == ["flow_duration_of_last_lower_limit_exceed_s"]


def test_a_model_may_know_better_than_an_error_code():
    field = 'name = "operating_time_in_error_h"\nquantity = "operating_time"\nqualifiers = ["record_error"]'
    assert told("02A61C0500", field) == {"operating_time_in_error_h": Decimal(5)}


def test_factors_and_raw_numbers():
    battery = 'name = "battery_y"\nrecord = "02FD74"\nraw = true\nfactor = "1/365"'
    assert told("02FD746D01", battery) == {"battery_y": Decimal(1)}


def test_unsigned_numbers():
    field = 'name = "x_counter"\nrecord = "01FF20"\nraw = true'
    assert told("01FF20FE", field)["x_counter"] == Decimal(-2)
    assert told("01FF20FE", field + "\nunsigned = true")["x_counter"] == Decimal(254)


def test_words_of_other_records_are_joined_into_the_status():
    status = 'name = "status"\njoin = "tpl"'
    other = (
        'name = "head"\nrecord = "01FF21"\ninto = "status"\nhidden = true\n'
        '[field.flags]\nmask = "FF"\nrest = "HEAD"\nnames = ["01 TAMPER"]'
    )
    assert told("01FF2101", status, other, status=4) == {"status": "POWER_LOW TAMPER"}


def test_a_profile_is_told_as_the_values_it_holds():
    history = 'name = "month_{storage-8}_hca"\nquantity = "hca_units"\nstorage = "9..40"'
    assert told("84046E09000000 8D04EE13 08 32FE 010002000300", history) == {
        "consumption_hca_storage_8": Decimal(9),
        "month_1_hca": Decimal(1),
        "month_2_hca": Decimal(2),
        "month_3_hca": Decimal(3),
    }


# --- hooks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "expected"),
    [("01FF0105 01FF0203", Decimal(8)), ("01FF0105", None)],
)
def test_a_sum_needs_all_its_parts(records: str, expected: Decimal | None):
    one, two = (f'name = "phase_{n}_kw"\nrecord = "01FF0{n}"\nraw = true' for n in (1, 2))
    total = 'name = "power_kw"\nhook = "sum_of"\nof = ["phase_1_kw", "phase_2_kw"]'
    assert told(records, one, two, total)["power_kw"] == expected


def test_apparent_energy_is_the_long_side():
    assert calculation("root_of_squares")(Given((Decimal(3), Decimal(4)))) == Decimal(5)
    assert calculation("root_of_squares")(Given((Decimal(3), None))) is None


def test_months_before_keep_month_ends():
    date = 'name = "set_date"\nquantity = "date"\nstorage = 1'
    months = (
        'name = "month_{storage}_date"\nquantity = "volume"\nstorage = "1..9"\nhook = "months_before"\n'
        'of = ["set_date"]\nnumber = "storage-1"'
    )
    named = told("426CBF15 441314000000 84011314000000 C4011314000000", date, months)
    assert [named[f"month_{n}_date"] for n in (1, 2, 3)] == ["2013-05-31", "2013-04-30", "2013-03-31"]


def test_an_unknown_hook_is_told():
    with pytest.raises(LookupError, match="magic"):
        calculation("magic")
    with pytest.raises(LookupError, match="read_payload"):
        payload_reader("sum_of")


# --- records a payload reader told ---------------------------------------------------------------


def told_record(vib: str, value: Value) -> Record:
    """A record whose value stands in no data field of the standard."""
    (empty,) = telegram("00" + vib).records
    return replace(empty, data=b"\x01", value=value)


@pytest.mark.parametrize(
    ("vib", "value", "table", "expected"),
    [
        ("13", Decimal("1.333333"), TOTAL, Decimal("1.333333")),
        ("13", None, TOTAL, None),
        ("06", Decimal(2000), 'name = "total_kwh"\nquantity = "energy"', Decimal(2)),
        ("6C", date(2025, 5, 31), 'name = "meter_date"\nquantity = "date"', "2025-05-31"),
        ("6C", date(2025, 5, 31), 'name = "meter_date"\nquantity = "date"\nform = "date"', "2025-05-31"),
        ("78", "A1", 'name = "no"\nquantity = "fabrication_number"\nform = "text"', "A1"),
    ],
)
def test_a_told_value_is_taken_as_it_is_in_both_views(vib: str, value: Value, table: str, expected: Value):
    heard = replace(telegram(""), records=(told_record(vib, value),))
    brook = model(table)
    (name,) = fields(heard, brook)
    assert fields(heard, brook)[name] == expected
    assert flat(heard, brook, received_at=NOON)[name] == expected


def test_a_told_word_becomes_flags():
    word = '[field.flags]\nmask = "FF"\nrest = "X"\nnames = ["01 DRY"]'
    flags = f'name = "alarms"\nquantity = "error_flags"\n{word}'
    heard = replace(telegram(""), records=(told_record("FD17", Decimal(1)),))
    assert fields(heard, model(flags)) == {"alarms": "DRY"}
