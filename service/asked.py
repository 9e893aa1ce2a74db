"""What ``nurt decode`` is asked: lines in, telegrams out.

A line is hexadecimal as people and tools write it (blanks, ``0x``, ``|``, ``_``, ``:``, ``-``, ``,``, quotes,
``telegram=|HEX|+12`` of wmbusmeters' files), a line of rtl_wmbus or of a CUL, or
``{"telegram": HEX, "key": HEX or null, "model": NAME or null}``. As users of wmbusmeters are used to it,
``driver`` is taken for ``model``, ``auto`` for no name and ``NOKEY`` for no key.

Hexadecimal that several frames fill exactly, one behind the other, is so many telegrams: whoever puts two on
one line gets two answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import orjson

from decoders.model import Model
from decoders.models import by_name
from decoders.wmbus.blocks import is_format_a
from decoders.wmbus.link import split
from ingest.adapters import cul, rtl_wmbus
from ingest.adapters.lines import frame_of
from ingest.items import Delivery, Unreadable
from metering.meter import MeterId
from metering.uplink import FrameUplink

__all__ = ["Asked", "Given", "Key", "Trouble", "key_of", "model_of", "read_line"]

Key = bytes | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_KEY = frozenset({"", "NOKEY"})
_NO_MODEL = frozenset({"", "auto"})
_SHOWN = 40
_SIMULATED = re.compile(r"telegram=(?P<hex>[^+]*)(\+\d*)?")
"""A line of a simulation file of wmbusmeters, as its log writes them too."""
_BETWEEN = re.compile(r"""[-:,'"\ufeff]|\\x""")
_DIGITS = re.compile(r"(0[xX])?(?P<hex>[0-9a-fA-F]+)")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no telegram, or not all of it. ``offset``: byte of the frame, ``None`` = no place."""

    code: str
    message: str
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What counts for lines that do not say it themselves.

    Attributes:
        key: the key to try.
        model: the meter's model; ``None`` = found by the meter's identity.
        require_encryption: refuse what came in clear although there is a key for it.
    """

    key: Key = field(default=None, repr=False)
    model: Model | None = None
    require_encryption: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One telegram to decode, or why a line holds none.

    Attributes:
        frame: as received; empty if there is none.
        key: the key to try.
        model: the meter's model, if it was named.
        trouble: what is wrong with the line.
        text: the telegram as it was written, where it is no hexadecimal; ``None`` = there was none.
        require_encryption: as in :class:`Given`.
    """

    frame: bytes = b""
    key: Key = field(default=None, repr=False)
    model: Model | None = None
    trouble: Trouble | None = None
    text: str | None = None
    require_encryption: bool = False

    def keys(self, meter: MeterId) -> Sequence[bytes]:  # noqa: ARG002  one key, whoever asks
        """Give the key to try."""
        return (self.key,) if self.key else ()

    @property
    def no_model(self) -> bool:
        """Whether a model was named that there is not: then none is taken instead."""
        return self.trouble is not None and self.trouble.code == "unknown_model"


def key_of(text: str) -> Key:
    """Read a key; whether its length fits is for the telegram's security mode to say.

    Raises:
        ValueError: not hexadecimal; the sentence does not repeat it.
    """
    if text in _NO_KEY:
        return None
    try:
        return bytes.fromhex(_BETWEEN.sub("", text.strip().removeprefix("0x").removeprefix("0X")))
    except ValueError:
        raise ValueError(f"a key is 32 hexadecimal digits; these {len(text)} signs are not") from None


def model_of(name: str) -> Model | None:
    """Find a model by the name people write; ``None`` if they leave it open.

    Raises:
        ValueError: there is no such model.
    """
    if name in _NO_MODEL:
        return None
    model = by_name(name)
    if model is None:
        raise ValueError(f"{name[:_SHOWN]!a} is not a meter model of this release")
    return model


_NOTHING_GIVEN = Given()


def read_line(line: str, given: Given = _NOTHING_GIVEN) -> Iterator[Asked]:
    """Find the telegrams of a line, or what is wrong with it: always one at least.

    Args:
        line: as it came.
        given: for lines that do not say it themselves.
    """
    text = line.strip()
    if text.startswith("{"):
        yield from _from_json(text, given)
    elif ";" in text or cul.is_line(text):
        read = rtl_wmbus.read if ";" in text else cul.read
        for item in read(Delivery("", text.encode(errors="replace"), _EPOCH), "line"):
            yield _from_item(item.said, given)
    else:
        yield from _from_hex(text, _as_given(given))


def _as_given(given: Given) -> Asked:
    return Asked(key=given.key, model=given.model, require_encryption=given.require_encryption)


def _from_hex(text: str, asked: Asked) -> Iterator[Asked]:
    try:
        raw = frame_of(_bare(text))
    except ValueError:
        yield Asked(trouble=Trouble("bad_hex", _no_hex(text)), text=text)
        return
    for frame in [raw] if is_format_a(raw) else split(raw):
        yield replace(asked, frame=frame)


def _bare(text: str) -> str:
    """Take off what stands around and between the digits, if there is anything but digits."""
    if text.isalnum():
        return text
    told = _SIMULATED.fullmatch(text)
    return _BETWEEN.sub("", told["hex"] if told else text)


def _no_hex(text: str) -> str:
    """Say why a text is no telegram."""
    if not text:
        return "an empty line"
    said = f"{text[:_SHOWN]!a} is not a telegram in hexadecimal"
    digits = _DIGITS.fullmatch(_bare(text))
    if digits is None:
        return said
    count = len(digits["hex"])
    return f"{said}: {count} digits, an odd number, so one is missing or too many" if count % 2 else said


def _from_item(said: object, given: Given) -> Asked:
    if isinstance(said, FrameUplink):
        return replace(_as_given(given), frame=said.frame)
    if isinstance(said, Unreadable) and said.reason == "bad_crc":
        return Asked(trouble=Trouble("bad_crc", said.sentence))
    return Asked(trouble=Trouble("bad_hex", said.sentence if isinstance(said, Unreadable) else "no telegram"))


def _from_json(text: str, given: Given) -> Iterator[Asked]:
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        trouble = Trouble("bad_hex", f"neither hexadecimal nor JSON: {wrong.msg}")
        yield Asked(trouble=trouble, text=text)
        return
    telegram = said.get("telegram")
    if not isinstance(telegram, str):
        yield Asked(trouble=Trouble("bad_hex", 'the JSON object has no "telegram" in hexadecimal'))
        return
    key, bad_key = _own_key(said, given.key)
    model, bad_model = _own_model(said, given.model)
    asked = replace(_as_given(given), key=key, model=model, trouble=bad_key or bad_model)
    yield from _from_hex(telegram, asked)


def _own_key(said: Mapping[str, object], key: Key) -> tuple[Key, Trouble | None]:
    own = said.get("key")
    if own is None or own == "":
        return key, None
    try:
        return key_of(str(own)), None
    except ValueError as wrong:
        return None, Trouble("bad_key", str(wrong))


def _own_model(said: Mapping[str, object], model: Model | None) -> tuple[Model | None, Trouble | None]:
    own = said.get("model") or said.get("driver")
    if own is None or own == "":
        return model, None
    try:
        return model_of(str(own)), None
    except ValueError as wrong:
        return None, Trouble("unknown_model", str(wrong))
