"""Keys from a Kamstrup KEM file. It names meters by serial number: version and type come from what is known.

Inside stands ``<MetersInOrder><Meter><MeterNo/><SerialNo/><VendorId/><DEK/>...``, or ``DevicesInOrder`` with
``Device``. The serial number is that of the radio address; the key is the DEK.
"""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from metering.errors import InvalidValue
from metering.meter import MeterId
from service.imports.kem_container import Element, open_kem
from service.imports.keys import KeyRow
from service.imports.table import Faults

__all__ = ["KemMeter", "identified", "read_kem"]

_LISTED = {"meter", "device"}
_SERIALS = ("serialno", "meterno", "deviceno")
_MAKER = "KAM"
_HEX = set(string.hexdigits)
_KEY_DIGITS = 32


@dataclass(frozen=True, slots=True)
class KemMeter:
    """A meter of the file. The key is never shown.

    Attributes:
        number: its place in the file, from 1.
        maker: manufacturer, three letters.
        serial: eight digits.
        key: 16 bytes.
    """

    number: int
    maker: str
    serial: str
    key: bytes = field(repr=False)


def read_kem(raw: bytes, source: str, password: str) -> list[KemMeter]:
    """Open a file and understand its meters.

    Raises:
        ImportRefused: it cannot be opened, or with every fault of its meters, numbered from 1.
    """
    root = open_kem(raw, source, password)
    faults = Faults(source)
    listed = list(_listed(root))
    if not listed:
        faults.add(1, None, "there is no meter in it")
    understood = [_meter(number, element, faults) for number, element in enumerate(listed, 1)]
    meters = [meter for meter in understood if meter is not None]
    first: dict[tuple[str, str], KemMeter] = {}
    for meter in meters:
        earlier = first.setdefault((meter.maker, meter.serial), meter)
        if earlier.key != meter.key:
            faults.add(
                meter.number, "DEK", f"another key than that of the same meter in place {earlier.number}"
            )
    faults.refuse_if_any()
    return [meter for meter in meters if first[meter.maker, meter.serial] is meter]


def identified(
    meters: Collection[KemMeter], known: Collection[MeterId], otherwise: str, source: str
) -> list[KeyRow]:
    """Give each key to the meters it is of: all that are known with this serial number.

    Args:
        meters: of the file.
        known: identities registered or heard.
        otherwise: ``1b-16``, version and device type of meters not known; empty if there should be none.
        source: the file's name.

    Raises:
        ImportRefused: with every meter that is not known.
    """
    by_serial: defaultdict[tuple[str, str], list[MeterId]] = defaultdict(list)
    for one in known:
        by_serial[one.manufacturer, one.serial].append(one)
    faults, rows = Faults(source), []
    for meter in meters:
        found = by_serial[meter.maker, meter.serial] or _supposed(meter, otherwise, faults)
        rows += [KeyRow(meter.number, one, meter.key) for one in found]
    faults.refuse_if_any()
    return rows


def _supposed(meter: KemMeter, otherwise: str, faults: Faults) -> list[MeterId]:
    if not otherwise:
        faults.add(
            meter.number,
            "SerialNo",
            f"no meter {meter.maker}-{meter.serial} is registered or was heard; register it first, or tell"
            " version and device type of such meters with --as 1b-16",
        )
        return []
    try:
        return [MeterId.parse(f"{meter.maker}-{meter.serial}-{otherwise}")]
    except InvalidValue:
        faults.add(meter.number, "SerialNo", "--as takes version and device type, like 1b-16")
        return []


def _listed(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.name.lower() in _LISTED:
            yield child
        else:
            yield from _listed(child)


def _meter(number: int, element: Element, faults: Faults) -> KemMeter | None:
    cells = {child.name.lower(): child.text.strip() for child in element.children}
    serial, key = _serial(number, cells, faults), _key(number, cells, faults)
    maker = cells.get("vendorid", "").upper()
    maker = maker if len(maker) == 3 and maker.isascii() and maker.isalpha() else _MAKER
    return KemMeter(number, maker, serial, key) if serial and key else None


def _serial(number: int, cells: Mapping[str, str], faults: Faults) -> str:
    said = [digits for name in _SERIALS if (digits := cells.get(name, ""))]
    for digits in said:
        if digits.isascii() and digits.isdecimal() and len(digits) <= 8:
            return digits.zfill(8)
    wrong = f"{said[0][:20]!r} is not a serial number of up to 8 digits" if said else "missing"
    faults.add(number, "SerialNo", wrong)
    return ""


def _key(number: int, cells: Mapping[str, str], faults: Faults) -> bytes:
    digits = "".join(cells.get("dek", "").split())
    if not digits:
        faults.add(number, "DEK", "missing: this meter has no key in the file")
    elif not _HEX.issuperset(digits) or len(digits) != _KEY_DIGITS:
        faults.add(number, "DEK", f"{len(digits)} signs where a key has {_KEY_DIGITS} hexadecimal digits")
    else:
        return bytes.fromhex(digits)
    return b""
