"""Unit suffixes of field names, and exact ratios from the units records have.

The suffixes are those people know from their dashboards: ``m3``, ``m3h``, ``kwh``, ``c``, ``bar``, ...
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction

__all__ = ["MOMENTS", "SUFFIXES", "ratio", "times"]

MOMENTS = frozenset({"date", "datetime"})
"""Suffixes of points in time."""

_ONE = Fraction(1)
_THOUSANDTH = Fraction(1, 1000)
_KWH_IN_J = Fraction(1, 3_600_000)
_CAL_IN_J = Fraction(41868, 10_000)
"""The international calorie, which EN 1434 and the meters' makers mean."""
_DAY = 86_400
_YEAR = 31_556_952
"""365.2425 days."""

_ENERGY: Mapping[str, Fraction] = {"Wh": _THOUSANDTH, "J": _KWH_IN_J, "cal": _CAL_IN_J * _KWH_IN_J}
_POWER: Mapping[str, Fraction] = {"W": _THOUSANDTH, "J/h": _KWH_IN_J}
_PLAIN: Mapping[str, Fraction] = {"": _ONE}

SUFFIXES: Mapping[str, Mapping[str, Fraction]] = {
    "m3": {"m3": _ONE},
    "m3h": {"m3/h": _ONE},
    "m3c": {},
    "kg": {"kg": _ONE},
    "kwh": _ENERGY,
    # reactive and apparent energy and power often come with the VIF of active ones; the subunit tells
    "kvarh": {"varh": _THOUSANDTH, **_ENERGY},
    "kvah": {"VAh": _THOUSANDTH, **_ENERGY},
    "kw": _POWER,
    "kvar": {"var": _THOUSANDTH, **_POWER},
    "kva": {"VA": _THOUSANDTH, **_POWER},
    "c": {"°C": _ONE, "K": _ONE},
    "v": {"V": _ONE},
    "a": {"A": _ONE},
    "hz": {"Hz": _ONE},
    "bar": {"bar": _ONE},
    "rh": {"%": _ONE},
    "deg": {"°": _ONE},
    "s": {"s": _ONE},
    "h": {"s": Fraction(1, 3600)},
    "d": {"s": Fraction(1, _DAY)},
    "y": {"s": Fraction(1, _YEAR), "month": Fraction(1, 12), "year": _ONE},
    "hca": _PLAIN,
    "counter": _PLAIN,
    "factor": _PLAIN,
    "nr": _PLAIN,
    "pct": {**_PLAIN, "%": _ONE},
    "ppm": {**_PLAIN, "ppm": _ONE},
}
"""Suffix -> unit of the record -> how many of the suffix's units one of the record's is."""

_QUOTIENT = Context(prec=28)
_WIDE = Context(prec=250)


def ratio(unit: str, suffix: str) -> Fraction | None:
    """Return what a value in ``unit`` is multiplied by to be in the suffix's unit; ``None`` if it cannot."""
    return SUFFIXES[suffix].get(unit)


def times(value: Decimal, factor: Fraction) -> Decimal:
    """Multiply; exact wherever the result is a finite decimal, to 28 digits where it is not (MJ -> kWh)."""
    if factor == 1:
        return value
    product = _WIDE.multiply(value, Decimal(factor.numerator))
    if factor.denominator == 1:
        return product
    power = str(factor.denominator)
    if power.rstrip("0") == "1":
        return _WIDE.scaleb(product, 1 - len(power))
    return _QUOTIENT.divide(product, Decimal(factor.denominator))
