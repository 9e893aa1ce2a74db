"""Transport and authentication layer out of records: protected as the header says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from decoders.wmbus import afl, ccm, ciphers
from decoders.wmbus.address import transport_order
from decoders.wmbus.sealed import MARK
from decoders.wmbus.transport import AES_CBC, AES_CBC_DERIVED, AES_CCM, DES_CBC, NO_SECURITY
from metering.errors import InvalidValue

__all__ = ["KEY_SIZES", "HeaderKind", "Transport"]

HeaderKind = Literal["none", "short", "long"]

KEY_SIZES: Mapping[int, int] = {
    DES_CBC: ciphers.BLOCK_DES,
    AES_CBC: ciphers.BLOCK,
    AES_CBC_DERIVED: ciphers.BLOCK,
    AES_CCM: ciphers.BLOCK,
}
"""Security modes that can be built, besides none, and the size of their keys."""

_MAC_SIZE = 8
_FILLER = b"\x2f"
_MOST_BLOCKS, _MOST_DES, _MOST_COUNTED, _ALL = 15, 248, 254, 0xFF
_COUNTER_IN_HEADER = 0x2000
_DERIVED, _DERIVED_TAG_8 = b"\x10", b"\x10\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """What the transport layer is made of, whatever frames it.

    Attributes:
        ci: CI field.
        kind: header.
        address: the meter in link order.
        access: access number.
        status: status byte.
        flags: bits of the configuration field besides mode and number of blocks.
        mode: security mode.
        key: its key; empty in mode 0.
        counter: message counter as transmitted; empty except in modes 7 and 10.
    """

    ci: int
    kind: HeaderKind
    address: bytes
    access: int
    status: int
    flags: int
    mode: int
    key: bytes = field(repr=False)
    counter: bytes

    def layer(self, payload: bytes, clear_tail: bytes) -> bytes:
        """Give everything from the authentication layer, if there is one, to the end of the application.

        Raises:
            InvalidValue: more bytes than the header can count.
        """
        if self.mode == NO_SECURITY:
            return self._header(self.flags) + payload + clear_tail
        if self.mode == AES_CCM:
            return self._counter_mode(payload, clear_tail)
        if self.mode == DES_CBC:
            return self._des(payload) + clear_tail
        transport = self._blocks(payload) + clear_tail
        return self._authentication(transport) + transport if self.mode == AES_CBC_DERIVED else transport

    def _header(self, bits: int, rest: bytes = b"") -> bytes:
        """Give CI field, address, access number, status, configuration with these bits, and the rest."""
        if self.kind == "none":
            return bytes((self.ci,))
        address = transport_order(self.address) if self.kind == "long" else b""
        configuration = (self.mode << 8 | bits).to_bytes(2, "little")
        return bytes((self.ci,)) + address + bytes((self.access, self.status)) + configuration + rest

    def _blocks(self, payload: bytes) -> bytes:
        """Modes 5 and 7."""
        plain = _filled(payload, ciphers.BLOCK)
        count = len(plain) // ciphers.BLOCK
        if count > _MOST_BLOCKS:
            raise InvalidValue(f"{count} encrypted blocks; the header can say {_MOST_BLOCKS}")
        if self.mode == AES_CBC:
            iv = ciphers.cbc_iv(self.address, self.access)
            return self._header(count << 4 | self.flags) + ciphers.encrypt_cbc(self.key, iv, plain)
        key = self._derived(ciphers.ENCRYPTION)
        return self._header(count << 4, _DERIVED) + ciphers.encrypt_cbc(key, ciphers.NO_IV, plain)

    def _des(self, payload: bytes) -> bytes:
        """Mode 2."""
        plain = _filled(payload, ciphers.BLOCK_DES)
        if len(plain) > _MOST_DES:
            raise InvalidValue(f"{len(plain)} encrypted bytes; the header can say {_MOST_DES}")
        return self._header(len(plain)) + ciphers.encrypt_des(self.key, plain)

    def _counter_mode(self, payload: bytes, clear_tail: bytes) -> bytes:
        """Mode 10; the tag stands behind what is in clear."""
        count = len(payload) if clear_tail else _ALL
        if clear_tail and not 0 < count <= _MOST_COUNTED:
            raise InvalidValue(f"{count} encrypted bytes before a clear tail; 1 to {_MOST_COUNTED} can be")
        header = self._header(_COUNTER_IN_HEADER | count, _DERIVED_TAG_8)
        key = self._derived(ciphers.ENCRYPTION)
        sealed, tag = ccm.seal(key, ccm.nonce(self.address, self.counter), payload, header)
        return header + self.counter + sealed + clear_tail + tag

    def _authentication(self, transport: bytes) -> bytes:
        covered = bytes((afl.MCL_CMAC_8,)) + self.counter + transport
        mac = ciphers.cmac(self._derived(ciphers.MAC), covered)[:_MAC_SIZE]
        return afl.encode(self.counter, mac)

    def _derived(self, purpose: bytes) -> bytes:
        return ciphers.derive(self.key, purpose, self.counter, self.address[2:6])


def _filled(payload: bytes, block: int) -> bytes:
    """Put ``2F2F`` before the records and fillers behind them, to whole blocks."""
    plain = MARK + payload
    return plain + _FILLER * (-len(plain) % block)
