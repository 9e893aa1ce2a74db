"""The VIF tables of EN 13757-3:2018 (tables 10, 12, 14 and the second level of 14), as data.

One row per range of codes, without the extension bit. Codes in no row are reserved: :func:`reserved`.
"""

from __future__ import annotations

from collections.abc import Mapping

from decoders.wmbus.vif import DURATIONS, Kind, Quantity, row, table

__all__ = ["EXTENSION_FB", "EXTENSION_FD", "EXTENSION_FD_FD", "PRIMARY", "TABLES", "reserved"]

NUMBER, UNSIGNED, BITS = Kind.NUMBER, Kind.UNSIGNED, Kind.BITS
MOMENT, IDENTITY, RAW, SECRET = Kind.MOMENT, Kind.IDENTITY, Kind.RAW, Kind.SECRET


def _one(code: int, name: str, unit: str = "", kind: Kind = NUMBER) -> dict[int, Quantity]:
    return row(code, code, name, unit, 0, kind)


def _units(
    first: int, name: str, units: tuple[str, ...] = DURATIONS, kind: Kind = NUMBER
) -> dict[int, Quantity]:
    """One code per unit: seconds, minutes, hours, days if nothing else is said."""
    return table(*(_one(first + step, name, unit, kind) for step, unit in enumerate(units)))


_LONG = ("h", "d", "month", "year")

PRIMARY: Mapping[int, Quantity] = table(
    row(0x00, 0x07, "energy", "Wh", -3),
    row(0x08, 0x0F, "energy", "J", 0),
    row(0x10, 0x17, "volume", "m3", -6),
    row(0x18, 0x1F, "mass", "kg", -3),
    _units(0x20, "on_time"),
    _units(0x24, "operating_time"),
    row(0x28, 0x2F, "power", "W", -3),
    row(0x30, 0x37, "power", "J/h", 0),
    row(0x38, 0x3F, "volume_flow", "m3/h", -6),
    row(0x40, 0x47, "volume_flow", "m3/min", -7),
    row(0x48, 0x4F, "volume_flow", "m3/s", -9),
    row(0x50, 0x57, "mass_flow", "kg/h", -3),
    row(0x58, 0x5B, "flow_temperature", "°C", -3),
    row(0x5C, 0x5F, "return_temperature", "°C", -3),
    row(0x60, 0x63, "temperature_difference", "K", -3),
    row(0x64, 0x67, "external_temperature", "°C", -3),
    row(0x68, 0x6B, "pressure", "bar", -3),
    _one(0x6C, "date", kind=MOMENT),
    _one(0x6D, "datetime", kind=MOMENT),
    _one(0x6E, "hca_units"),
    _units(0x70, "averaging_duration"),
    _units(0x74, "actuality_duration"),
    _one(0x78, "fabrication_number", kind=IDENTITY),
    _one(0x79, "enhanced_identification", kind=IDENTITY),
    _one(0x7A, "bus_address", kind=UNSIGNED),
    _one(0x7E, "any_quantity"),
)
"""Table 10. 6F, 7B, 7D are doors to further tables, 7C is a unit in plain text, 7F the manufacturer's own."""

EXTENSION_FB: Mapping[int, Quantity] = table(
    row(0x00, 0x01, "energy", "MWh", -1),
    row(0x02, 0x03, "reactive_energy", "kvarh", 0),
    row(0x04, 0x05, "apparent_energy", "kVAh", 0),
    row(0x06, 0x06, "coefficient_of_performance", "", -1),
    row(0x08, 0x09, "energy", "GJ", -1),
    row(0x0C, 0x0F, "energy", "Mcal", -1),
    row(0x10, 0x11, "volume", "m3", 2),
    row(0x14, 0x17, "reactive_power", "kvar", -3),
    row(0x18, 0x19, "mass", "t", 2, UNSIGNED),
    row(0x1A, 0x1B, "relative_humidity", "%", -1, UNSIGNED),
    row(0x20, 0x20, "volume", "ft3", 0),
    row(0x21, 0x21, "volume", "ft3", -1),
    row(0x22, 0x23, "volume", "gal", -1),
    row(0x24, 0x24, "volume_flow", "gal/min", -3),
    row(0x25, 0x25, "volume_flow", "gal/min", 0),
    row(0x26, 0x26, "volume_flow", "gal/h", 0),
    row(0x28, 0x29, "power", "MW", -1),
    row(0x2A, 0x2A, "phase_angle_voltage_voltage", "°", -1),
    row(0x2B, 0x2B, "phase_angle_voltage_current", "°", -1),
    row(0x2C, 0x2F, "frequency", "Hz", -3),
    row(0x30, 0x31, "power", "GJ/h", -1),
    row(0x34, 0x37, "apparent_power", "kVA", -3),
    row(0x58, 0x5B, "flow_temperature", "°F", -3),
    row(0x5C, 0x5F, "return_temperature", "°F", -3),
    row(0x60, 0x63, "temperature_difference", "°F", -3),
    row(0x64, 0x67, "external_temperature", "°F", -3),
    _one(0x68, "hca_rating_factor", "2^-12"),
    _one(0x69, "hca_thermal_output_factor", "W"),
    _one(0x6A, "hca_thermal_coupling_factor", "2^-12"),
    _one(0x6B, "hca_thermal_coupling_factor_room_side", "2^-12"),
    _one(0x6C, "hca_thermal_coupling_factor_heater_side", "2^-12"),
    _one(0x6D, "hca_low_temperature_factor", "2^-12"),
    _one(0x6E, "hca_display_scaling_factor", "2^-12"),
    row(0x70, 0x73, "temperature_limit", "°F", -3),
    row(0x74, 0x77, "temperature_limit", "°C", -3),
    row(0x78, 0x7F, "cumulative_maximum_power", "W", -3),
)
"""Table 12, with the obsolete codes meters in the field still send."""

