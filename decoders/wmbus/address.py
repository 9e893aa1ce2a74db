"""Addresses: eight bytes on the wire, a :class:`~metering.meter.MeterId` for people.

::

    link layer, ELL receiver      M(2) ID(4) version type     here called link order
    transport layer, wired        ID(4) M(2) version type     transport order

M is the FLAG code, ID eight BCD digits, both low byte first (EN 13757-7). Bit 15 of M says the address is
unique only locally; it is no part of the letters. Everything below works on link order.
"""

from __future__ import annotations

from functools import lru_cache

from metering.errors import InvalidValue
from metering.meter import MeterId

__all__ = ["identity", "link_order", "transport_order", "wire"]


@lru_cache(maxsize=1 << 15)
def identity(address: bytes) -> MeterId | None:
    """Read eight bytes in link order; ``None`` if the manufacturer code holds no letters."""
    code = address[0] | address[1] << 8
    letters = [code >> shift & 0x1F for shift in (10, 5, 0)]
    if not all(1 <= letter <= 26 for letter in letters):
        return None
    return MeterId(
        "".join(chr(64 + letter) for letter in letters),
        address[5:1:-1].hex().upper(),
        f"{address[6]:02x}",
        f"{address[7]:02x}",
    )


def wire(meter: MeterId) -> bytes:
    """Give the eight bytes of an identity in link order.

    Raises:
        InvalidValue: the identity is not one (letters, digits).
    """
    if MeterId.parse(str(meter)) != meter:
        raise InvalidValue(f"meter id {meter} is not in canonical form {MeterId.parse(str(meter))}")
    code = 0
    for letter in meter.manufacturer:
        code = code << 5 | ord(letter) - 64
    serial = bytes.fromhex(meter.serial)[::-1]
    return code.to_bytes(2, "little") + serial + bytes.fromhex(meter.version + meter.device_type)


def link_order(transport: bytes) -> bytes:
    """Turn ID M version type into M ID version type."""
    return transport[4:6] + transport[:4] + transport[6:8]


def transport_order(link: bytes) -> bytes:
    """Turn M ID version type into ID M version type."""
    return link[2:6] + link[:2] + link[6:8]
