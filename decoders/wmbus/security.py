"""Which key opens a payload, and what proves it (EN 13757-7, OMS Vol. 2).

::

    2     DES-CBC, IV 0                       proof: 2F2F and a clean record walk
    5     AES-128-CBC, IV from address        proof: the same
    7     AES-128-CBC, key of one message     proof: the MAC, which is checked first
    10    AES-128-CCM, key of one message     proof: the tag (decoders.wmbus.ccm)
    16-31 of the Diehl family                 scrambled (decoders.wmbus.real_data)

A wrong key gives ``2F2F`` once in 65536 telegrams; that is why the records must hold together too. Random
bytes do so in one case of nine, which leaves one telegram in 600 000: mode 5 has no better proof to offer.
Many telegrams reach us decrypted but with their headers as sent; the same proofs, on the bytes as they are,
recognise them. A byte or two left over behind the records (a receiver's checksum) disprove nothing where
nothing was decrypted. Link encryption is in :mod:`decoders.wmbus.link_security`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cryptography.hazmat.primitives import constant_time

from decoders.errors import DecodeError, SecurityError
from decoders.wmbus import ccm, real_data
from decoders.wmbus.afl import MAC_SIZES
from decoders.wmbus.ciphers import (
    BLOCK,
    BLOCK_DES,
    ENCRYPTION,
    MAC,
    NO_IV,
    cbc_iv,
    cmac,
    decrypt_cbc,
    decrypt_des,
    derive,
)
from decoders.wmbus.diehl import DEFAULT_AES_KEY
from decoders.wmbus.sealed import (
    MARK,
    Opened,
    Payload,
    as_received,
    bad_mac,
    check_derivation,
    encrypted_end,
    first_that_reads,
    is_marked,
    unsupported,
    usable,
)
from decoders.wmbus.transport import (
    AES_CBC,
    AES_CBC_DERIVED,
    AES_CCM,
    DES_CBC,
    DES_CBC_DATED,
    KDF_A,
    NO_SECURITY,
    TransportHeader,
)

__all__ = ["BLOCK", "MARK", "Opened", "Payload", "after_mark", "open_payload", "sealed"]

_CMAC_TYPES = range(3, 8)
_MARKED_MODES = frozenset({DES_CBC, DES_CBC_DATED, AES_CBC, AES_CBC_DERIVED})

_WHY_NOT: Mapping[int, str] = {
    1: "the manufacturer's own encryption",
    3: "DES whose vector holds the day of transmission, which no telegram says",
    4: "AES-128-CBC of old issues, whose count of encrypted bytes is not described in public",
    8: "AES-128-CTR with two codes, whose layout is not described in public",
    9: "AES-128-GCM, whose authenticated bytes are not described in public",
    13: "TLS needs a session with the meter",
    15: "a specific usage",
    **dict.fromkeys(range(16, 32), "the manufacturer's own"),
}


def sealed(data: bytes, header: TransportHeader) -> bool:
    """Whether the payload as received is encrypted, as far as can be told without a key."""
    if header.mode in _MARKED_MODES:
        return header.encrypted > 0 and not is_marked(data, header)
    if real_data.applies(data, header):
        return not real_data.in_clear(data, header)
    return header.mode != NO_SECURITY


def after_mark(data: bytes, header: TransportHeader) -> int:
    """Say where a payload in clear that holds no records begins: behind ``2F2F`` where the mode has it."""
    return header.end + 2 if header.mode in _MARKED_MODES and is_marked(data, header) else header.end


def open_payload(payload: Payload) -> Opened:
    """Bring the application layer into clear and read its records.

    Raises:
        LayerError: ``truncated`` if there are fewer bytes than the header says are encrypted.
        SecurityError: ``missing_key``, ``bad_key``, ``wrong_key``, ``bad_mac``, ``unsupported_mode``.
    """
    header, signed = payload.header, payload.signed
    if signed and header.mode != AES_CBC_DERIVED:
        raise unsupported(header, "an authentication code beside this mode is not read")
    if header.mode == NO_SECURITY:
        return as_received(payload)
    if header.mode == AES_CCM:
        return ccm.open_ccm(payload)
    if real_data.applies(payload.data, header):
        return real_data.open_real_data(payload)
    if header.mode not in _MARKED_MODES:
        raise unsupported(header, _WHY_NOT.get(header.mode, "a reserved mode"))
    if header.encrypted and is_marked(payload.data, header):
        return _open_marked(payload)
    if header.encrypted == 0 and not signed:
        return as_received(payload)
    return _decrypt(payload)


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
    arrived = as_received(payload)
    clean = not arrived.walk.faults
    whole = len(payload.data) >= payload.header.end + payload.header.encrypted
    return arrived._replace(verified=clean and whole, doubtful=not clean)


def _decrypt(payload: Payload) -> Opened:
    return _OPENERS[payload.header.mode](payload)


def _refuse_dated(payload: Payload) -> Opened:
    """Mode 3."""
    raise unsupported(payload.header, _WHY_NOT[DES_CBC_DATED])


def _open_des(payload: Payload) -> Opened:
    """Mode 2: DES-CBC, IV 0."""
    data, start, end = payload.data, payload.header.end, encrypted_end(payload)
    if (end - start) % BLOCK_DES:
        raise unsupported(payload.header, "the encrypted bytes are no whole blocks")
    keys = usable(payload.keys(), start, BLOCK_DES)
    return first_that_reads(
        payload, (data[:start] + decrypt_des(key, data[start:end]) + data[end:] for key in keys)
    )


def _open_cbc(payload: Payload) -> Opened:
    """Mode 5. Diehl meters without a key of their own have a published one."""
    iv = cbc_iv(payload.address, payload.header.access or 0)
    keys = payload.keys()
    if not keys and real_data.of_the_family(payload.address):
        try:
            return first_that_reads(payload, (_clear(payload, key, iv) for key in (DEFAULT_AES_KEY,)))
        except SecurityError:
            pass  # it has a key of its own, then
    fitting = usable(keys, payload.header.end)
    return first_that_reads(payload, (_clear(payload, key, iv) for key in fitting))


def _clear(payload: Payload, key: bytes, iv: bytes) -> bytes:
    """Decrypt the blocks the header counts; what follows them is in clear already."""
    data, start, end = payload.data, payload.header.end, encrypted_end(payload)
    return data[:start] + decrypt_cbc(key, iv, data[start:end]) + data[end:]


# --- mode 7 --------------------------------------------------------------------------------------


def _open_derived(payload: Payload) -> Opened:
    check_derivation(payload)
    keys = usable(payload.keys(), payload.header.end)
    if not payload.signed:
        derived = (_derived(payload, key, ENCRYPTION) for key in keys)
        return first_that_reads(payload, (_clear(payload, key, NO_IV) for key in derived))
    key = _key_of_mac(payload, keys)
    clear = _clear(payload, _derived(payload, key, ENCRYPTION), NO_IV)
    encrypted = payload.header.encrypted > 0
    return Opened(clear, payload.read(clear), encrypted=encrypted, verified=True, authenticated=True)


def _derived(payload: Payload, key: bytes, purpose: bytes) -> bytes:
    """Derive the key of one purpose, or take the meter's own where the header says so."""
    if payload.header.derivation != KDF_A:
        return key
    return derive(key, purpose, payload.counter, payload.address[2:6])


def _key_of_mac(payload: Payload, keys: Sequence[bytes]) -> bytes:
    """Find the meter's key that gives the MAC."""
    afl = payload.afl
    if afl is None or afl.algorithm not in _CMAC_TYPES:
        raise unsupported(payload.header, "this authentication type is not read")
    message = afl.authenticated(payload.data[payload.header.start :])
    for key in keys:
        code = cmac(_derived(payload, key, MAC), message)
        if constant_time.bytes_eq(code[: MAC_SIZES[afl.algorithm]], afl.mac):
            return key
    raise bad_mac(len(keys), afl.start)


_OPENERS: Mapping[int, Callable[[Payload], Opened]] = {
    DES_CBC: _open_des,
    DES_CBC_DATED: _refuse_dated,
    AES_CBC: _open_cbc,
    AES_CBC_DERIVED: _open_derived,
}
