"""How telegrams of one layout are brought into clear: the decisions of the full walk, made beforehand.

An opening takes a frame and gives it in clear, or ``None`` where the full walk must decide. It does exactly
what :mod:`decoders.wmbus.security` would do with a frame of its layout; whether the frame is of that layout
is checked afterwards, on the clear bytes, which with ``2F2F`` or the payload CRC is the same proof of a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypedDict

from decoders.telegram import Keys, Telegram
from decoders.wmbus import link
from decoders.wmbus.address import identity, link_order
from decoders.wmbus.cipher_cache import CipherCache
from decoders.wmbus.ciphers import BLOCK, cbc_iv, counter_block
from decoders.wmbus.diehl import DEFAULT_AES_KEY
from decoders.wmbus.ell import AES_CTR, Ell, crc_fits
from decoders.wmbus.layers import Layers
from decoders.wmbus.security import MARK
from decoders.wmbus.transport import AES_CBC, AES_CBC_DERIVED, NO_SECURITY, TransportHeader
from metering.meter import MeterId

__all__ = ["AS_RECEIVED", "Opening", "opening_of"]

_CRC = 2


class Opening(Protocol):
    """Brings frames into clear. Equal openings do the same."""

    def open(self, frame: bytes, keys: Keys, ciphers: CipherCache) -> bytes | None:
        """Give the frame in clear; ``None`` if the full walk must decide."""
        ...


def opening_of(layers: Layers, telegram: Telegram) -> Opening | None:
    """Say how telegrams like this one are opened; ``None`` if only the full walk can."""
    header = layers.header
    if header is None or header.counter:
        return None
    if layers.ell is not None and layers.ell.session is not None:
        return _link(layers, layers.ell, telegram)
    if not header.encrypted and layers.afl is None:
        return AS_RECEIVED if header.mode in {NO_SECURITY, AES_CBC} else None
    return _of_blocks(layers, header, telegram)


def _of_blocks(layers: Layers, header: TransportHeader, telegram: Telegram) -> Opening | None:
    if not header.encrypted or telegram.wired:
        return None
    clear = not telegram.security.encrypted
    if header.mode == AES_CBC and layers.afl is None:
        return (_ArrivedInClear if clear else _Sealed)(**_blocks(header))
    return _DerivedArrivedInClear(**_blocks(header)) if header.mode == AES_CBC_DERIVED and clear else None


def _link(layers: Layers, ell: Ell, telegram: Telegram) -> Opening | None:
    header, sender = layers.header, telegram.sender
    if header is None or header.mode != NO_SECURITY or layers.afl is not None:
        return None
    if ell.encryption != AES_CTR:
        return _LinkInClear(ell.crc_at)
    if ell.receiver is not None or sender.manufacturer in link.DIEHL:
        return None
    return (_LinkSealed if telegram.security.encrypted else _LinkArrivedInClear)(ell.crc_at)


def _blocks(header: TransportHeader) -> _Where:
    long = header.address is not None
    return {
        "start": header.end,
        "end": header.end + header.encrypted,
        "configuration_at": header.start + (11 if long else 3),
        "configuration": header.configuration.to_bytes(2, "little"),
        "long_at": header.start + 1 if long else None,
    }


class _Where(TypedDict):
    """See :class:`_Blocks`."""

    start: int
    end: int
    configuration_at: int
    configuration: bytes
    long_at: int | None


@dataclass(frozen=True, slots=True)
class _AsReceived:
    """No security."""

    def open(self, frame: bytes, keys: Keys, ciphers: CipherCache) -> bytes | None:  # noqa: ARG002  see Opening
        return frame


AS_RECEIVED = _AsReceived()


# --- security modes 5 and 7 ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Encrypted blocks.

    Attributes:
        start: where they begin: the end of the transport header.
        end: where they end.
        configuration_at: where CF stands; the access number stands two bytes before it.
        configuration: CF as transmitted: the mode and how many blocks.
        long_at: where the transport layer's address stands, if there is one.
    """

    start: int
    end: int
    configuration_at: int
    configuration: bytes
    long_at: int | None

    def _agrees(self, frame: bytes, *, marked: bool) -> bool:
        start, at = self.start, self.configuration_at
        return (
            frame[at : at + 2] == self.configuration
            and (frame[start : start + 2] == MARK) is marked
            and self.end <= len(frame)
        )

    def _meter(self, frame: bytes, address: bytes) -> MeterId | None:
        meter = identity(address)
        if meter is None or self.long_at is not None or meter.manufacturer not in link.DIEHL:
            return meter
        return link.header(frame).sender

    def _address(self, frame: bytes) -> bytes:
        at = self.long_at
        return frame[2:10] if at is None else link_order(frame[at : at + 8])


