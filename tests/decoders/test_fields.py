"""Names and values people meet: known names, names by rule, exact units, uniqueness."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.fields import fields
from decoders.telegram import Telegram
from decoders.wmbus.records import walk
from metering.meter import MeterId

METER = MeterId.parse("KAM-76348799-1b-16")


def told(records: str):
    """Fields of a telegram with these records, in hex."""
    found = walk(bytes.fromhex(records), 0)
    assert found.faults == ()
    return fields(Telegram(b"", METER, METER, 0x44, records=found.records))


@pytest.mark.parametrize(
    ("record", "name", "value"),
    [
        ("0413 181E0000", "total_m3", Decimal("7.704")),
        ("4413 181E0000", "target_m3", Decimal("7.704")),
        ("04933C 181E0000", "total_backward_m3", Decimal("7.704")),
        ("44933C 181E0000", "target_backward_m3", Decimal("7.704")),
        ("04933B 181E0000", "total_forward_m3", Decimal("7.704")),
        ("841013 181E0000", "total_tariff_1_m3", Decimal("7.704")),
        ("844013 181E0000", "total_subunit_1_m3", Decimal("7.704")),
        ("C40113 181E0000", "volume_storage_3_m3", Decimal("7.704")),
        ("1413 181E0000", "max_volume_m3", Decimal("7.704")),
        ("023B 7F00", "flow_m3h", Decimal("0.127")),
        ("123B 7F00", "max_flow_m3h", Decimal("0.127")),
        ("223B 7F00", "min_flow_m3h", Decimal("0.127")),
        ("523B 7F00", "max_flow_storage_1_m3h", Decimal("0.127")),
        ("323B 7F00", "flow_at_error_m3h", Decimal("0.127")),
        ("0259 D809", "flow_temperature_c", Decimal("25.2")),
        ("025D D809", "return_temperature_c", Decimal("25.2")),
        ("0261 D809", "temperature_difference_c", Decimal("25.2")),
        ("0265 D809", "external_temperature_c", Decimal("25.2")),
        ("0406 23000000", "total_energy_consumption_kwh", Decimal(35)),
        ("0403 23000000", "total_energy_consumption_kwh", Decimal("0.035")),
        ("04863C 23000000", "total_energy_production_kwh", Decimal(35)),
        ("4406 23000000", "target_kwh", Decimal(35)),
        ("841006 23000000", "total_energy_consumption_tariff_1_kwh", Decimal(35)),
        ("040F 23000000", "total_energy_consumption_gj", Decimal("0.35")),
        ("04FB0D 23000000", "total_energy_consumption_mcal", Decimal(35)),
        ("04FB03 23000000", "total_reactive_energy_consumption_kvarh", Decimal(350)),
        ("042B 23000000", "power_kw", Decimal("0.035")),
        ("94102B 23000000", "max_power_tariff_1_kw", Decimal("0.035")),
        ("0436 23000000", "power_mjh", Decimal(35)),
        ("0253 2300", "mass_flow_kgh", Decimal(35)),
        ("0269 2300", "pressure_bar", Decimal("0.35")),
        ("01FB1B 23", "relative_humidity_rh", Decimal(35)),
        ("02FD48 F508", "voltage_v", Decimal("229.3")),
        ("02FDC8FC01 F508", "voltage_at_l1_v", Decimal("229.3")),
        ("0222 3200", "on_time_h", Decimal(50)),
        ("0223 3200", "on_time_h", Decimal(1200)),
        ("0221 3200", "on_time_s", Decimal(3000)),
        ("0226 3200", "operating_time_h", Decimal(50)),
        ("3222 3200", "on_time_at_error_h", Decimal(50)),
        ("0274 3200", "actuality_duration_s", Decimal(50)),
        ("02FD74 3200", "remaining_battery_life_d", Decimal(50)),
        ("02FDFD02 3200", "remaining_battery_life_month", Decimal(50)),
        ("0B6E 341200", "current_consumption_hca", Decimal(1234)),
        ("4B6E 341200", "consumption_at_set_date_hca", Decimal(1234)),
        ("01FD71 BA", "rf_level_dbm", Decimal(-70)),
        ("02FD17 1000", "error_flags", Decimal(16)),
        ("02FD971D 1000", "error_flags_standard_conform", Decimal(16)),
        ("02FD3A 1000", "dimensionless", Decimal(16)),
        ("026C 1F15", "meter_date", "2008-05-31"),
        ("426C 1F15", "target_date", "2008-05-31"),
        ("42EC7E 1F15", "next_target_date", "2008-05-31"),
        ("326C 1F15", "error_date", "2008-05-31"),
        ("82016C 1F15", "date_storage_2", "2008-05-31"),
        ("046D 32371F15", "meter_datetime", "2008-05-31T23:50:00"),
        ("446D 32371F15", "target_datetime", "2008-05-31T23:50:00"),
        ("0C78 78563402", "fabrication_no", "02345678"),
        ("0C79 78563402", "enhanced_id", "02345678"),
        ("0CFD10 78563402", "location", "02345678"),
        ("0DFD0F 03 312E32", "software_version", "2.1"),
        ("02FC0348522574 1522", "rh", Decimal("87.25")),
        ("02FF20 7100", "manufacturer_20", Decimal(113)),
        ("027F 7100", "manufacturer_specific", Decimal(113)),
        ("026F 7100", "reserved_vif_6f", Decimal(113)),
        ("0DFD3B 02 0AFF", "wireless_container", "0AFF"),
        ("0C13 FFFFFFFF", "total_m3", None),
        ("426C FFFF", "target_date", None),
    ],
)
def test_a_record_has_the_name_people_know(record, name, value):
    assert told(record) == {name: value}


def test_numbers_have_one_form():
    """7.700 and 7.7 print alike, and thousands print without exponent."""
    named = told("0413 141E0000 0406 10270000 0C14 00000000")
    assert {name: str(value) for name, value in named.items()} == {
        "total_m3": "7.7",
        "total_energy_consumption_kwh": "10000",
        "total_2_m3": "0",
    }


def test_equal_registers_are_numbered_from_two():
    assert list(told("0413 01000000 0413 02000000 0413 03000000")) == ["total_m3", "total_2_m3", "total_3_m3"]


def test_different_registers_never_share_a_name():
    """Two plain-text units may come down to one word."""
    named = told("017C0143 01 017C0163 02")
    assert named == {"c": Decimal(1), "c_2": Decimal(2)}


@given(st.binary(max_size=120))
@settings(max_examples=400, deadline=None)
def test_every_record_of_any_bytes_has_a_field(plain):
    """Nothing is left out, nothing is a binary float, and no name needs quoting."""
    records = walk(plain, 0).records
    named = fields(Telegram(b"", METER, METER, 0x44, records=records))
    assert len(named) == len(records)
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in named)
    assert all(value is None or isinstance(value, Decimal | str) for value in named.values())
