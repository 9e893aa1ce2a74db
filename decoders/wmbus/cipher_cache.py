"""AES with its key schedules kept: a stream asks for the same few keys again and again.

Setting a cipher up costs many times what a telegram's blocks do. The bare block cipher has no state between
calls and can be kept; what CBC and CTR do around it are exclusive ors over the whole message. A cache belongs
to one thread.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from decoders.wmbus.ciphers import BLOCK

__all__ = ["CipherCache"]

_FRAME_BLOCKS = 16
_COUNTERS = tuple(number.to_bytes(3, "big") for number in range(_FRAME_BLOCKS))


class CipherCache:
    """Block ciphers by key; at most ``most`` of each direction, the oldest leave first.

    Keys and schedules are secret: nothing here is ever printed.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._decryptors: dict[bytes, CipherContext] = {}
        self._encryptors: dict[bytes, CipherContext] = {}

    def decrypt_cbc(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """AES-128-CBC over whole blocks."""
        bare = (self._decryptors.get(key) or self._decryptor(key)).update(data)
        return _xor(bare, iv + data[:-BLOCK])

    def xor_ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        """AES-128-CTR, both directions, of at most sixteen blocks; the counter ends in three zero bytes."""
        head = counter[:-3]
        blocks = b"".join([head + number for number in _COUNTERS[: -(-len(data) // BLOCK)]])
        stream = (self._encryptors.get(key) or self._encryptor(key)).update(blocks)
        return _xor(stream[: len(data)], data)

    def _decryptor(self, key: bytes) -> CipherContext:
        return _kept(self._decryptors, key, _bare(key).decryptor(), self._most)

    def _encryptor(self, key: bytes) -> CipherContext:
        return _kept(self._encryptors, key, _bare(key).encryptor(), self._most)


def _bare(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  the chaining is done here, see above


def _kept(cache: dict[bytes, CipherContext], key: bytes, made: CipherContext, most: int) -> CipherContext:
    if len(cache) >= most:
        del cache[next(iter(cache))]
    cache[key] = made
    return made


def _xor(left: bytes, right: bytes) -> bytes:
    mixed = int.from_bytes(left, "little") ^ int.from_bytes(right, "little")
    return mixed.to_bytes(len(left), "little")
