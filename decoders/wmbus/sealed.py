"""What a payload is to whoever opens it, and how opening fails (EN 13757-7, OMS Vol. 2).

Shared by the security modes (:mod:`decoders.wmbus.security` and the files it calls). Key material never
enters an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from decoders.errors import LayerError, SecurityError
from decoders.wmbus.afl import Afl
from decoders.wmbus.ciphers import BLOCK
from decoders.wmbus.records import Walk
from decoders.wmbus.transport import KDF_A, TransportHeader

__all__ = [
    "MARK",
    "Opened",
    "Payload",
    "as_received",
    "bad_mac",
    "check_derivation",
    "encrypted_end",
    "first_that_reads",
    "is_marked",
    "unsupported",
    "usable",
    "wrong_key",
]

MARK = b"\x2f\x2f"
"""Two fillers: the first plain bytes of security modes 2, 3, 5 and 7, and their only check of the key."""


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
        tag: bytes of the authentication tag behind the payload; they are no part of ``data``.
    """

    data: bytes
    walk: Walk
    encrypted: bool = False
    verified: bool = False
    authenticated: bool = False
    doubtful: bool = False
    tag: int = 0


def is_marked(data: bytes, header: TransportHeader) -> bool:
    """Whether the payload begins with ``2F2F``."""
    return data[header.end : header.end + 2] == MARK


def as_received(payload: Payload) -> Opened:
    """Take the payload as it came."""
    return Opened(payload.data, payload.read(payload.data))


def first_that_reads(payload: Payload, attempts: Iterator[bytes]) -> Opened:
    """Take the first frame that has ``2F2F`` and clean records; else one that has ``2F2F``, as doubtful.

    Args:
        payload: what is to be opened.
        attempts: the frame as each key decrypts it.

    Raises:
        SecurityError: ``wrong_key``.
    """
    doubtful = None
    tried = 0
    for clear in attempts:
        tried += 1
        if not is_marked(clear, payload.header):
            continue
        opened = Opened(clear, payload.read(clear), encrypted=True, verified=True)
        if _is_clean(opened, encrypted_end(payload)):
            return opened
        doubtful = doubtful or opened._replace(verified=False, doubtful=True)
    if doubtful is None:
        raise wrong_key(tried, payload.header.end)
    return doubtful


def _is_clean(opened: Opened, end: int) -> bool:
    """Whether what was decrypted is records and nothing but records; left-over bytes may follow it."""
    walk = opened.walk
    return not walk.faults and len(opened.data) - len(walk.leftover) >= end


def encrypted_end(payload: Payload) -> int:
    """Say where the encrypted bytes end that the header counts.

    Raises:
        LayerError: ``truncated``.
    """
    header, size = payload.header, len(payload.data)
    end = header.end + header.encrypted
    rest = size - header.end
    if end <= size:
        return end
    if header.all_the_rest and rest % BLOCK == 0:
        return size
    raise LayerError(
        "truncated",
        f"{header.encrypted} bytes are encrypted, {rest} came",
        offset=size,
        evidence={"encrypted": header.encrypted, "received": rest},
    )


def check_derivation(payload: Payload) -> None:
    """Refuse keys derived in a way this decoder does not know, or from a counter that is not there.

    Raises:
        SecurityError: ``unsupported_mode``.
    """
    derivation = payload.header.derivation
    if derivation > KDF_A:
        raise unsupported(payload.header, "this key derivation is not read")
    if derivation == KDF_A and not payload.counter:
        raise unsupported(payload.header, "no message counter to derive the key from")


# --- how it fails --------------------------------------------------------------------------------


def usable(keys: Sequence[bytes], offset: int, size: int = BLOCK) -> list[bytes]:
    """Keep keys of the right length.

    Raises:
        SecurityError: ``missing_key`` if there is no key, ``bad_key`` if none has the length.
    """
    if not keys:
        raise SecurityError("missing_key", "encrypted, and no key is known", offset=offset)
    fitting = [key for key in keys if len(key) == size]
    if not fitting:
        evidence: dict[str, str | int] = {"keys": len(keys), "length": len(keys[0])}
        raise SecurityError("bad_key", f"a key has {size} bytes", offset=offset, evidence=evidence)
    return fitting


def wrong_key(tried: int, offset: int) -> SecurityError:
    """Say that no key fits."""
    said = f"none of {tried} key(s) fits"
    return SecurityError("wrong_key", said, offset=offset, evidence={"keys_tried": tried})


def bad_mac(tried: int, offset: int) -> SecurityError:
    """Say that no key gives the authentication code."""
    return SecurityError(
        "bad_mac",
        "the authentication code does not match: wrong key or altered telegram",
        offset=offset,
        evidence={"keys_tried": tried},
    )


def unsupported(header: TransportHeader, why: str) -> SecurityError:
    """Say that this mode, or this form of it, is not read."""
    return SecurityError(
        "unsupported_mode",
        f"security mode {header.mode}: {why}",
        offset=header.end,
        evidence={"mode": header.mode, "configuration": header.configuration},
    )
