"""A decoder for streams: gives what :func:`decoders.decode` gives, faster, because it remembers layouts.

The function decodes each telegram from nothing. Here layouts and key schedules are kept, both bounded, so
that memory stays flat whatever is on the air. One decoder belongs to one thread.
"""

from __future__ import annotations

from typing import NamedTuple

from decoders.decode import decode_frame
from decoders.layout import TelegramLayout
from decoders.layout_learning import learn, learn_own
from decoders.lengths import left_over
from decoders.opening import AS_RECEIVED, Opening, opening_of
from decoders.own_payload import own_payload
from decoders.telegram import Keys, Telegram, no_keys
from decoders.wmbus import link, wired
from decoders.wmbus.cipher_cache import CipherCache
from decoders.wmbus.layers import KeysOnce, begin, read_headers
from decoders.wmbus.layouts import Layouts
from decoders.wmbus.no_checksums import Masks, masks_of, may_hold

__all__ = ["Decoder", "Fit"]

_MOST_LAYOUTS = 2048
"""Kinds of meters, times the forms their telegrams take: a city has some hundred."""
_MOST_ALIKE = 16
"""Layouts with the same start; of more, the oldest leave."""
_SHORTEST = 10  # bytes of a frame

Fit = tuple[TelegramLayout, bytes, bytes]
"""A frame whose layout is known: the layout, the frame without checksums, the same in clear."""


class _Way(NamedTuple):
    """How frames are opened, and the layouts they then may have."""

    opening: Opening
    layouts: list[TelegramLayout]


class _Kind(NamedTuple):
    """Frames with the same start: those of one kind of meter, of one length."""

    masks: Masks
    ways: list[_Way]

    def __len__(self) -> int:
        return sum(len(way.layouts) for way in self.ways)


