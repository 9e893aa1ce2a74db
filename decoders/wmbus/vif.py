"""What a value information field means: quantity, unit, exact factor and data type.

The tables themselves stand in :mod:`decoders.wmbus.vif_tables`; codes are without the extension bit.
Source: EN 13757-3:2018, clause 6.4 and tables 10 to 14.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import Enum, auto

__all__ = ["DURATIONS", "UNITS", "WIDE", "Kind", "Quantity", "row", "table"]

WIDE = Context(prec=250)
"""Wide enough for every exact product here: a real32 has at most 112 significant digits, LVAR integers 37."""


class Kind(Enum):
    """How the data bytes of a quantity are read."""

    NUMBER = auto()
    """Type B: signed, the most negative integer means invalid."""
    UNSIGNED = auto()
    """Type C: unsigned, all ones mean invalid."""
    BITS = auto()
    """Type D: a bit array, shown as an unsigned number; every pattern is valid."""
    MOMENT = auto()
    """Types F, G, I, J, chosen by the data field."""
    IDENTITY = auto()
    """A number that names something: BCD stays text with its leading zeros."""
    RAW = auto()
    """A container or a type this decoder does not take apart."""
    SECRET = auto()
    """Passwords and keys: never shown."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """Meaning of one VIF.

    Attributes:
        name: ``volume``, ``energy``, ``flow_temperature``, ...
        unit: unit of the decoded value, ``""`` for none.
        factor: value in ``unit`` = raw number * factor, exactly.
        one: one unit of the VIF itself in ``unit`` (MWh: 1000000 Wh); additive corrections count in it.
        kind: data type.
        remark: what to know of it; empty otherwise.
    """

    name: str
    unit: str = ""
    factor: Decimal = Decimal(1)
    one: Decimal = Decimal(1)
    kind: Kind = Kind.NUMBER
    remark: str = ""


UNITS: Mapping[str, tuple[str, Decimal]] = {
    # unit of the standard's table: (unit of our values, how many of ours it is)
    "MWh": ("Wh", Decimal(1_000_000)),
    "GJ": ("J", Decimal(1_000_000_000)),
    "Mcal": ("cal", Decimal(1_000_000)),
    "kvarh": ("varh", Decimal(1000)),
    "kVAh": ("VAh", Decimal(1000)),
    "MW": ("W", Decimal(1_000_000)),
    "GJ/h": ("J/h", Decimal(1_000_000_000)),
    "kvar": ("var", Decimal(1000)),
    "kVA": ("VA", Decimal(1000)),
    "t": ("kg", Decimal(1000)),
    "m3/min": ("m3/h", Decimal(60)),
    "m3/s": ("m3/h", Decimal(3600)),
    "gal/min": ("gal/h", Decimal(60)),
    "min": ("s", Decimal(60)),
    "h": ("s", Decimal(3600)),
    "d": ("s", Decimal(86400)),
    "2^-12": ("", Decimal("0.000244140625")),
}
"""Units turned into others; every other unit is kept. Months and years stay: they have no exact length."""

DURATIONS = ("s", "min", "h", "d")
"""Meaning of the two low bits of a duration's code."""


def row(  # noqa: PLR0913, PLR0917  one column of the standard's tables each
    first: int,
    last: int,
    name: str,
    unit: str = "",
    exponent: int = 0,
    kind: Kind = Kind.NUMBER,
) -> dict[int, Quantity]:
    """Return codes ``first`` to ``last``: the first means 10^exponent units, each next ten times more."""
    ours, one = UNITS.get(unit, (unit, Decimal(1)))
    return {
        code: Quantity(name, ours, _power(one, exponent + code - first), one, kind)
        for code in range(first, last + 1)
    }


def table(*rows: Iterable[tuple[int, Quantity]] | Mapping[int, Quantity]) -> dict[int, Quantity]:
    """Join rows into one table; no code may be described twice.

    Raises:
        ValueError: a code stands in two rows; a mistake in the table, found when it is loaded.
    """
    joined: dict[int, Quantity] = {}
    for entries in rows:
        for code, quantity in dict(entries).items():
            if code in joined:
                raise ValueError(f"code {code:02X} is described twice: {joined[code].name}, {quantity.name}")
            joined[code] = quantity
    return joined


def _power(one: Decimal, exponent: int) -> Decimal:
    """Return one * 10^exponent without a positive exponent, so that products print plainly."""
    return WIDE.multiply(one, 10**exponent) if exponent >= 0 else WIDE.scaleb(one, exponent)
