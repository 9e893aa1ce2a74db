"""Security mode 10: AES-128-CCM with a key derived from a message counter (OMS Vol. 2, profile D).

The nonce is address, 00, counter high byte first; the authenticated bytes are the transport header from its
CI field to before the counter; the tag stands at the end of the frame. A tag that fits proves key and bytes,
so no ``2F2F`` is needed, and a payload that came decrypted cannot be told from an encrypted one.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from decoders.errors import LayerError
from decoders.wmbus.ciphers import ENCRYPTION, derive
from decoders.wmbus.sealed import Opened, Payload, bad_mac, check_derivation, unsupported, usable
from decoders.wmbus.transport import KDF_A

__all__ = ["nonce", "open_ccm", "seal"]

_TAG_SIZES = (4, 8, 12, 16)
_USUAL_TAG = 8
_ALL = 0xFF
"""Number of encrypted bytes that stands for all of them."""


def nonce(address: bytes, counter: bytes) -> bytes:
    """Give the nonce, 13 bytes, of an address in link order and a counter as transmitted."""
    return address + b"\x00" + counter[::-1]


def seal(key: bytes, once: bytes, plain: bytes, authenticated: bytes) -> tuple[bytes, bytes]:
    """Encrypt; gives the ciphertext and a tag of eight bytes."""
    sealed = AESCCM(key, _USUAL_TAG).encrypt(once, plain, authenticated)
    return sealed[:-_USUAL_TAG], sealed[-_USUAL_TAG:]


def open_ccm(payload: Payload) -> Opened:
    """Decrypt and check the tag.

    Raises:
        LayerError: ``truncated``.
        SecurityError: ``missing_key``, ``bad_key``, ``bad_mac``; ``unsupported_mode`` without a counter.
    """
    header, data = payload.header, payload.data
    if not payload.counter or not header.encrypted:
        raise unsupported(header, "no message counter, or nothing encrypted")
    check_derivation(payload)
    size = _TAG_SIZES[header.extension[1] & 3]
    end = len(data) - size
    sealed_end = end if header.encrypted == _ALL else header.end + header.encrypted
    if sealed_end > end or end < header.end:
        raise LayerError(
            "truncated",
            f"{header.encrypted} encrypted bytes and a tag of {size} are announced",
            offset=len(data),
            evidence={"encrypted": header.encrypted, "tag": size, "received": len(data) - header.end},
        )
    keys = usable(payload.keys(), header.end)
    for key in keys:
        clear = _decrypted(payload, key, data[header.end : sealed_end] + data[end:], size)
        if clear is not None:
            opened = data[: header.end] + clear + data[sealed_end:end]
            walk = payload.read(opened)
            return Opened(opened, walk, encrypted=True, verified=True, authenticated=True, tag=size)
    raise bad_mac(len(keys), end)


def _decrypted(payload: Payload, key: bytes, sealed: bytes, size: int) -> bytes | None:
    """Give the plain bytes, or ``None`` if the tag does not fit."""
    header = payload.header
    authenticated = payload.data[header.start : header.end - len(header.counter)]
    if header.derivation == KDF_A:
        key = derive(key, ENCRYPTION, payload.counter, payload.address[2:6])
    try:
        return AESCCM(key, size).decrypt(nonce(payload.address, payload.counter), sealed, authenticated)
    except InvalidTag:
        return None