EXTENSION_FD: Mapping[int, Quantity] = table(
    row(0x00, 0x03, "credit", "", -3),
    row(0x04, 0x07, "debit", "", -3),
    _one(0x08, "access_number", kind=UNSIGNED),
    _one(0x09, "device_type", kind=UNSIGNED),
    _one(0x0A, "manufacturer", kind=IDENTITY),
    _one(0x0B, "parameter_set", kind=IDENTITY),
    _one(0x0C, "model_version", kind=IDENTITY),
    _one(0x0D, "hardware_version", kind=IDENTITY),
    _one(0x0E, "firmware_version", kind=IDENTITY),
    _one(0x0F, "software_version", kind=IDENTITY),
    _one(0x10, "customer_location", kind=IDENTITY),
    _one(0x11, "customer", kind=IDENTITY),
    _one(0x12, "access_code_user", kind=SECRET),
    _one(0x13, "access_code_operator", kind=SECRET),
    _one(0x14, "access_code_system_operator", kind=SECRET),
    _one(0x15, "access_code_developer", kind=SECRET),
    _one(0x16, "password", kind=SECRET),
    _one(0x17, "error_flags", kind=BITS),
    _one(0x18, "error_mask", kind=BITS),
    _one(0x19, "security_key", kind=SECRET),
    _one(0x1A, "digital_output", kind=BITS),
    _one(0x1B, "digital_input", kind=BITS),
    _one(0x1C, "baud_rate", "Bd", UNSIGNED),
    _one(0x1D, "response_delay", kind=UNSIGNED),
    _one(0x1E, "retry", kind=UNSIGNED),
    _one(0x1F, "remote_control", kind=BITS),
    _one(0x20, "first_storage_number", kind=UNSIGNED),
    _one(0x21, "last_storage_number", kind=UNSIGNED),
    _one(0x22, "storage_block_size", kind=UNSIGNED),
    _one(0x23, "tariff_and_subunit_descriptor", kind=UNSIGNED),
    _units(0x24, "storage_interval", (*DURATIONS, "month", "year"), UNSIGNED),
    _one(0x2A, "operator_specific_data", kind=UNSIGNED),
    _one(0x2B, "time_point", kind=MOMENT),
    _units(0x2C, "duration_since_readout", kind=UNSIGNED),
    _one(0x30, "tariff_start", kind=MOMENT),
    _units(0x31, "tariff_duration", DURATIONS[1:], UNSIGNED),
    _units(0x34, "tariff_period", (*DURATIONS, "month", "year"), UNSIGNED),
    _one(0x3A, "dimensionless", kind=UNSIGNED),
    _one(0x3B, "wireless_container", kind=RAW),
    _units(0x3C, "nominal_transmission_period", kind=UNSIGNED),
    row(0x40, 0x4F, "voltage", "V", -9),
    row(0x50, 0x5F, "current", "A", -12),
    _one(0x60, "reset_counter", kind=UNSIGNED),
    _one(0x61, "cumulation_counter", kind=UNSIGNED),
    _one(0x62, "control_signal", kind=UNSIGNED),
    _one(0x63, "day_of_week", kind=UNSIGNED),
    _one(0x64, "week_number", kind=UNSIGNED),
    _one(0x65, "day_change_time", kind=UNSIGNED),
    _one(0x66, "parameter_activation_state", kind=UNSIGNED),
    _one(0x67, "supplier_information", kind=UNSIGNED),
    _units(0x68, "duration_since_cumulation", _LONG, UNSIGNED),
    _units(0x6C, "battery_operating_time", _LONG, UNSIGNED),
    _one(0x70, "battery_change", kind=MOMENT),
    _one(0x71, "rf_level", "dBm"),
    _one(0x72, "daylight_saving", kind=RAW),
    _one(0x73, "listening_window", kind=RAW),
    _one(0x74, "remaining_battery_life", "d", UNSIGNED),
    _one(0x75, "stop_counter", kind=UNSIGNED),
    _one(0x76, "manufacturer_container", kind=RAW),
)
"""Table 14. Integers are unsigned, but for amounts and measured values that can be negative."""

EXTENSION_FD_FD: Mapping[int, Quantity] = table(
    _one(0x00, "selected_application", kind=UNSIGNED),
    _units(0x02, "remaining_battery_life", ("month", "year"), UNSIGNED),
    _one(0x3E, "moisture_level", "%", UNSIGNED),
)
"""Second level of table 14, behind FD FD."""

TABLES: Mapping[bytes, Mapping[int, Quantity]] = {
    b"": PRIMARY,
    b"\xfb": EXTENSION_FB,
    b"\xfd": EXTENSION_FD,
    b"\xfd\xfd": EXTENSION_FD_FD,
    b"\xef": {},
}
"""Which table the true VIF stands in, by the bytes before it. EF opens a table without entries yet."""


def reserved(code: bytes) -> Quantity:
    """Return the meaning of a code that has none: the raw number, said so."""
    return Quantity("reserved", remark=f"reserved VIF {code.hex().upper()}")
