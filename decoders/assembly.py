"""Messages longer than one frame: fragments and telegrams that say "more follows" are put together.

There are two ways to be longer. The authentication and fragmentation layer numbers *fragments* of one
transport message (EN 13757-7); none can be read alone, and code and length cover the whole. DIF ``1F`` ends a
whole *telegram* whose records continue in the next one (EN 13757-3); each can be read alone.

Nothing here knows the time: what never becomes whole is forgotten when others need its place, and
:meth:`Assembly.waiting` says what is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from decoders.decode import decode_frame
from decoders.errors import DecodeError, LayerError
from decoders.telegram import Keys, Record, Telegram, no_keys
from decoders.wmbus import afl, link
from decoders.wmbus.layers import KeysOnce, Layers, begin, read_headers
from decoders.wmbus.layouts import Layouts
from metering.meter import MeterId

__all__ = ["Assembly", "fragment_of"]

_MOST_WAITING = 1024
_LONGEST = 16384
"""Bytes of a message (EN 13757-7)."""
_LONGEST_L = 255
_ROUND = 256
_SESSION_AND_CRC = 6

_Sender = tuple[bytes, bytes]
"""Link-layer address and receiver's address: fragments of one message have both in common."""


@dataclass(slots=True)
class _Fragments:
    """Fragments of one message by number, as far as heard."""

    parts: dict[int, Layers] = field(default_factory=dict)

    def add(self, number: int, part: Layers) -> None:
        """Take one more; another content under a known number begins another message."""
        known = self.parts.get(number)
        if known is not None and known.data != part.data:
            self.parts.clear()
        self.parts[number] = part

    def whole(self) -> list[Layers]:
        """Give all parts in order if none is missing; nothing otherwise."""
        ordered = [self.parts[number] for number in sorted(self.parts)]
        last = ordered[-1].afl
        complete = [*sorted(self.parts)] == [*range(1, len(ordered) + 1)]
        return ordered if complete and last is not None and not last.more else []

    def size(self) -> int:
        """Count the bytes held."""
        return sum(len(part.data) for part in self.parts.values())


class Assembly:
    """Takes frames as they come and gives whole telegrams.

    Args:
        keys: gives the keys to try for a meter.
        layouts: record layouts known so far, for compact frames.
        limit: how many unfinished messages are kept; the one begun first goes first.
    """

    def __init__(
        self, keys: Keys = no_keys, layouts: Layouts | None = None, *, limit: int = _MOST_WAITING
    ) -> None:
        self._keys = keys
        self._layouts = layouts
        self._limit = limit
        self._fragments: dict[_Sender, _Fragments] = {}
        self._continued: dict[MeterId, list[Telegram]] = {}

    def take(self, frame: bytes) -> Telegram | None:
        """Take one frame.

        A telegram made of fragments has a frame longer than any on air: the link layer of the first
        fragment, one authentication layer, and the whole message; its L field is FF where that does not
        fit. In one made of several telegrams, frame and plain bytes are theirs one after another, and a
        record's offset counts from the L field of the telegram that brought it.

        Returns:
            The telegram once it is whole, at once if it is in one piece; ``None`` while parts are missing,
            or if this frame was heard already.

        Raises:
            DecodeError: this frame does not decode, or the whole message does not; what was held of the
                message is forgotten then.
        """
        return self.take_frame(link.normalise(frame))

    def take_frame(self, tidy: link.Frame) -> Telegram | None:
        """Take what :func:`decoders.wmbus.link.normalise` gave; otherwise as :meth:`take`."""
        try:
            telegram = decode_frame(tidy, self._keys, self._layouts)
        except LayerError as error:
            if error.code != "fragment" or tidy.wired or not error.evidence["fragment"]:
                raise
            whole = self._with_others(tidy)
            if whole is None:
                return None
            telegram = decode_frame(whole, self._keys, self._layouts)
        return self.unite(telegram)

    def waiting(self) -> int:
        """Count unfinished messages."""
        return len(self._fragments) + len(self._continued)

    # --- fragments -------------------------------------------------------------------------------

    def _with_others(self, frame: link.Frame) -> link.Frame | None:
        """Add a fragment; give the whole message if this was the last one missing."""
        part = _opened(frame, self._keys)
        layer = _layer(part)
        sender = (part.address, part.ell.receiver or b"" if part.ell else b"")
        fragments = self._fragments.setdefault(sender, _Fragments())
        fragments.add(layer.fragment, part)
        if fragments.size() > _LONGEST:
            del self._fragments[sender]
            raise LayerError(
                "bad_length", f"the fragments have more than {_LONGEST} bytes", offset=layer.start
            )
        whole = fragments.whole()
        if whole:
            del self._fragments[sender]
            return _joined(whole)
        _forget(self._fragments, self._limit)
        return None

    # --- more records follow ---------------------------------------------------------------------

    def unite(self, telegram: Telegram) -> Telegram | None:
        """Add a telegram to those it continues; give all of them if it is the last."""
        before = self._continued.pop(telegram.meter, [])
        if before and telegram.frame == before[-1].frame:
            self._continued[telegram.meter] = before
            return None
        parts = [*before, telegram] if before and _follows(telegram, before[-1]) else [telegram]
        if not telegram.more_follows:
            return _united(parts) if len(parts) > 1 else telegram
        if sum(len(part.frame) for part in parts) <= _LONGEST:
            self._continued[telegram.meter] = parts
            _forget(self._continued, self._limit)
        return None


