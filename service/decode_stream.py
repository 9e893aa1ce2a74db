"""Streams of lines for ``nurt decode``: the same answers as one by one, faster.

The answer to every line is that of :mod:`service.decode_lines`. Here a decoder remembers layouts, and a line
of a known layout is filled in instead of being made. Layouts of compact frames are learnt along the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import orjson

from decoders.decoder import Decoder, Fit
from decoders.errors import DecodeError
from decoders.layout import TelegramLayout
from decoders.model import Model
from decoders.reading import complete, read_own
from decoders.rendering import MOST_TEXTS
from decoders.shipped_layouts import shipped_layouts
from decoders.telegram import Telegram
from metering.ports import Clock
from service.asked import Asked, Given, Key, model_of, read_line
from service.counting import Decode, counting
from service.decode_lines import answer, json_line
from service.driver_list import answered
from service.flat_lines import flat_line
from service.in_parts import Headers, InParts, headers_of
from service.line_forms import LineForms
from service.record_forms import RecordForms
from service.table_forms import ByTable

__all__ = ["DecodeStream"]


_NOTHING = Given()


class DecodeStream:
    """Answers lines.

    Args:
        given: key and model for lines that bring none.
        clock: says when a telegram came, for the flat lines of ``--format wmbusmeters``; without it the
            lines are those of ``--format json``.
        texts: how many texts of values are remembered.
    """

    def __init__(
        self, given: Given = _NOTHING, clock: Clock | None = None, *, texts: int = MOST_TEXTS
    ) -> None:
        self._given = given
        self._strict = given.require_encryption
        self._clock = clock
        layouts = shipped_layouts()
        self._decoder = Decoder(layouts)
        self._parts = InParts(self._decoder.decode, layouts)
        self._decode = counting(self._parts.decode)
        self._forms = LineForms(texts)
        self._records = RecordForms(texts)

    def answer(self, line: bytes) -> tuple[bytes, bool]:
        """Answer one line; see :func:`service.asked.read_line` for what it may hold.

        Returns:
            The lines of output, line ends included, and whether all of them are without error.
        """
        try:
            frame, key, model = self._plainly_asked(line)
            keys = (key,) if key else ()
            fit = self._decoder.fit(frame, lambda _: keys) or self._decoder.fit_own(frame)
        except (ValueError, TypeError, DecodeError):
            return self._at_length(line)
        whole = self._whole(fit) if fit and (self._parts.senders or fit[0].example.more_follows) else None
        if whole is not None:
            return self._told(self._asked(frame, key, model), lambda *_: whole)
        quick = self._filled_in(fit, keys, model) if fit and not self._strict else None
        return (quick, True) if quick else self._told(self._asked(frame, key, model))

    def _whole(self, fit: Fit) -> Telegram | None:
        """Give a telegram with those it continues; ``None`` for all that stand alone."""
        layout, frame, clear = fit
        if not (layout.example.more_follows or self._parts.concerns(frame)):
            return None
        if layout.example.more_follows and self._parts.begins_again(frame, _headers(layout)):
            return None
        telegram = layout.telegram(frame, clear)
        whole = self._parts.continued(telegram)
        return None if whole is telegram else whole

    def forget_texts(self) -> None:
        """Forget the texts of all values, not the layouts."""
        self._forms.forget_texts()
        self._records.forget_texts()

    def _filled_in(self, fit: Fit, keys: Sequence[bytes], model: Model | None) -> bytes | None:
        """Answer by a form; ``None`` if there is none for this telegram."""
        if self._clock is None:
            line = self._forms.json_line(fit, model, keys)
        else:
            line = self._forms.flat_line(fit, self._clock.now(), model, keys)
        return line or self._by_records(fit, keys, model)

    def _by_records(self, fit: Fit, keys: Sequence[bytes], model: Model | None) -> bytes | None:
        """Answer for a telegram the meter's model reads further."""
        layout, frame, clear = fit
        before = layout.telegram(frame, clear)
        try:
            understood = (read_own if layout.own else complete)(before, lambda _: keys, model)
        except DecodeError:
            return None
        telegram, found, _ = understood or (before, None, None)
        if found is None or telegram.faults:
            return None
        self._learn(fit, model, keys, ByTable(before, telegram, found))
        return self._of_records(telegram, found)

    def _learn(self, fit: Fit, model: Model | None, keys: Sequence[bytes], read: ByTable) -> None:
        """Learn the form of a telegram whose model reads the payload by table."""
        if not read.model.hook:
            return
        learn = self._forms.learn_json if self._clock is None else self._forms.learn_flat
        learn(fit, model, keys, read)

    def _of_records(self, telegram: Telegram, model: Model) -> bytes | None:
        if self._clock is None:
            return self._records.json_line(telegram, model)
        return self._records.flat_line(telegram, model, self._clock.now())

    def _at_length(self, line: bytes) -> tuple[bytes, bool]:
        """Answer a line with ornaments, several telegrams, or something wrong, which is told in full."""
        request = answered(line) if self._clock is not None else None
        if request is not None:
            return request, True
        told = [self._told(asked) for asked in read_line(line.decode("utf-8", errors="replace"), self._given)]
        return b"".join([text for text, _ in told]), all(good for _, good in told)

    def _plainly_asked(self, line: bytes) -> tuple[bytes, Key, Model | None]:
        """Read a line of one telegram without ornaments: frame, key, model if one is named.

        Raises:
            ValueError: it is not such a line, or names no model there is.
        """
        key, model = self._given.key, self._given.model
        if line[:1] != b"{":
            return bytes.fromhex(line.decode("ascii")), key, model
        said = orjson.loads(line)
        own, name = said.get("key"), said.get("model") or said.get("driver")
        if own is not None and own != "":
            key = bytes.fromhex(own)
        return bytes.fromhex(said.get("telegram")), key, model_of(str(name)) if name else model

    def _asked(self, frame: bytes, key: Key, model: Model | None) -> Asked:
        return Asked(frame, key, model, require_encryption=self._given.require_encryption)

    def _told(self, asked: Asked, using: Decode | None = None) -> tuple[bytes, bool]:
        given = answer(asked, using or self._decode)
        good = given.trouble is None
        form = None
        if good and given.telegram is not None and given.model is not None:
            form = self._of_records(given.telegram, given.model)
        if form is None:
            form = json_line(given) if self._clock is None else flat_line(given, self._clock.now())
        return form, good


def _headers(layout: TelegramLayout) -> Headers:
    """Give the headers of a layout's records, made once."""
    known = layout.renderings.get(_headers)
    if known is None:
        known = layout.renderings[_headers] = headers_of(layout.example)
    return cast("Headers", known)
