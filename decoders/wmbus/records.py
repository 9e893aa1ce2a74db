"""The walk over the data records of an application layer.

Source: EN 13757-3:2018, clause 6. The walk never raises: what cannot be read becomes a fault, and the records
before it are kept. Choices where the standard is silent or meters break it:

- A header or data cut off by the end of the bytes is ``truncated_record`` at its DIF; a reserved DIF, a
  reserved LVAR or more than ten extension bytes are ``bad_record``. Either ends the walk, because where
  the next record begins is not known any more.
- One or two bytes at the very end, behind a record, that hold no whole header are left over and no fault:
  some receivers count a checksum in L. A whole header whose data are cut off stays a fault.
- ``2F`` is skipped wherever a DIF may stand.
- Records of one register are counted by ``occurrence``, whatever their data field or resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

from decoders.errors import DecodeError, RecordError
from decoders.quick_records import quick_record
from decoders.telegram import Record
from decoders.wmbus.header import Description, describe, header_end
from decoders.wmbus.values import variable_length
from decoders.wmbus.vib import HeaderFault

__all__ = ["FILLER", "MOST_LEFT_OVER", "Walk", "is_left_over", "walk"]

FILLER = 0x2F
MOST_LEFT_OVER = 2
"""Bytes behind the last record that are taken for a receiver's."""

_MANUFACTURER_DATA, _MORE_FOLLOWS = 0x0F, 0x1F


@dataclass(frozen=True, slots=True)
class Walk:
    """What the walk found.

    Attributes:
        records: readable records in wire order.
        manufacturer_data: bytes after DIF 0F or 1F.
        more_follows: DIF 1F: more records come in a further telegram.
        faults: at most one: why the walk ended early.
        leftover: one or two bytes behind the last record that cannot begin one; a receiver's, it seems.
        verified: a checksum over the records fits (compact frames).
    """

    records: tuple[Record, ...] = ()
    manufacturer_data: bytes = b""
    more_follows: bool = False
    faults: tuple[DecodeError, ...] = ()
    leftover: bytes = b""
    verified: bool = False


def walk(plain: bytes, offset: int) -> Walk:
    """Read all records.

    Args:
        plain: application bytes from the first DIF on, fillers included.
        offset: where ``plain[0]`` stands in the frame; faults and records give their place by it.
    """
    records: list[Record] = []
    seen: dict[str, int] = {}
    position, end = 0, len(plain)
    while position < end:
        dif = plain[position]
        if dif == FILLER:
            position += 1
        elif dif in {_MANUFACTURER_DATA, _MORE_FOLLOWS}:
            return Walk(tuple(records), plain[position + 1 :], dif == _MORE_FOLLOWS)
        else:
            try:
                record, position = _record(plain, position, offset, seen)
            except RecordError as fault:
                if records and is_left_over(plain[position:]):
                    return Walk(tuple(records), leftover=plain[position:])
                return Walk(tuple(records), faults=(fault,))
            records.append(record)
    return Walk(tuple(records))


def _record(plain: bytes, start: int, offset: int, seen: dict[str, int]) -> tuple[Record, int]:
    """Read the record at ``start``; return it and the position after it."""
    if plain[start] & 0x0F == 0x0F:
        raise _fault("bad_record", f"DIF {plain[start]:02X} is reserved", plain, start, offset)
    try:
        header = header_end(plain, start)
        said = describe(plain[start:header])
        end = header + (_variable_size(plain, header) if said.size is None else said.size)
    except IndexError:
        raise _fault("truncated_record", "the header of a record is cut off", plain, start, offset) from None
    except HeaderFault as wrong:
        raise _fault("bad_record", str(wrong), plain, start, offset) from None
    if end > len(plain):
        raise _fault("truncated_record", "the data of a record are cut off", plain, start, offset)
    return _read(said, plain[header:end], offset + start, seen), end


def is_left_over(rest: bytes) -> bool:
    """Whether the last bytes are too few to be a header, or begin none."""
    if len(rest) > MOST_LEFT_OVER:
        return False
    if rest[0] & 0x0F == 0x0F:
        return True
    try:
        return header_end(rest, 0) > len(rest)
    except IndexError:
        return True


def _read(said: Description, data: bytes, offset: int, seen: dict[str, int]) -> Record:
    value, remark = said.read(data)
    occurrence = seen.get(said.key, 0)
    seen[said.key] = occurrence + 1
    register = said.register
    return quick_record(
        offset,
        said.dib,
        said.vib,
        data,
        register.function,
        register.storage,
        register.tariff,
        register.subunit,
        register.quantity,
        said.unit,
        register.qualifiers,
        value,
        f"{said.remark}; {remark}" if said.remark and remark else said.remark or remark,
        occurrence,
    )


def _variable_size(plain: bytes, header: int) -> int:
    """Return how many bytes the data have, LVAR byte included."""
    length = variable_length(plain[header])
    if length is None:
        raise HeaderFault(f"LVAR {plain[header]:02X} is reserved")
    return 1 + length


def _fault(code: str, message: str, plain: bytes, start: int, offset: int) -> RecordError:
    rest = plain[start : start + 16].hex().upper()
    return RecordError(code, message, offset=offset + start, evidence={"bytes": rest})
