"""Link encryption: AES-128-CTR of the extended link layer, proved by the payload CRC inside (EN 13757-4)."""

from __future__ import annotations

from collections.abc import Sequence

from decoders.wmbus.ci import CI, Content
from decoders.wmbus.ciphers import counter_block, xor_ctr
from decoders.wmbus.ell import Ell, crc_fits
from decoders.wmbus.sealed import usable, wrong_key

__all__ = ["link_is_clear", "open_link"]

_NEVER_BEHIND_ELL = frozenset({Content.RESERVED, Content.COMMAND, Content.OTHER_PROTOCOL, Content.ELL})


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
    fitting = usable(keys, ell.crc_at)
    addresses = [address] if ell.receiver is None else [address, ell.receiver]
    blocks = [counter_block(candidate, ell.communication, ell.session or b"") for candidate in addresses]
    head, body = data[: ell.crc_at], data[ell.crc_at :]
    for key in fitting:
        for block in blocks:
            clear = head + xor_ctr(key, block, body)
            if link_is_clear(clear, ell):
                return clear
    raise wrong_key(len(fitting), ell.crc_at)
