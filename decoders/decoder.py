"""A decoder for streams: gives what :func:`decoders.decode` gives, faster, because it remembers layouts.

The function decodes each telegram from nothing. Here layouts and key schedules are kept, both bounded, so
that memory stays flat whatever is on the air. One decoder belongs to one thread.
"""

from __future__ import annotations

from typing import NamedTuple

from decoders.decode import decode_frame
from decoders.layout import TelegramLayout, learn
from decoders.opening import Opening, opening_of
from decoders.telegram import Keys, Telegram, no_keys
from decoders.wmbus import link
from decoders.wmbus.cipher_cache import CipherCache
from decoders.wmbus.layers import KeysOnce, begin, read_headers
from decoders.wmbus.layouts import Layouts
from decoders.wmbus.no_checksums import masks_of, may_hold

__all__ = ["Decoder", "Fit"]

_MOST_LAYOUTS = 4096
_MOST_ALIKE = 16
"""Layouts with the same start; of more, the oldest leave."""


class Fit(NamedTuple):
    """A frame whose layout is known.

    Attributes:
        layout: its layout.
        frame: as received, without checksums.
        clear: in clear, for :meth:`TelegramLayout.values` and :meth:`TelegramLayout.telegram`.
    """

    layout: TelegramLayout
    frame: bytes
    clear: bytes


class _Way(NamedTuple):
    """How frames are opened, and the layouts they then may have."""

    opening: Opening
    layouts: list[TelegramLayout]


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
        self._ways: dict[bytes, list[_Way]] = {}
        self._ciphers = CipherCache()

    def __len__(self) -> int:
        """Count the telegram layouts known."""
        return self._count

    def decode(self, frame: bytes, keys: Keys = no_keys) -> Telegram:
        """Decode one frame as received; see :func:`decoders.decode` for arguments, result and errors."""
        once = KeysOnce(keys)
        fit = self._quick(frame, once)
        return fit.layout.telegram(fit.frame, fit.clear) if fit else self._frame(link.normalise(frame), once)

    def decode_frame(self, frame: link.Frame, keys: Keys = no_keys) -> Telegram:
        """Decode what :func:`decoders.wmbus.link.normalise` gave; otherwise as :meth:`decode`."""
        return self._frame(frame, KeysOnce(keys))

    def fit(self, frame: bytes, keys: Keys = no_keys) -> Fit | None:
        """Find the layout of a frame as received; ``None`` if it is not known, or the full walk must decide.

        Raises:
            FrameError: the link layer does not hold together.
            LayerError: a wired frame without data.
        """
        return self._quick(frame, keys) or self._fit(link.normalise(frame), keys)

    def _quick(self, raw: bytes, keys: Keys) -> Fit | None:
        """Fit a frame that came without checksums and with its true length."""
        ways = self._ways.get(_start(raw))
        if ways is None or len(raw) != raw[0] + 1:
            return None
        number = int.from_bytes(raw, "little")
        return None if may_hold(number, masks_of(len(raw))) else self._among(ways, raw, number, keys)

    def _fit(self, frame: link.Frame, keys: Keys) -> Fit | None:
        data = frame.data[:-2] if frame.wired else frame.data
        ways = self._ways.get(_start_wired(data) if frame.wired else _start(data))
        fit = self._among(ways, data, int.from_bytes(data, "little"), keys) if ways else None
        return fit and fit._replace(frame=frame.data)

    def _among(self, ways: list[_Way], data: bytes, number: int, keys: Keys) -> Fit | None:
        for opening, layouts in ways:
            clear = opening.open(data, keys, self._ciphers)
            if clear is not None:
                bits = number if clear is data else int.from_bytes(clear, "little")
                for layout in layouts:
                    if bits & layout.mask == layout.repeated:
                        layout.used = True
                        return Fit(layout, data, clear)
        return None

    def _frame(self, frame: link.Frame, keys: KeysOnce) -> Telegram:
        fit = self._fit(frame, keys)
        if fit:
            return fit.layout.telegram(fit.frame, fit.clear)
        telegram = decode_frame(frame, keys, self._compact)
        self._learn(frame, telegram, keys)
        return telegram

    def _learn(self, frame: link.Frame, telegram: Telegram, keys: KeysOnce) -> None:
        if telegram.faults or telegram.security.counter is not None:
            return
        layers = begin(frame)
        read_headers(layers, keys)
        opening = opening_of(layers, telegram)
        layout = learn(layers, telegram) if opening else None
        if opening is None or layout is None:
            return
        start = _start_wired(frame.data) if frame.wired else _start(frame.data)
        self._keep(self._ways.setdefault(start, []), opening, layout)
        if self._count > self._most:
            self._forget()

    def _keep(self, ways: list[_Way], opening: Opening, layout: TelegramLayout) -> None:
        way = next((way for way in ways if way.opening == opening), None)
        if way is None:
            way = _Way(opening, [])
            ways.append(way)
        if not any(layout.same(known) for known in way.layouts):
            way.layouts.insert(0, layout)
            self._count += 1 - len(way.layouts[_MOST_ALIKE:])
            del way.layouts[_MOST_ALIKE:]

    def _forget(self) -> None:
        """Forget layouts not used since the last time; where most were, the kinds of meters learnt first."""
        for ways in self._ways.values():
            for way in ways:
                way.layouts[:] = [layout for layout in way.layouts if layout.reset()]
        self._count = sum(map(_layouts, self._ways.values()))
        for start in list(self._ways):
            if self._count > self._most // 2 or not _layouts(self._ways[start]):
                self._count -= _layouts(self._ways.pop(start))


def _layouts(ways: list[_Way]) -> int:
    return sum(len(way.layouts) for way in ways)


def _start(frame: bytes) -> bytes:
    """Give what tells kinds of meters apart: L, C, M, version, type, CI."""
    return frame[:4] + frame[8:11]


def _start_wired(frame: bytes) -> bytes:
    """Give the same of a wired frame: start, L, C, CI, M, version, type."""
    return frame[:2] + frame[4:7:2] + frame[11:15]
