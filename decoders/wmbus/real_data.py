"""What the Diehl family calls real data: records behind CI 7A, scrambled, security modes 16 to 31.

The byte before the records holds seven bits of their sum; bit 4 is not among them. That finds the key, but
it proves too little to call a telegram verified: an altered bit 4 passes. Scrambling is described in
:mod:`decoders.wmbus.diehl`.
"""

from __future__ import annotations

from collections.abc import Iterator

from decoders.errors import SecurityError
from decoders.wmbus.address import identity
from decoders.wmbus.diehl import PUBLISHED_KEYS, unscramble
from decoders.wmbus.link import DIEHL
from decoders.wmbus.sealed import Opened, Payload, as_received, wrong_key
from decoders.wmbus.transport import TransportHeader

__all__ = ["applies", "in_clear", "of_the_family", "open_real_data"]

_CI, _CI_AT, _SUM_AT, _RECORDS_AT = 0x7A, 10, 14, 15
_CONTROLS = frozenset({0x44, 0x46})
_SUM_BITS = 0xEF
_KEY = 8


def of_the_family(address: bytes) -> bool:
    """Whether eight bytes in link order are the address of a meter of the Diehl family."""
    meter = identity(address)
    return meter is not None and meter.manufacturer in DIEHL


def applies(data: bytes, header: TransportHeader) -> bool:
    """Whether the payload is real data."""
    return (
        header.mode >= 16
        and header.start == _CI_AT
        and header.ci == _CI
        and data[1] & 0x7F in _CONTROLS
        and of_the_family(data[2:10])
    )


def in_clear(data: bytes, header: TransportHeader) -> bool:
    """Whether the records are in clear as received: their sum is that of the header."""
    return _fits(data, data[header.end :])


def open_real_data(payload: Payload) -> Opened:
    """Unscramble, unless it came in clear, and read the records.

    Keys given are tried before the published ones; of a key the first eight bytes count.

    Raises:
        SecurityError: ``missing_key`` if only the published keys were tried, ``wrong_key``.
    """
    arrived = as_received(payload)
    if in_clear(payload.data, payload.header) and not arrived.walk.faults:
        return arrived
    given = payload.keys()
    own = [key for key in given if len(key) >= _KEY]
    for clear in _attempts(payload, [*own, *PUBLISHED_KEYS]):
        opened = Opened(clear, payload.read(clear), encrypted=True)
        if not opened.walk.faults:
            return opened
    if own:
        raise wrong_key(len(own) + len(PUBLISHED_KEYS), payload.header.end)
    said = "scrambled, and no key is known; the published ones do not fit"
    raise SecurityError("missing_key", said, offset=payload.header.end)


def _attempts(payload: Payload, keys: list[bytes]) -> Iterator[bytes]:
    """Give the frame as each key unscrambles it, if its sum fits then."""
    data = payload.data
    for key in keys:
        clear = unscramble(data, key)
        if _fits(data, clear):
            yield data[:_RECORDS_AT] + clear


def _fits(data: bytes, records: bytes) -> bool:
    return not (sum(records) ^ data[_SUM_AT]) & _SUM_BITS