class Decoder:
    """Decodes a stream.

    Args:
        layouts: layouts of compact frames, learnt and asked; see :func:`decoders.decode`.
        most: how many telegram layouts are kept; those not used for long leave first.
    """

    def __init__(self, layouts: Layouts | None = None, *, most: int = _MOST_LAYOUTS) -> None:
        self._compact = layouts
        self._most = most
        self._count = 0
        self._kinds: dict[bytes, _Kind] = {}
        self._ciphers = CipherCache()
        self._last: tuple[bytes | None, link.Frame] = None, link.Frame(b"")
        if layouts is not None:
            layouts.on_forgetting(self._begin_anew)

    def __len__(self) -> int:
        """Count the telegram layouts known."""
        return self._count

    def decode(self, frame: bytes, keys: Keys = no_keys) -> Telegram:
        """Decode one frame as received; see :func:`decoders.decode` for arguments, result and errors."""
        once = KeysOnce(keys)
        fit = self._fit_bare(frame, once)
        return _telegram(fit) if fit and not fit[0].own else self._frame(self._normalised(frame), once)

    def decode_frame(self, frame: link.Frame, keys: Keys = no_keys) -> Telegram:
        """Decode what :func:`decoders.wmbus.link.normalise` gave; otherwise as :meth:`decode`."""
        return self._frame(frame, KeysOnce(keys))

    def fit(self, frame: bytes, keys: Keys = no_keys) -> Fit | None:
        """Find the layout of a frame as received; ``None`` if it is not known, or the full walk must decide.

        Where the layout is one of headers only (``own``), :meth:`decode` would refuse the frame.

        Raises:
            FrameError: the link layer does not hold together.
            LayerError: a wired frame without data.
        """
        return self._fit_bare(frame, keys) or self._fit_frame(self._normalised(frame), keys)

    def fit_own(self, frame: bytes) -> Fit | None:
        """Learn the layout of a frame as received whose payload is the manufacturer's own.

        Returns:
            ``None`` for all other frames; see :func:`decoders.own_payload.own_payload`.

        Raises:
            FrameError: the link layer does not hold together.
        """
        normal = self._normalised(frame)
        telegram = own_payload(normal)
        if telegram is None:
            return None
        layout = learn_own(telegram)
        self._keep(_start(normal), len(normal.data), AS_RECEIVED, layout)
        return layout, normal.data, normal.data

    def _normalised(self, raw: bytes) -> link.Frame:
        """Bring a frame to its one form; whoever finds no fit asks again at once."""
        if raw != self._last[0]:
            self._last = raw, link.Frame(raw) if _surely_bare(raw) else link.normalise(raw)
        return self._last[1]

    def _fit_bare(self, raw: bytes, keys: Keys) -> Fit | None:
        """Fit a frame that came without checksums and with its true length."""
        kind = self._kinds.get(raw[:4] + raw[8:11])
        if kind is None or len(raw) != raw[0] + 1:
            return None
        number = int.from_bytes(raw)
        return None if may_hold(number, kind.masks) else self._among(kind.ways, raw, number, keys)

    def _fit_frame(self, frame: link.Frame, keys: Keys) -> Fit | None:
        kind = self._kinds.get(_start(frame))
        if kind is None or frame.missing:
            return None
        data = frame.data[:-2] if frame.wired else frame.data
        fit = self._among(kind.ways, data, int.from_bytes(data), keys)
        if fit is None or (frame.trailer and fit[0].stray):
            return None
        return fit[0], frame.data, fit[2]

    def _among(self, ways: list[_Way], data: bytes, number: int, keys: Keys) -> Fit | None:
        for opening, layouts in ways:
            clear = opening.open(data, keys, self._ciphers)
            if clear is not None:
                bits = number if clear is data else int.from_bytes(clear)
                for layout in layouts:
                    if layout.fits(clear, bits):
                        return layout, data, clear
        return None

    def _frame(self, frame: link.Frame, keys: KeysOnce) -> Telegram:
        fit = self._fit_frame(frame, keys)
        if fit and not fit[0].own:
            return _telegram(fit)
        telegram = decode_frame(frame, keys, self._compact)
        self._learn(frame, telegram, keys)
        return telegram

    def _learn(self, frame: link.Frame, telegram: Telegram, keys: KeysOnce) -> None:
        if telegram.faults or telegram.security.authenticated or telegram.frame != frame.data:
            return
        if telegram.security.encrypted and left_over(telegram):
            return
        layers = begin(frame)
        read_headers(layers, keys)
        opening = opening_of(layers, telegram)
        layout = learn(layers, telegram) if opening else None
        if opening is None or layout is None:
            return
        self._keep(_start(frame), len(frame.data), opening, layout)

    def _keep(self, start: bytes, size: int, opening: Opening, layout: TelegramLayout) -> None:
        kind = self._kinds.setdefault(start, _Kind(masks_of(size), []))
        way = next((way for way in kind.ways if way.opening == opening), None)
        if way is None:
            way = _Way(opening, [])
            kind.ways.append(way)
        if not any(layout.same(known) for known in way.layouts):
            way.layouts.insert(0, layout)
            self._count += 1 - len(way.layouts[_MOST_ALIKE:])
            del way.layouts[_MOST_ALIKE:]
        if self._count > self._most:
            self._forget()

    def _begin_anew(self) -> None:
        """Send all telegrams the full way again: only there does the registry of compact frames learn."""
        self._kinds.clear()
        self._count = 0

    def _forget(self) -> None:
        """Forget layouts not used since the last time; where most were, the kinds of meters learnt first."""
        for kind in self._kinds.values():
            for way in kind.ways:
                way.layouts[:] = [layout for layout in way.layouts if layout.reset()]
        self._count = sum(map(len, self._kinds.values()))
        for start, kind in list(self._kinds.items()):
            if self._count > self._most // 2 or not len(kind):
                del self._kinds[start]
                self._count -= len(kind)


def _surely_bare(raw: bytes) -> bool:
    """Whether :func:`decoders.wmbus.link.normalise` would leave these bytes as they are."""
    return (
        len(raw) >= _SHORTEST
        and len(raw) == raw[0] + 1
        and raw[1] & 0x7F in link.CONTROL
        and not wired.looks_wired(raw)
        and not may_hold(int.from_bytes(raw), masks_of(len(raw)))
    )


def _telegram(fit: Fit) -> Telegram:
    layout, frame, clear = fit
    return layout.telegram(frame, clear)


def _start(frame: link.Frame) -> bytes:
    """Give what tells kinds of meters apart: length, C, M, version, type, CI; of a wired frame behind 68."""
    data = frame.data
    return data[:2] + data[4:7:2] + data[11:15] if frame.wired else data[:4] + data[8:11]
