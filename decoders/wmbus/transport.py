"""Transport layer headers and the configuration field (EN 13757-7).

::

    none    CI
    short   CI                            ACC ST CF(2) [extension, counter, key version]
    long    CI  ID(4) M(2) version type   ACC ST CF(2) [...]

Bits 12-8 of CF are the security mode; what the other bits say depends on it.
"""

from __future__ import annotations

from typing import NamedTuple

from decoders.errors import LayerError
from decoders.wmbus.address import link_order
from decoders.wmbus.ci import CI, Header

__all__ = ["AES_CBC", "AES_CBC_DERIVED", "KDF_A", "NO_SECURITY", "TransportHeader", "parse"]

NO_SECURITY = 0
AES_CBC = 5
"""AES-128-CBC, IV from address and access number, persistent key (OMS profile A)."""
AES_CBC_DERIVED = 7
"""AES-128-CBC, IV 0, key derived from a message counter, MAC in the AFL (OMS profile B)."""

KDF_A = 1
"""DD field of the extension: the key is derived (OMS Vol. 2); 0 is the persistent key."""

_EXTENSIONS = {7: 1, 10: 2, 13: 1}
_COUNTED = frozenset({7, 10})
"""Modes in which bit 13 says that a message counter stands in the header; in 0 and 5 it means synchronous."""
_VERSION_BEFORE_COUNTER = frozenset({10})


class TransportHeader(NamedTuple):
    """One transport header; all its fields are empty or 0 where the CI field has none.

    Attributes:
        ci: CI field.
        start: offset of the CI field.
        end: offset of the first application byte.
        address: meter address in link order as transmitted, if the header is long.
        access: access number, ``None`` without header.
        status: status byte, ``None`` without header.
        configuration: CF, 16 bits.
        extension: bytes of the configuration field extension.
        counter: message counter as transmitted, low byte first.
        key_version: key version byte, if there.
    """

    ci: int
    start: int
    end: int
    address: bytes | None = None
    access: int | None = None
    status: int | None = None
    configuration: int = 0
    extension: bytes = b""
    counter: bytes = b""
    key_version: int | None = None

    @property
    def mode(self) -> int:
        """Security mode, 0..31."""
        return self.configuration >> 8 & 0x1F

    @property
    def blocks(self) -> int:
        """Encrypted blocks of 16 bytes (modes 5 and 7)."""
        return self.configuration >> 4 & 0x0F

    @property
    def derivation(self) -> int:
        """DD field of the extension (modes 7 and 10): how the key is derived."""
        return self.extension[0] >> 4 & 0x03 if self.extension else 0


def parse(data: bytes, start: int) -> TransportHeader:
    """Read the header of the CI field at ``start``.

    Raises:
        LayerError: ``truncated``.
    """
    ci = data[start]
    kind = CI[ci].header
    if kind is Header.NONE:
        return TransportHeader(ci, start, start + 1)
    at = start + 9 if kind is Header.LONG else start + 1
    if len(data) < at + 4:
        raise _truncated(data)
    address = link_order(data[start + 1 : at]) if kind is Header.LONG else None
    access, status = data[at], data[at + 1]
    configuration = data[at + 2] | data[at + 3] << 8
    mode = configuration >> 8 & 0x1F
    if mode not in _EXTENSIONS:
        return TransportHeader(ci, start, at + 4, address, access, status, configuration)
    plain = TransportHeader(ci, start, at + 4, address, access, status, configuration)
    return _extended(data, plain)


def _extended(data: bytes, short: TransportHeader) -> TransportHeader:
    """Read extension, message counter and key version, which follow CF in some modes."""
    at = short.end
    size = _EXTENSIONS[short.mode]
    extension, at = data[at : at + size], at + size
    if len(extension) < size:
        raise _truncated(data)
    counted = short.mode in _COUNTED and short.configuration & 0x2000
    versioned = short.mode in _COUNTED and extension[0] & 0x40
    counter_at = at + 1 if versioned and short.mode in _VERSION_BEFORE_COUNTER else at
    counter = data[counter_at : counter_at + 4] if counted else b""
    version_at = at if counter_at > at else at + len(counter)
    end = at + (4 if counted else 0) + (1 if versioned else 0)
    if len(data) < end:
        raise _truncated(data)
    version = data[version_at] if versioned else None
    return short._replace(end=end, extension=extension, counter=counter, key_version=version)


def _truncated(data: bytes) -> LayerError:
    return LayerError("truncated", "the transport header ends too early", offset=len(data))