def fragment_of(frame: link.Frame, keys: Keys = no_keys) -> tuple[int, bool]:
    """Give the number of a fragment, from 1, and whether more follow.

    Raises:
        DecodeError: the frame is no fragment, or what stands before its authentication layer cannot be read.
    """
    layer = _layer(_opened(frame, keys))
    if not layer.fragment:
        raise LayerError("unsupported_layer", "this frame is a whole message", offset=layer.start)
    return layer.fragment, layer.more


def _opened(frame: link.Frame, keys: Keys) -> Layers:
    """Read a fragment up to its authentication layer, an encrypted link layer opened."""
    layers = begin(frame)
    try:
        read_headers(layers, KeysOnce(keys))
    except DecodeError:
        if layers.afl is None:
            raise
    return layers


def _layer(part: Layers) -> afl.Afl:
    if part.afl is None:  # read_headers gave it: it is why the frame is a fragment
        raise LayerError("unsupported_layer", "a fragment without its layer")
    return part.afl


def _joined(parts: Sequence[Layers]) -> link.Frame:
    """Write the message as if it had come in one frame.

    Raises:
        LayerError: ``bad_length`` if the length the first fragment announces is another.
    """
    layers = [_layer(part) for part in parts]
    first = layers[0]
    message = b"".join(part.data[layer.end :] for part, layer in zip(parts, layers, strict=True))
    length = next((layer.length for layer in layers if layer.length), b"")
    if length and int.from_bytes(length, "little") != len(message):
        raise LayerError(
            "bad_length",
            "the fragments are not as long as the message says",
            offset=first.start,
            evidence={"announced": int.from_bytes(length, "little"), "received": len(message)},
        )
    whole = afl.write(
        control=first.control,
        key_information=first.key_information,
        counter=first.counter,
        mac=next((layer.mac for layer in reversed(layers) if layer.mac), b""),
        length=length,
    )
    body = _head(parts[0], first.start)[1:] + whole + message
    return link.Frame(bytes((min(len(body), _LONGEST_L),)) + body)


def _head(part: Layers, end: int) -> bytes:
    """Give the bytes before the authentication layer, without what protects this fragment alone.

    Encryption and checksum of the extended link layer cover one fragment each; they were opened and checked,
    and do not cover the message. The layer is written as the shorter one with the same addresses.
    """
    data, ell = part.data, part.ell
    if ell is None or ell.session is None:
        return data[:end]
    return data[: ell.start] + bytes((ell.ci - 1,)) + data[ell.start + 1 : end - _SESSION_AND_CRC]


def _follows(telegram: Telegram, before: Telegram) -> bool:
    """Whether a telegram is the next one: its access number is, if the meter counts."""
    if telegram.access is None or before.access is None:
        return True
    return telegram.access == (before.access + 1) % _ROUND


def _united(parts: Sequence[Telegram]) -> Telegram:
    """Make one telegram of several: the first one's headers, everyone's records, proved if all are."""
    first = parts[0]
    security = replace(
        first.security,
        verified=all(part.security.verified for part in parts),
        authenticated=all(part.security.authenticated for part in parts),
    )
    return replace(
        first,
        frame=b"".join(part.frame for part in parts),
        security=security,
        records=_numbered([record for part in parts for record in part.records]),
        manufacturer_data=b"".join(part.manufacturer_data for part in parts),
        more_follows=False,
        plain=b"".join(part.plain for part in parts),
        faults=tuple(fault for part in parts for fault in part.faults),
    )


def _numbered(records: Sequence[Record]) -> tuple[Record, ...]:
    """Count records of one register over all telegrams."""
    seen = Counter[str]()
    counted = []
    for record in records:
        key = replace(record, occurrence=0).register.key
        counted.append(replace(record, occurrence=seen[key]))
        seen[key] += 1
    return tuple(counted)


def _forget(waiting: dict[Any, Any], limit: int) -> None:
    """Drop what was begun first."""
    if len(waiting) > limit:
        del waiting[next(iter(waiting))]
