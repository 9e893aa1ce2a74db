"""The value information block: VIF, VIFEs and plain-text unit become one meaning.

Source: EN 13757-3:2018, clause 6.4 and annex C.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from decoders.wmbus.values import Scale
from decoders.wmbus.vif import WIDE, Kind, Quantity
from decoders.wmbus.vif_tables import TABLES, reserved
from decoders.wmbus.vife import COMBINABLE, COMBINABLE_FC, Modifier, reserved_modifier

__all__ = ["MOST_EXTENSIONS", "HeaderFault", "Meaning", "chain_end", "meaning", "vib_end"]

MOST_EXTENSIONS = 10
"""At most ten DIFEs and ten VIFEs."""

_PLAIN_TEXT, _MANUFACTURER = 0x7C, 0x7F
_LONGEST_TEXT_BEFORE_VIFE = 10


class HeaderFault(ValueError):
    """A header no record can have; the text says why. Becomes a fault of the walk and never leaves it."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a VIB says of the data.

    Attributes:
        quantity: ``volume``, ...
        unit: unit of the value, ``""`` for none.
        one: one unit of the VIF in ``unit``.
        kind: data type.
        scale: raw number to value.
        qualifiers: meanings of combinable VIFEs, in wire order.
        remark: what to know of it.
        error: the meter's own reason why there is no value (record error, table 17).
    """

    quantity: str
    unit: str
    one: Decimal
    kind: Kind
    scale: Scale
    qualifiers: tuple[str, ...] = ()
    remark: str = ""
    error: str = ""

    def under(self, modifier: Modifier) -> Meaning:
        """Return the meaning with one more VIFE applied."""
        base = self._as(modifier.replaces) if modifier.replaces else self
        scale = base.scale
        if modifier.multiplier is not None:
            scale = Scale(WIDE.multiply(scale.factor, modifier.multiplier), scale.addend)
        if modifier.addend is not None:
            scale = Scale(scale.factor, WIDE.add(scale.addend, WIDE.multiply(modifier.addend, base.one)))
        return replace(
            base,
            kind=modifier.kind or base.kind,
            scale=scale,
            qualifiers=base.qualifiers + ((modifier.qualifier,) if modifier.qualifier else ()),
            remark="; ".join(filter(None, (base.remark, modifier.remark))),
            error=base.error or modifier.error,
        )

    def _as(self, other: Quantity) -> Meaning:
        return replace(self, unit=other.unit, one=other.one, kind=other.kind, scale=Scale(other.factor))


def meaning(vib: bytes) -> Meaning:
    """Say what a complete VIB means; unknown codes give ``reserved`` quantities and qualifiers.

    Raises:
        HeaderFault: more than ten VIFEs.
    """
    quantity, qualifiers, vifes = _quantity(vib)
    found = Meaning(
        quantity.name,
        quantity.unit,
        quantity.one,
        quantity.kind,
        Scale(quantity.factor),
        qualifiers,
        quantity.remark,
    )
    for modifier in _modifiers(vifes):
        found = found.under(modifier)
    return found


def chain_end(plain: bytes, start: int) -> int:
    """Return the position after a chain of bytes linked by their extension bits.

    Raises:
        IndexError: the bytes end inside the chain.
    """
    position = start
    while plain[position] & 0x80:
        position += 1
    return position + 1


def vib_end(plain: bytes, vif: int) -> int:
    """Return the position after the VIB that begins at ``vif``; may lie behind the bytes' end.

    Raises:
        IndexError: the bytes end inside the chain.
    """
    if plain[vif] & 0x7F != _PLAIN_TEXT:
        return chain_end(plain, vif)

    position = vif + 1
    if _text_first(plain, vif):
        position += 1 + plain[position]
        return chain_end(plain, position) if plain[vif] & 0x80 else position
    position = chain_end(plain, position)
    return position + 1 + plain[position]


def _quantity(vib: bytes) -> tuple[Quantity, tuple[str, ...], bytes]:
    """Return the quantity, the qualifiers the VIF itself brings, and the combinable VIFEs."""
    first = vib[0] & 0x7F
    if first == _PLAIN_TEXT:
        return _plain_text(vib)
    _limit(vib[1:])
    if first == _MANUFACTURER:
        return Quantity("manufacturer_specific"), _manufacturer(vib[1:]), b""

    depth = _table_depth(vib)
    code = vib[depth] & 0x7F
    quantity = TABLES[vib[:depth]].get(code)
    if quantity is not None:
        return quantity, (), vib[depth + 1 :]
    name = vib[:depth] + bytes((code,))
    return reserved(name), (f"vif_{name.hex()}",), vib[depth + 1 :]


def _table_depth(vib: bytes) -> int:
    """Return how many bytes before the true VIF choose its table."""
    depth = 0
    while vib[: depth + 1] in TABLES:
        depth += 1
    return depth


def _plain_text(vib: bytes) -> tuple[Quantity, tuple[str, ...], bytes]:
    """Take apart a VIB whose unit is written out, last character first."""
    if _text_first(vib, 0):
        text, vifes = vib[2 : 2 + vib[1]], vib[2 + vib[1] :]
    else:
        end = chain_end(vib, 1)
        text, vifes = vib[end + 1 :], vib[1:end]
    _limit(vifes)
    unit = "".join(c if c.isprintable() else "?" for c in text[::-1].decode("latin-1")).strip()
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in unit.lower()).split()
    return Quantity("plain_text", unit), ("_".join(words),) if words else (), vifes


def _text_first(plain: bytes, vif: int) -> bool:
    """Whether a plain-text unit stands right after the VIF, before the VIFEs.

    The standard puts it after the whole VIB; meters in the field do either. Without VIFEs both agree.
    """
    if not plain[vif] & 0x80:
        return True
    length = plain[vif + 1]
    text = plain[vif + 2 : vif + 2 + length]
    return 1 <= length <= _LONGEST_TEXT_BEFORE_VIFE and len(text) == length and _printable(text)


def _printable(text: bytes) -> bool:
    return all(0x20 <= letter < 0x7F for letter in text)


def _modifiers(vifes: bytes) -> Iterator[Modifier]:
    """Give the meanings of combinable VIFEs, in wire order."""
    position = 0
    while position < len(vifes):
        code = vifes[position] & 0x7F
        position += 1
        if code == _MANUFACTURER:
            yield from map(Modifier, _manufacturer(vifes[position:]))
            return
        if code == _PLAIN_TEXT and position < len(vifes):
            code = vifes[position] & 0x7F
            position += 1
            yield COMBINABLE_FC.get(code) or reserved_modifier(bytes((_PLAIN_TEXT, code)))
        else:
            yield COMBINABLE.get(code) or reserved_modifier(bytes((code,)))


def _manufacturer(vifes: bytes) -> tuple[str, ...]:
    """Name VIFEs only the manufacturer can explain."""
    return (f"manufacturer_{bytes(code & 0x7F for code in vifes).hex()}",) if vifes else ()


def _limit(vifes: bytes) -> None:
    if len(vifes) > MOST_EXTENSIONS:
        raise HeaderFault(f"{len(vifes)} VIFEs, at most {MOST_EXTENSIONS} are allowed")
