"""VIF and VIFE tables: quantities, units, exact factors, meanings of combinable codes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from decoders.wmbus.records import walk
from decoders.wmbus.vib import HeaderFault, meaning
from decoders.wmbus.vif import row, table
from decoders.wmbus.vif_tables import EXTENSION_FB, EXTENSION_FD, EXTENSION_FD_FD, PRIMARY
from decoders.wmbus.vife import COMBINABLE, COMBINABLE_FC


def one(vib: str):
    return meaning(bytes.fromhex(vib))


@pytest.mark.parametrize(
    ("vib", "quantity", "unit", "factor"),
    [
        ("00", "energy", "Wh", "0.001"),
        ("06", "energy", "Wh", "1000"),
        ("0F", "energy", "J", "10000000"),
        ("13", "volume", "m3", "0.001"),
        ("1F", "mass", "kg", "10000"),
        ("20", "on_time", "s", "1"),
        ("27", "operating_time", "s", "86400"),
        ("2B", "power", "W", "1"),
        ("37", "power", "J/h", "10000000"),
        ("3B", "volume_flow", "m3/h", "0.001"),
        ("40", "volume_flow", "m3/h", "0.000006"),
        ("4F", "volume_flow", "m3/h", "36"),
        ("53", "mass_flow", "kg/h", "1"),
        ("5A", "flow_temperature", "°C", "0.1"),
        ("5F", "return_temperature", "°C", "1"),
        ("61", "temperature_difference", "K", "0.01"),
        ("67", "external_temperature", "°C", "1"),
        ("69", "pressure", "bar", "0.01"),
        ("6E", "hca_units", "", "1"),
        ("71", "averaging_duration", "s", "60"),
        ("76", "actuality_duration", "s", "3600"),
        ("FB00", "energy", "Wh", "100000"),
        ("FB03", "reactive_energy", "varh", "10000"),
        ("FB09", "energy", "J", "1000000000"),
        ("FB0D", "energy", "cal", "1000000"),
        ("FB11", "volume", "m3", "1000"),
        ("FB14", "reactive_power", "var", "1"),
        ("FB18", "mass", "kg", "100000"),
        ("FB1A", "relative_humidity", "%", "0.1"),
        ("FB21", "volume", "ft3", "0.1"),
        ("FB23", "volume", "gal", "1"),
        ("FB24", "volume_flow", "gal/h", "0.060"),
        ("FB2E", "frequency", "Hz", "0.1"),
        ("FB31", "power", "J/h", "1000000000"),
        ("FB37", "apparent_power", "VA", "1000"),
        ("FB68", "hca_rating_factor", "", "0.000244140625"),
        ("FB74", "temperature_limit", "°C", "0.001"),
        ("FD03", "credit", "", "1"),
        ("FD29", "storage_interval", "year", "1"),
        ("FD48", "voltage", "V", "0.1"),
        ("FD59", "current", "A", "0.001"),
        ("FD71", "rf_level", "dBm", "1"),
        ("FD74", "remaining_battery_life", "s", "86400"),
        ("FDFD02", "remaining_battery_life", "month", "1"),
    ],
)
def test_a_vif_has_one_quantity_unit_and_exact_factor(vib, quantity, unit, factor):
    said = one(vib)
    assert (said.quantity, said.unit, said.scale.factor) == (quantity, unit, Decimal(factor))
    assert said.qualifiers == ()
    assert said.remark == ""


def test_the_primary_table_leaves_only_the_doors_to_other_tables_open():
    assert set(range(128)) - set(PRIMARY) == {0x6F, 0x7B, 0x7C, 0x7D, 0x7F}


@pytest.mark.parametrize("entries", [PRIMARY, EXTENSION_FB, EXTENSION_FD, EXTENSION_FD_FD])
def test_codes_are_without_extension_bit_and_factors_print_plainly(entries):
    for code, quantity in entries.items():
        assert 0 <= code < 0x80
        assert quantity.name.isidentifier()
        assert "E" not in str(quantity.factor * 7) or quantity.factor < Decimal("1e-6")


def test_a_code_cannot_be_described_twice():
    with pytest.raises(ValueError, match="13 is described twice"):
        table(row(0x10, 0x17, "volume", "m3", -6), row(0x13, 0x13, "mass", "kg"))


@pytest.mark.parametrize(
    ("vife", "qualifier"),
    [
        (0x12, "average"),
        (0x22, "per_hour"),
        (0x3B, "forward"),
        (0x3C, "backward"),
        (0x40, "lower_limit"),
        (0x48, "upper_limit"),
        (0x41, "lower_limit_exceed_count"),
        (0x42, "date_of_first_lower_limit_exceed_begin"),
        (0x4F, "date_of_last_upper_limit_exceed_end"),
        (0x55, "duration_of_last_lower_limit_exceed"),
        (0x5A, "duration_of_first_upper_limit_exceed"),
        (0x66, "duration_of_last"),
        (0x6A, "date_of_first_begin"),
        (0x6F, "date_of_last_end"),
        (0x7E, "future"),
    ],
)
def test_a_combinable_vife_becomes_a_qualifier(vife, qualifier):
    assert meaning(bytes((0x93, vife))).qualifiers == (qualifier,)


def test_no_two_combinable_codes_have_the_same_qualifier_but_durations_and_errors():
    names = [m.qualifier for m in (*COMBINABLE.values(), *COMBINABLE_FC.values()) if m.qualifier]
    repeated = {name for name in names if names.count(name) > 1}
    assert all(name.startswith("duration_of_") or name == "non_metric" for name in repeated)


def test_qualifiers_stand_in_wire_order():
    assert one("93BCFC01").qualifiers == ("backward", "at_l1")
    assert one("93FC813C".replace(" ", "")).qualifiers == ("at_l1", "backward")


@pytest.mark.parametrize(
    ("vib", "raw", "value"),
    [
        ("9376", 5, "0.005"),  # 10^0
        ("9370", 5, "0.000000005"),
        ("9377", 5, "0.05"),
        ("937D", 5, "5"),
        ("937B", 5, "1.005"),  # plus one m3
        ("9378", 5, "0.006"),  # plus a thousandth
        ("93F478", 100, "0.002"),  # times 10^-2, then plus a thousandth
        ("C778", 1, "60.060"),  # one unit of m3/min is 60 m3/h: the addend is a thousandth of that
    ],
)
def test_corrections_apply_exactly(vib, raw, value):
    assert one(vib).scale(raw) == Decimal(value)


def test_a_duration_of_an_event_is_a_duration_whatever_the_vif():
    said = one("D356")  # mass flow, duration of the last exceed of the lower limit, hours
    assert (said.quantity, said.unit, said.scale(3)) == ("mass_flow", "s", Decimal(10800))


def test_a_non_metric_unit_is_not_given_out_as_metric():
    said = one("933D")
    assert (said.unit, said.scale(7), said.qualifiers) == ("", Decimal(7), ("non_metric",))
    assert "non-metric" in said.remark


@pytest.mark.parametrize(
    ("code", "reason"), [("9315", "no data available"), ("9318", "data error"), ("9302", "storage number")]
)
def test_a_record_error_takes_the_value_and_says_why(code, reason):
    (record,) = walk(bytes.fromhex("04" + code + "01000000"), 0).records
    assert record.value is None
    assert reason in record.remark
    assert record.unit == "m3"


def test_error_code_00_is_no_error():
    (record,) = walk(bytes.fromhex("04930001000000"), 0).records
    assert (record.value, record.qualifiers, record.remark) == (Decimal("0.001"), (), "")


@pytest.mark.parametrize(
    ("vib", "qualifier"),
    [
        ("6F", "vif_6f"),
        ("7B", "vif_7b"),
        ("EF13", "vif_ef13"),
        ("FB50", "vif_fb50"),
        ("FDFD7F", "vif_fdfd7f"),
    ],
)
def test_a_reserved_code_keeps_the_raw_number(vib, qualifier):
    (record,) = walk(bytes.fromhex("02" + vib + "3930"), 0).records
    assert (record.quantity, record.value, record.qualifiers) == ("reserved", Decimal(12345), (qualifier,))
    assert record.remark.startswith("reserved VIF")


@pytest.mark.parametrize(("vib", "code"), [("9344", "44"), ("93FC7F", "7c7f"), ("937C", "7c")])
def test_a_reserved_vife_keeps_the_value_and_tells_its_code(vib, code):
    said = one(vib)
    assert said.qualifiers == (f"reserved_vife_{code}",)
    assert said.scale(1) == Decimal("0.001")
    assert said.remark


@pytest.mark.parametrize(
    ("vib", "quantity", "qualifiers", "factor"),
    [
        ("7F", "manufacturer_specific", (), "1"),
        ("FF20", "manufacturer_specific", ("manufacturer_20",), "1"),
        ("FFA015", "manufacturer_specific", ("manufacturer_2015",), "1"),
        ("93FF01", "volume", ("manufacturer_01",), "0.001"),
        ("93BCFF8102", "volume", ("backward", "manufacturer_0102"), "0.001"),
    ],
)
def test_after_ff_everything_is_the_manufacturers_own(vib, quantity, qualifiers, factor):
    said = one(vib)
    assert (said.quantity, said.qualifiers, said.scale.factor) == (quantity, qualifiers, Decimal(factor))


@pytest.mark.parametrize(
    ("vib", "unit", "qualifiers", "factor"),
    [
        ("7C03485225", "%RH", ("rh",), "1"),
        ("FC0348522574", "%RH", ("rh",), "0.01"),  # text before the VIFE, as meters do
        ("FC7403485225", "%RH", ("rh",), "0.01"),  # text after the whole VIB, as the standard says
        ("7C00", "", (), "1"),
        ("7C0144", "D", ("d",), "1"),
        ("7C084449202E74737563", "cust. ID", ("cust_id",), "1"),
    ],
)
def test_a_plain_text_unit_is_read_in_both_orders(vib, unit, qualifiers, factor):
    said = one(vib)
    assert (said.quantity, said.unit, said.qualifiers) == ("plain_text", unit, qualifiers)
    assert said.scale.factor == Decimal(factor)


def test_ten_vifes_are_allowed_and_eleven_are_not():
    assert one("93" + "BC" * 9 + "3C").qualifiers == ("backward",) * 10
    with pytest.raises(HeaderFault, match="11 VIFEs"):
        one("93" + "BC" * 10 + "3C")
    with pytest.raises(HeaderFault, match="11 VIFEs"):
        one("FC0144" + "BC" * 10 + "3C")
