"""Which key opens a telegram, and what proves it (EN 13757-4, EN 13757-7, OMS Vol. 2).

Link encryption: AES-128-CTR of the extended link layer, proved by the payload CRC inside. Security mode 5:
AES-128-CBC with an IV from address and access number, proved by ``2F2F`` and a clean record walk. Security
mode 7: AES-128-CBC with a key derived from a message counter, proved by the MAC, which is checked first.

A wrong key gives ``2F2F`` once in 65536 telegrams; that is why the records must hold together too. Random
bytes do so in one case of nine, which leaves one telegram in 600 000: mode 5 has no better proof to offer.
Many telegrams reach us decrypted but with their headers as sent; the same proofs, on the bytes as they are,
recognise them. A byte or two left over behind the records (a receiver's checksum) disprove nothing where
nothing was decrypted. Key material never enters an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives import constant_time

from decoders.errors import DecodeError, LayerError, SecurityError
from decoders.wmbus.afl import MAC_SIZES, Afl
from decoders.wmbus.ci import CI, Content
from decoders.wmbus.ciphers import (
    BLOCK,
    ENCRYPTION,
    MAC,
    NO_IV,
    cbc_iv,
    cmac,
    counter_block,
    decrypt_cbc,
    derive,
    xor_ctr,
)
from decoders.wmbus.ell import Ell, crc_fits
from decoders.wmbus.records import Walk
from decoders.wmbus.transport import AES_CBC, AES_CBC_DERIVED, KDF_A, NO_SECURITY, TransportHeader

__all__ = ["BLOCK", "MARK", "Opened", "Payload", "link_is_clear", "open_link", "open_payload", "sealed"]

MARK = b"\x2f\x2f"
"""Two fillers: the first plain bytes of security modes 5 and 7, and their only check of the key."""

_ALL_THE_REST = 15  # blocks of mode 7
_CMAC_TYPES = range(3, 8)
_MARKED_MODES = frozenset({AES_CBC, AES_CBC_DERIVED})
_NEVER_BEHIND_ELL = frozenset({Content.RESERVED, Content.COMMAND, Content.OTHER_PROTOCOL, Content.ELL})


def _usable(keys: Sequence[bytes], offset: int) -> list[bytes]:
    """Keep keys of 16 bytes; say it where there is none."""
    if not keys:
        raise SecurityError("missing_key", "encrypted, and no key is known", offset=offset)
    usable = [key for key in keys if len(key) == BLOCK]
    if not usable:
        evidence: dict[str, str | int] = {"keys": len(keys), "length": len(keys[0])}
        raise SecurityError("bad_key", "a key has 16 bytes", offset=offset, evidence=evidence)
    return usable


def _wrong_key(tried: int, offset: int) -> SecurityError:
    said = f"none of {tried} key(s) fits"
    return SecurityError("wrong_key", said, offset=offset, evidence={"keys_tried": tried})


# --- extended link layer -------------------------------------------------------------------------


def link_is_clear(data: bytes, ell: Ell) -> bool:
    """Whether what follows an extended link layer is in clear: CRC fits, a sensible CI field follows."""
    return CI[data[ell.end]].content not in _NEVER_BEHIND_ELL and crc_fits(data[ell.crc_at :])


def open_link(data: bytes, ell: Ell, address: bytes, keys: Sequence[bytes]) -> bytes:
    """Decrypt what follows the session number; gives the whole frame with it in clear.

    The IV takes the sender's address; frames of ELL IV are tried with the receiver's too, as senders differ.

    Args:
        data: the frame.
        ell: its extended link layer, AES-128-CTR.
        address: the sender in link order as transmitted.
        keys: keys to try, in order.

    Raises:
        SecurityError: ``missing_key``, ``bad_key``, ``wrong_key``.
    """
    usable = _usable(keys, ell.crc_at)
    addresses = [address] if ell.receiver is None else [address, ell.receiver]
    blocks = [counter_block(candidate, ell.communication, ell.session or b"") for candidate in addresses]
    head, body = data[: ell.crc_at], data[ell.crc_at :]
    for key in usable:
        for block in blocks:
            clear = head + xor_ctr(key, block, body)
            if link_is_clear(clear, ell):
                return clear
    raise _wrong_key(len(usable), ell.crc_at)


# --- payload -------------------------------------------------------------------------------------


class Payload(NamedTuple):
    """An application layer and what opens it.

    Attributes:
        data: the frame.
        header: its transport header.
        afl: its authentication layer, if any.
        address: the meter in link order as transmitted.
        keys: gives the keys to try; called only if one is needed.
        read: walks the records of a frame in clear.
    """

    data: bytes
    header: TransportHeader
    afl: Afl | None
    address: bytes
    keys: Callable[[], Sequence[bytes]]
    read: Callable[[bytes], Walk]

    @property
    def signed(self) -> bool:
        """Whether the authentication layer brings a MAC."""
        return self.afl is not None and bool(self.afl.mac)

    @property
    def counter(self) -> bytes:
        """Message counter: the transport header's, else the authentication layer's, else empty."""
        return self.header.counter or (self.afl.counter if self.afl else b"")


class Opened(NamedTuple):
    """An application layer in clear.

    Attributes:
        data: the frame with the encrypted bytes replaced; every offset stays.
        walk: its records.
        encrypted: it was encrypted as received.
        verified: a code inside the protection proved the key.
        authenticated: a MAC was checked and fits.
        doubtful: ``2F2F`` is there but the records do not hold together, and nothing else proves them.
    """

    data: bytes
    walk: Walk
    encrypted: bool = False
    verified: bool = False
    authenticated: bool = False
    doubtful: bool = False


def sealed(data: bytes, header: TransportHeader) -> bool:
    """Whether the payload as received is encrypted, as far as can be told without a key."""
    if header.mode in _MARKED_MODES:
        return header.blocks > 0 and not _marked(data, header)
    return header.mode != NO_SECURITY


def open_payload(payload: Payload) -> Opened:
    """Bring the application layer into clear and read its records.

    Raises:
        LayerError: ``truncated`` if there are fewer bytes than the header says are encrypted.
        SecurityError: ``missing_key``, ``bad_key``, ``wrong_key``, ``bad_mac``, ``unsupported_mode``.
    """
    header, signed = payload.header, payload.signed
    if header.mode == NO_SECURITY and not signed:
        return _as_received(payload)
    if header.mode not in _MARKED_MODES or (signed and header.mode != AES_CBC_DERIVED):
        raise _unsupported(header, "this security mode is not read")
    if header.blocks and _marked(payload.data, header):
        return _open_marked(payload)
    if header.blocks == 0 and not signed:
        return _as_received(payload)
    return _decrypt(payload)


def _marked(data: bytes, header: TransportHeader) -> bool:
    return data[header.end : header.end + 2] == MARK


def _as_received(payload: Payload) -> Opened:
    return Opened(payload.data, payload.read(payload.data))


def _open_marked(payload: Payload) -> Opened:
    """Open a payload that begins with ``2F2F`` as received: decrypted before it came, or so by chance.

    A key that fits settles it, so keys go first: one ciphertext in 65536 begins like this.
    """
    try:
        opened = _decrypt(payload)
        if not opened.doubtful:
            return opened
    except DecodeError:
        pass  # no key, or none that fits: then the bytes as they came must make sense
    arrived = _as_received(payload)
    clean = not arrived.walk.faults
    return arrived._replace(verified=clean, doubtful=not clean)


def _decrypt(payload: Payload) -> Opened:
    header = payload.header
    if header.mode == AES_CBC:
        iv = cbc_iv(payload.address, header.access or 0)
        return _first_that_reads(payload, ((key, iv) for key in _usable(payload.keys(), header.end)))
    _check_derivation(payload)
    usable = _usable(payload.keys(), header.end)
    if not payload.signed:
        return _first_that_reads(payload, ((_derived(payload, key, ENCRYPTION), NO_IV) for key in usable))
    key = _key_of_mac(payload, usable)
    clear = _clear(payload, _derived(payload, key, ENCRYPTION), NO_IV)
    walk = payload.read(clear)
    return Opened(clear, walk, encrypted=header.blocks > 0, verified=True, authenticated=True)


def _first_that_reads(payload: Payload, attempts: Iterator[tuple[bytes, bytes]]) -> Opened:
    """Take the first key that gives ``2F2F`` and clean records; else one that gives ``2F2F``, as doubtful."""
    doubtful = None
    tried = 0
    for key, iv in attempts:
        tried += 1
        clear = _clear(payload, key, iv)
        if not _marked(clear, payload.header):
            continue
        opened = Opened(clear, payload.read(clear), encrypted=True, verified=True)
        if _clean(opened, _sealed_end(payload)):
            return opened
        doubtful = doubtful or opened._replace(verified=False, doubtful=True)
    if doubtful is None:
        raise _wrong_key(tried, payload.header.end)
    return doubtful


def _clean(opened: Opened, sealed_end: int) -> bool:
    """Whether what was decrypted is records and nothing but records; left-over bytes may follow it."""
    walk = opened.walk
    return not walk.faults and len(opened.data) - len(walk.leftover) >= sealed_end


def _clear(payload: Payload, key: bytes, iv: bytes) -> bytes:
    """Decrypt the blocks the header counts; what follows them is in clear already."""
    data, start, end = payload.data, payload.header.end, _sealed_end(payload)
    return data[:start] + decrypt_cbc(key, iv, data[start:end]) + data[end:]


def _sealed_end(payload: Payload) -> int:
    header, size = payload.header, len(payload.data)
    end = header.end + header.blocks * BLOCK
    if end <= size:
        return end
    rest = size - header.end
    if header.mode == AES_CBC_DERIVED and header.blocks == _ALL_THE_REST and rest % BLOCK == 0:
        return size
    raise LayerError(
        "truncated",
        f"{header.blocks * BLOCK} bytes are encrypted, {rest} came",
        offset=size,
        evidence={"blocks": header.blocks, "received": rest},
    )


# --- mode 7 --------------------------------------------------------------------------------------


def _check_derivation(payload: Payload) -> None:
    derivation = payload.header.derivation
    if derivation > KDF_A:
        raise _unsupported(payload.header, "this key derivation is not read")
    if derivation == KDF_A and not payload.counter:
        raise _unsupported(payload.header, "no message counter to derive the key from")


def _derived(payload: Payload, key: bytes, purpose: bytes) -> bytes:
    """Derive the key of one purpose, or take the meter's own where the header says so."""
    if payload.header.derivation != KDF_A:
        return key
    return derive(key, purpose, payload.counter, payload.address[2:6])


def _key_of_mac(payload: Payload, usable: Sequence[bytes]) -> bytes:
    """Find the meter's key that gives the MAC."""
    afl = payload.afl
    if afl is None or afl.algorithm not in _CMAC_TYPES:
        raise _unsupported(payload.header, "this authentication type is not read")
    message = afl.authenticated(payload.data[payload.header.start :])
    for key in usable:
        code = cmac(_derived(payload, key, MAC), message)
        if constant_time.bytes_eq(code[: MAC_SIZES[afl.algorithm]], afl.mac):
            return key
    raise SecurityError(
        "bad_mac",
        "the authentication code does not match: wrong key or altered telegram",
        offset=afl.start,
        evidence={"keys_tried": len(usable)},
    )


def _unsupported(header: TransportHeader, why: str) -> SecurityError:
    return SecurityError(
        "unsupported_mode",
        f"security mode {header.mode}: {why}",
        offset=header.end,
        evidence={"mode": header.mode, "configuration": header.configuration},
    )