class _Sealed(_Blocks):
    """Mode 5: the first key that gives ``2F2F`` counts."""

    __slots__ = ()

    def open(self, frame: bytes, keys: Keys, ciphers: CipherCache) -> bytes | None:
        if not self._agrees(frame, marked=False):
            return None
        address = self._address(frame)
        meter = self._meter(frame, address)
        start, end = self.start, self.end
        iv = cbc_iv(address, frame[start - 4])
        for key in _tried(meter, keys) if meter else ():
            if len(key) == BLOCK:
                clear = ciphers.decrypt_cbc(key, iv, frame[start:end])
                if clear[:2] == MARK:
                    return frame[:start] + clear + frame[end:]
        return None


class _ArrivedInClear(_Blocks):
    """Mode 5 declared, but the bytes came in clear. A key that would open them all the same goes first."""

    __slots__ = ()

    def open(self, frame: bytes, keys: Keys, ciphers: CipherCache) -> bytes | None:
        if not self._agrees(frame, marked=True):
            return None
        address = self._address(frame)
        meter = self._meter(frame, address)
        if meter is None:
            return None
        first = frame[self.start : self.start + BLOCK]
        for key in _tried(meter, keys):
            iv = cbc_iv(address, frame[self.start - 4])
            if len(key) == BLOCK and ciphers.decrypt_cbc(key, iv, first)[:2] == MARK:
                return None
        return frame


class _DerivedArrivedInClear(_Blocks):
    """Mode 7 declared, but the bytes came in clear; with a key at hand the full walk decides."""

    __slots__ = ()

    def open(self, frame: bytes, keys: Keys, ciphers: CipherCache) -> bytes | None:  # noqa: ARG002  see Opening
        if not self._agrees(frame, marked=True):
            return None
        meter = self._meter(frame, self._address(frame))
        return None if meter is None or keys(meter) else frame


def _tried(meter: MeterId, keys: Keys) -> Sequence[bytes]:
    """Give the keys the full walk would try."""
    known = keys(meter)
    return known or ((DEFAULT_AES_KEY,) if meter.manufacturer in link.DIEHL else ())


# --- extended link layer -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Link:
    """A link layer with session number; ``crc_at``: where its payload CRC stands."""

    crc_at: int

    def _encrypted(self, frame: bytes) -> bool:
        return frame[self.crc_at - 1] >> 5 == AES_CTR

    def _opened(self, frame: bytes, keys: Keys, ciphers: CipherCache) -> bytes | None:
        address, at = frame[2:10], self.crc_at
        meter = identity(address)
        if meter is None:
            return None
        counter = counter_block(address, frame[at - 6], frame[at - 4 : at])
        for key in keys(meter):
            if len(key) == BLOCK:
                clear = ciphers.xor_ctr(key, counter, frame[at:])
                if crc_fits(clear):
                    return frame[:at] + clear
        return None


class _LinkInClear(_Link):
    """A session without encryption."""

    __slots__ = ()

    def open(self, frame: bytes, keys: Keys, ciphers: CipherCache) -> bytes | None:  # noqa: ARG002  see Opening
        return frame if not self._encrypted(frame) and crc_fits(frame[self.crc_at :]) else None


class _LinkSealed(_Link):
    """AES-128-CTR: the first key under which the payload CRC fits counts."""

    __slots__ = ()

    def open(self, frame: bytes, keys: Keys, ciphers: CipherCache) -> bytes | None:
        return self._opened(frame, keys, ciphers) if self._encrypted(frame) else None


class _LinkArrivedInClear(_Link):
    """AES-128-CTR declared, but the bytes came in clear. A key that would open them goes first."""

    __slots__ = ()

    def open(self, frame: bytes, keys: Keys, ciphers: CipherCache) -> bytes | None:
        if not self._encrypted(frame) or not crc_fits(frame[self.crc_at :]):
            return None
        return None if self._opened(frame, keys, ciphers) else frame
