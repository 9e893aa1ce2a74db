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

__all__ = [
    "AES_CBC",
    "AES_CBC_DERIVED",
    "AES_CCM",
    "DES_CBC",
    "DES_CBC_DATED",
    "KDF_A",
    "NO_SECURITY",
    "TransportHeader",
    "parse",
]

NO_SECURITY = 0
DES_CBC = 2
"""DES-CBC, IV 0, of old meters."""
DES_CBC_DATED = 3
"""DES-CBC, IV from address and day of transmission, of old meters."""
AES_CBC = 5
"""AES-128-CBC, IV from address and access number, persistent key (OMS profile A)."""
AES_CBC_DERIVED = 7
"""AES-128-CBC, IV 0, key derived from a message counter, MAC in the AFL (OMS profile B)."""
AES_CCM = 10
"""AES-128-CCM, key derived from a message counter, tag at the end (OMS profile D)."""

KDF_A = 1
"""DD field of the extension: the key is derived (OMS Vol. 2); 0 is the persistent key."""

_BLOCK, _MOST_BLOCKS = 16, 15
_IN_BLOCKS = frozenset({AES_CBC, AES_CBC_DERIVED})
_IN_BYTES = frozenset({DES_CBC, DES_CBC_DATED, AES_CCM})
_EXTENSIONS = {7: 1, 10: 2, 13: 1}
_COUNTED = frozenset({7, 10})
"""Modes in which bit 13 says that a message counter stands in the header; in 0 and 5 it means synchronous."""
_VERSION_FIRST = frozenset({10})
"""Modes whose key version stands before the counter. Sources differ; no published telegram holds both."""


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
    def encrypted(self) -> int:
        """Encrypted bytes the header counts; 0 in modes that count none. FF in mode 10 means all."""
        if self.mode in _IN_BLOCKS:
            return self.blocks * _BLOCK
        return self.configuration & 0xFF if self.mode in _IN_BYTES else 0

    @property
    def all_the_rest(self) -> bool:
        """The most blocks mode 7 can count may stand for all that follow."""
        return self.mode == AES_CBC_DERIVED and self.blocks == _MOST_BLOCKS

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
    configuration = data[at + 2] | data[at + 3] << 8
    header = TransportHeader(ci, start, at + 4, address, data[at], data[at + 1], configuration)
    return _extended(data, header) if header.mode in _EXTENSIONS else header


def _extended(data: bytes, header: TransportHeader) -> TransportHeader:
    """Read extension, message counter and key version, which follow CF in some modes."""
    at = header.end
    extension_end = at + _EXTENSIONS[header.mode]
    if len(data) < extension_end:
        raise _truncated(data)
    extension = data[at:extension_end]
    counted = header.mode in _COUNTED and bool(header.configuration & 0x2000)
    versioned = header.mode in _COUNTED and bool(extension[0] & 0x40)
    end = extension_end + 4 * counted + versioned
    if len(data) < end:
        raise _truncated(data)
    first = header.mode in _VERSION_FIRST
    counter_at = extension_end + (versioned and first)
    return header._replace(
        end=end,
        extension=extension,
        counter=data[counter_at : counter_at + 4] if counted else b"",
        key_version=data[extension_end if first else end - 1] if versioned else None,
    )


def _truncated(data: bytes) -> LayerError:
    return LayerError("truncated", "the transport header ends too early", offset=len(data))
