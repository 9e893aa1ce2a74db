"""Record layouts: the headers of a telegram's records, found again by their checksum.

A layout is told as its bytes: all DIBs and VIBs of the records, in order (EN 13757-3:2018, annex G).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence

from decoders.telegram import Record
from decoders.wmbus.crc import crc16
from decoders.wmbus.header import describe, header_end
from decoders.wmbus.vib import HeaderFault
from metering.errors import InvalidValue
from metering.meter import MeterId

__all__ = ["Layouts", "headers_of", "signature_of", "split_headers"]

_KINDS = 4096
_COLLIDING = 4
_SPECIAL = 0x0F

Kind = tuple[str, str, str]
"""Manufacturer, version, device type: meters of one kind share their layouts."""


class Layouts:
    """The layouts known so far, found by signature.

    One learnt from a telegram counts for meters of the same kind; one known beforehand counts for all. Beyond
    the limit the older half of what was learnt is forgotten at once. What counts is when a layout was learnt,
    never how often it is seen or asked: so a stream, whose quick way passes this registry by, knows at every
    telegram what one without a quick way would know. One object may serve several threads as long as one at a
    time uses it.

    Args:
        known: layouts known beforehand.
        limit: how many pairs of kind and signature are kept.

    Raises:
        InvalidValue: a layout known beforehand is not made of record headers.
    """

    def __init__(self, known: Iterable[bytes] = (), *, limit: int = _KINDS) -> None:
        self._limit = limit
        self._forgetting: list[Callable[[], None]] = []
        self._known: dict[int, list[bytes]] = {}
        self._learnt: dict[tuple[Kind, int], tuple[bytes, ...]] = {}
        for headers in known:
            if not split_headers(headers):
                raise InvalidValue(f"{headers.hex().upper()} are not headers of records")
            self._known.setdefault(signature_of(headers), []).append(headers)

    def copy(self) -> Layouts:
        """Give another registry that knows the same and learns by itself."""
        other = Layouts(limit=self._limit)
        other._known = {signature: [*layouts] for signature, layouts in self._known.items()}
        other._learnt = dict(self._learnt)
        return other

    def __len__(self) -> int:
        return sum(map(len, self._learnt.values())) + sum(map(len, self._known.values()))

    def learn(self, meter: MeterId, headers: bytes) -> None:
        """Remember the headers of a full frame or of a format frame; the newest is asked first."""
        signature = signature_of(headers)
        if not headers or headers in self._known.get(signature, ()):
            return
        key = (_kind(meter), signature)
        others = self._learnt.get(key, ())
        if headers not in others:
            self._learnt[key] = (headers, *others[: _COLLIDING - 1])
            if len(self._learnt) > self._limit or len(others) == _COLLIDING:
                self._forget()

    def on_forgetting(self, hear: Callable[[], None]) -> None:
        """Have something called whenever layouts were forgotten, and must be learnt anew."""
        self._forgetting.append(hear)

    def _forget(self) -> None:
        if len(self._learnt) > self._limit:
            for key in list(self._learnt)[: self._limit // 2]:
                del self._learnt[key]
        for hear in self._forgetting:
            hear()

    def learnt(self) -> Iterator[tuple[Kind, bytes]]:
        """Give what was learnt, the newest of a kind last."""
        for (kind, _), layouts in self._learnt.items():
            for headers in reversed(layouts):
                yield kind, headers

    def find(self, meter: MeterId, signature: int) -> Iterator[bytes]:
        """Give the headers with this signature, those of the meter's own kind first."""
        yield from self._learnt.get((_kind(meter), signature), ())
        yield from self._known.get(signature, ())


def headers_of(records: Sequence[Record]) -> bytes:
    """Give the layout of these records."""
    return b"".join([record.dib + record.vib for record in records])


@functools.lru_cache(maxsize=4096)
def signature_of(headers: bytes) -> int:
    """Give the signature; it is sent low byte first."""
    return crc16(headers)


@functools.lru_cache(maxsize=1024)
def split_headers(headers: bytes) -> tuple[bytes, ...]:
    """Cut a layout into the headers of its records; empty if it is none."""
    found, at = [], 0
    while at < len(headers):
        end = _end(headers, at)
        if end is None:
            return ()
        found.append(headers[at:end])
        at = end
    return tuple(found)


def _end(headers: bytes, at: int) -> int | None:
    """Say where the header at this place ends; ``None`` if there is none."""
    if headers[at] & _SPECIAL == _SPECIAL:
        return None
    try:
        end = header_end(headers, at)
        describe(headers[at:end])
    except (IndexError, HeaderFault):
        return None
    return end if end <= len(headers) else None


def _kind(meter: MeterId) -> Kind:
    return meter.manufacturer, meter.version, meter.device_type
