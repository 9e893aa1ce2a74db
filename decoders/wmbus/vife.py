"""Combinable VIFEs: what they add to the meaning of a value.

Source: EN 13757-3:2018, tables 15 to 18 (response direction). Codes are without the extension bit.
A correction changes the number, an error takes it away, some codes turn the value into a date, a duration
or a count; every code but a correction and "no error" leaves a qualifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from decoders.wmbus.vif import DURATIONS, WIDE, Kind, Quantity, row

__all__ = ["COMBINABLE", "COMBINABLE_FC", "PROFILES", "Modifier", "reserved_modifier"]

PROFILES: Mapping[int, str] = {
    0x13: "inverse_compact_profile",
    0x1E: "compact_profile_with_register_numbers",
    0x1F: "compact_profile",
}
"""Codes whose record holds many values at once (EN 13757-3, annex F)."""

_PROFILE = "profile of several values, bytes as sent"


@dataclass(frozen=True, slots=True)
class Modifier:
    """Meaning of one combinable VIFE.

    Attributes:
        qualifier: name added to the record, ``""`` for none.
        multiplier: the value is multiplied by this.
        addend: this many units of the VIF are added.
        replaces: the data are this instead (a date, a duration, a count); its name is not used.
        kind: the data type, where the code says only that.
        error: why the record has no value.
        remark: what to know of it.
    """

    qualifier: str = ""
    multiplier: Decimal | None = None
    addend: Decimal | None = None
    replaces: Quantity | None = None
    kind: Kind | None = None
    error: str = ""
    remark: str = ""


_MOMENT = Quantity("", kind=Kind.MOMENT)
_COUNT = Quantity("", kind=Kind.UNSIGNED)
_SPANS = tuple(row(0, 0, "", unit)[0] for unit in DURATIONS)

_ERRORS: Mapping[int, str] = {
    0x01: "too many DIFEs",
    0x02: "storage number not implemented",
    0x03: "subunit not implemented",
    0x04: "tariff not implemented",
    0x05: "function not implemented",
    0x06: "data class not implemented",
    0x07: "data size not implemented",
    0x08: "reserved error 08",
    0x09: "reserved error 09",
    0x0A: "reserved error 0A",
    0x0B: "too many VIFEs",
    0x0C: "illegal VIF group",
    0x0D: "illegal VIF exponent",
    0x0E: "VIF does not fit DIF",
    0x0F: "action not implemented",
    0x15: "no data available",
    0x16: "data overflow",
    0x17: "data underflow",
    0x18: "data error",
    0x1C: "premature end of record",
}

_QUALIFIERS: Mapping[int, str] = {
    0x12: "average",
    0x14: "relative_deviation",
    0x1D: "standard_conform",
    0x20: "per_second",
    0x21: "per_minute",
    0x22: "per_hour",
    0x23: "per_day",
    0x24: "per_week",
    0x25: "per_month",
    0x26: "per_year",
    0x27: "per_measurement",
    0x28: "increment_per_input_pulse_0",
    0x29: "increment_per_input_pulse_1",
    0x2A: "increment_per_output_pulse_0",
    0x2B: "increment_per_output_pulse_1",
    0x2C: "per_litre",
    0x2D: "per_m3",
    0x2E: "per_kg",
    0x2F: "per_kelvin",
    0x30: "per_kwh",
    0x31: "per_gj",
    0x32: "per_kw",
    0x33: "per_kelvin_litre",
    0x34: "per_volt",
    0x35: "per_ampere",
    0x36: "times_second",
    0x37: "times_second_per_volt",
    0x38: "times_second_per_ampere",
    0x3A: "uncorrected",
    0x3B: "forward",
    0x3C: "backward",
    0x3E: "at_base_conditions",
    0x40: "lower_limit",
    0x48: "upper_limit",
    0x68: "during_lower_limit_exceed",
    0x69: "leakage",
    0x6C: "during_upper_limit_exceed",
    0x6D: "overflow",
    0x7E: "future",
}


def _limit(code: int) -> str:
    """Name the limit of codes ``10 u f ...``: first or last exceed of the lower or upper limit."""
    return f"{'last' if code & 4 else 'first'}_{'upper' if code & 8 else 'lower'}_limit_exceed"


def _first_or_last(code: int) -> str:
    return "last" if code & 4 else "first"


def _edge(code: int) -> str:
    return "end" if code & 1 else "begin"


COMBINABLE: Mapping[int, Modifier] = {
    0x00: Modifier(),
    **{code: Modifier(error=error) for code, error in _ERRORS.items()},
    **{code: Modifier(qualifier) for code, qualifier in _QUALIFIERS.items()},
    **{code: Modifier(name, kind=Kind.RAW, remark=_PROFILE) for code, name in PROFILES.items()},
    0x39: Modifier("start_date", replaces=_MOMENT),
    0x3D: Modifier("non_metric", replaces=Quantity(""), remark="in a non-metric unit, number as sent"),
    0x3F: Modifier("obis_declaration", replaces=Quantity("", kind=Kind.RAW)),
    0x41: Modifier("lower_limit_exceed_count", replaces=_COUNT),
    0x49: Modifier("upper_limit_exceed_count", replaces=_COUNT),
    **{
        code: Modifier(f"date_of_{_limit(code)}_{_edge(code)}", replaces=_MOMENT)
        for code in (0x42, 0x43, 0x46, 0x47, 0x4A, 0x4B, 0x4E, 0x4F)
    },
    **{
        code: Modifier(f"duration_of_{_limit(code)}", replaces=_SPANS[code & 3]) for code in range(0x50, 0x60)
    },
    **{
        code: Modifier(f"duration_of_{_first_or_last(code)}", replaces=_SPANS[code & 3])
        for code in range(0x60, 0x68)
    },
    **{
        code: Modifier(f"date_of_{_first_or_last(code)}_{_edge(code)}", replaces=_MOMENT)
        for code in (0x6A, 0x6B, 0x6E, 0x6F)
    },
    **{0x70 + n: Modifier(multiplier=WIDE.scaleb(Decimal(1), n - 6)) for n in range(7)},
    0x77: Modifier(multiplier=Decimal(10)),
    **{0x78 + n: Modifier(addend=WIDE.scaleb(Decimal(1), n - 3)) for n in range(4)},
    0x7D: Modifier(multiplier=Decimal(1000)),
}
"""Table 15. 7C opens table 16 (:data:`COMBINABLE_FC`), 7F makes all that follows the manufacturer's own."""

