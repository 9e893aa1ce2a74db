"""Ciphers, codes and derivations, and the blocks of bytes that go into them.

AES, and DES for meters that know nothing better, always from the ``cryptography`` library. Source: EN 13757-4
(link encryption), EN 13757-7 and OMS Vol. 2 (security modes 2, 5 and 7).
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

__all__ = [
    "BLOCK",
    "BLOCK_DES",
    "ENCRYPTION",
    "MAC",
    "NO_IV",
    "cbc_iv",
    "cmac",
    "counter_block",
    "decrypt_cbc",
    "decrypt_des",
    "derive",
    "encrypt_cbc",
    "encrypt_des",
    "xor_ctr",
]

BLOCK = 16
"""Bytes of a block, and of a key."""

BLOCK_DES = 8
"""Bytes of a block of DES, and of its key."""

NO_IV = bytes(BLOCK)
"""Initialisation vector of mode 7, whose key serves one message only."""

ENCRYPTION, MAC = b"\x00", b"\x01"
"""Derivation constants of the keys for what a meter sends."""

_WITHOUT_HOP_AND_REPEAT = 0xED


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC-128 of the message, 16 bytes."""
    code = CMAC(algorithms.AES(key))
    code.update(message)
    return code.finalize()


def decrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-128-CBC over whole blocks."""
    return Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor().update(data)


def encrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-128-CBC over whole blocks."""
    return Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor().update(data)


def decrypt_des(key: bytes, data: bytes) -> bytes:
    """DES-CBC over whole blocks, IV 0."""
    return _des(key).decryptor().update(data)


def encrypt_des(key: bytes, data: bytes) -> bytes:
    """DES-CBC over whole blocks, IV 0."""
    return _des(key).encryptor().update(data)


def _des(key: bytes) -> Cipher[modes.CBC]:
    """Give single DES: triple DES whose three keys are one."""
    return Cipher(TripleDES(key * 3), modes.CBC(bytes(BLOCK_DES)))


def xor_ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """AES-128-CTR, both directions."""
    return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(data)


def derive(key: bytes, purpose: bytes, counter: bytes, number: bytes) -> bytes:
    """KDF-A (OMS Vol. 2): the key of one message out of the meter's key.

    Args:
        key: the meter's key.
        purpose: :data:`ENCRYPTION` or :data:`MAC`.
        counter: message counter as transmitted, four bytes.
        number: identification number of the meter as transmitted, four bytes.
    """
    return cmac(key, purpose + counter + number + b"\x07" * 7)


def cbc_iv(address: bytes, access: int) -> bytes:
    """Initialisation vector of mode 5: address in link order as sent, eight times the access number."""
    return address + bytes((access,)) * 8


def counter_block(address: bytes, communication: int, session: bytes) -> bytes:
    """Initial counter of the link encryption: address, CC, SN, frame number 0, block number 0.

    A repeater sets the hop and repeat bits of CC on the way; they do not enter.
    """
    return address + bytes((communication & _WITHOUT_HOP_AND_REPEAT,)) + session + bytes(3)