COMBINABLE_FC: Mapping[int, Modifier] = {
    0x01: Modifier("at_l1"),
    0x02: Modifier("at_l2"),
    0x03: Modifier("at_l3"),
    0x04: Modifier("at_neutral"),
    0x05: Modifier("between_l1_and_l2"),
    0x06: Modifier("between_l2_and_l3"),
    0x07: Modifier("between_l3_and_l1"),
    0x08: Modifier("quadrant_1"),
    0x09: Modifier("quadrant_2"),
    0x0A: Modifier("quadrant_3"),
    0x0B: Modifier("quadrant_4"),
    0x0C: Modifier("import_minus_export"),
    0x0D: Modifier("non_metric", replaces=Quantity(""), remark="in a non-metric unit, number as sent"),
    0x0E: Modifier("secondary_sensor"),
    0x0F: Modifier("higher_resolution"),
    0x10: Modifier("absolute"),
    0x11: Modifier(kind=Kind.UNSIGNED),
    0x12: Modifier(kind=Kind.BITS),
    0x13: Modifier("end_date", replaces=_MOMENT),
    0x14: Modifier("from_partner"),
    0x15: Modifier("to_partner"),
}
"""Table 16, behind FC."""


def reserved_modifier(code: bytes) -> Modifier:
    """Return the meaning of a code that has none; the value stays, the qualifier tells the code."""
    return Modifier(f"reserved_vife_{code.hex()}", remark=f"reserved VIFE {code.hex().upper()}")
