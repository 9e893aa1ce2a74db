"""Why a telegram did not decode, and what to try.

The error says where reading stopped. Here the usual accidents are tried out: another key, another form of the
same bytes. What works is told first, then what the error means to somebody who has the telegram in hand.
Advice is data; no key is ever in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from decoders.errors import DecodeError
from decoders.model import Model
from decoders.models import detect, models
from decoders.reading import read
from decoders.telegram import Keys, Telegram, no_keys
from decoders.wmbus import blocks, link, radio
from decoders.wmbus.layouts import Layouts
from metering.meter import MeterId

__all__ = ["Advice", "meaning", "why_not"]


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to know or to try.

    Attributes:
        name: stable: ``key_reversed``, ``truncated_by_receiver``, ...
        sentence: for people.
        evidence: numbers and names that show it; JSON-able, no key material.
    """

    name: str
    sentence: str
    evidence: Mapping[str, str | int] = field(default_factory=dict)


def why_not(frame: bytes, keys: Keys = no_keys, layouts: Layouts | None = None) -> tuple[Advice, ...]:
    """Say why a frame does not decode; nothing if it does, without a fault.

    Args:
        frame: as received.
        keys: the keys that were tried.
        layouts: record layouts known so far; not taught.
    """
    known = layouts.copy() if layouts is not None else None
    try:
        telegram = read(frame, keys, None, known).telegram
    except DecodeError as wrong:
        error, telegram_known = wrong, wrong.known
    else:
        if not telegram.faults:
            return ()
        error, telegram_known = telegram.faults[0], telegram
    worked = [*_other_keys(frame, error, keys), *_other_forms(frame, keys, known)]
    others = _other_models(frame, keys, known, telegram_known) if error.code in _OF_A_MODEL else ()
    return (*worked, *others, *meaning(error, telegram_known))


# --- what is tried -------------------------------------------------------------------------------

_SEALED = frozenset({"missing_key", "wrong_key", "bad_mac", "bad_key"})
_OF_A_MODEL = frozenset({"manufacturer_specific", "truncated_record", "bad_record"})
_ZERO = bytes(16)
_MOST_BEFORE, _MOST_APPENDED = 8, 4


def _other_keys(frame: bytes, error: DecodeError, keys: Keys) -> Iterator[Advice]:
    """Try what people do to keys."""
    if error.code not in _SEALED:
        return

    def reversed_keys(meter: MeterId) -> Sequence[bytes]:
        return [key[::-1] for key in keys(meter)]

    def halves(meter: MeterId) -> Sequence[bytes]:
        return [part for key in keys(meter) if len(key) == 16 for part in (key[:8], key[8:])]

    if _opens(frame, reversed_keys):
        yield Advice("key_reversed", "the key fits with its bytes in the other order")
    if _opens(frame, halves):
        yield Advice(
            "key_too_long", "half of the key fits: the meter encrypts with DES, whose key has 8 bytes"
        )
    if _opens(frame, lambda _: [_ZERO]):
        yield Advice("zero_key_fits", "a key of zeros fits, as some manufacturers deliver")


def _opens(frame: bytes, keys: Keys) -> bool:
    found = _read(frame, keys)
    return found is not None and found.security.verified


def _read(
    frame: bytes, keys: Keys, layouts: Layouts | None = None, model: Model | None = None
) -> Telegram | None:
    """Give the telegram if it decodes without a fault."""
    try:
        telegram = read(frame, keys, model, layouts).telegram
    except DecodeError:
        return None
    return None if telegram.faults else telegram


def _other_models(
    frame: bytes, keys: Keys, known: Layouts | None, telegram: Telegram | None
) -> Iterator[Advice]:
    """Try the models that read payloads of this manufacturer."""
    if telegram is None:
        return
    fit = []
    for model in models().values():
        if model.hook and any(row.manufacturer == telegram.meter.manufacturer for row in model.detect):
            found = _read(frame, keys, known, model)
            fit += [model.name] if found is not None and found.records else []
    if fit:
        said = f"read as {' or '.join(fit)} the payload makes sense; whether it is right, the display tells"
        yield Advice("another_model_fits", said, {"models": " ".join(fit)})


def _other_forms(frame: bytes, keys: Keys, known: Layouts | None) -> Iterator[Advice]:
    """Try other forms of the same bytes, the likeliest first; the first that gives values is told."""
    for form in _FORMS:
        for other, advice in form(frame):
            found = _read(other, keys, known)
            if found is not None and found.records:
                yield advice
                return


def _later(frame: bytes) -> Iterator[tuple[bytes, Advice]]:
    for skipped in range(1, min(_MOST_BEFORE, len(frame) - 10) + 1):
        rest = frame[skipped:]
        if rest[0] + 1 <= len(rest) + 4:
            yield (
                rest,
                Advice(
                    "begins_later",
                    f"the telegram begins {skipped} bytes later; what stands before is the receiver's",
                    {"skipped": skipped, "before": frame[:skipped].hex()},
                ),
            )


def _several(frame: bytes) -> Iterator[tuple[bytes, Advice]]:
    pieces = link.split(frame)
    if len(pieces) > 1:
        said = f"these are {len(pieces)} telegrams one after another"
        yield pieces[0], Advice("several_telegrams", said, {"telegrams": len(pieces)})


def _appended(frame: bytes) -> Iterator[tuple[bytes, Advice]]:
    if not frame or frame[0] != len(frame) - 1:
        return
    for surplus in range(1, min(_MOST_APPENDED, len(frame) - 11) + 1):
        size = len(frame) - surplus
        yield (
            bytes((size - 1 & 0xFF,)) + frame[1:size],
            Advice(
                "byte_appended",
                f"the last {surplus} byte(s) are the receiver's (signal strength, checksum); L counts them",
                {"bytes": frame[size:].hex()},
            ),
        )


def _other_length(frame: bytes) -> Iterator[tuple[bytes, Advice]]:
    if len(frame) > 10 and frame[0] != len(frame) - 1:
        evidence: dict[str, str | int] = {"says": frame[0], "should_say": len(frame) - 1}
        said = f"with {len(frame) - 1} in the length field the telegram decodes"
        yield bytes((len(frame) - 1 & 0xFF,)) + frame[1:], Advice("length_wrong", said, evidence)


def _checksums_left(frame: bytes) -> Iterator[tuple[bytes, Advice]]:
    """Remove checksums of format A though one does not fit, or L counts them."""
    for length in {frame[0], _length_without(len(frame))} if frame else ():
        if length >= 10 and blocks.size_a(length) <= len(frame):
            parts = blocks.blocks_a(length)
            damaged = [number for number, part in enumerate(parts, 1) if not blocks.holds(frame, *part)]
            said = "the receiver left the checksums in"
            if damaged:
                said += (
                    f"; those of block(s) {', '.join(map(str, damaged))} do not fit: do not trust the values"
                )
            advice = Advice("checksums_left_on", said, {"damaged_blocks": len(damaged), "blocks": len(parts)})
            yield bytes((length,)) + blocks.joined(frame, parts)[1:], advice


def _length_without(size: int) -> int:
    """Give the L of a frame of format A that has this size with its checksums."""
    return next((length for length in range(9, 256) if blocks.size_a(length) == size), 0)


def _still_coded(frame: bytes) -> Iterator[tuple[bytes, Advice]]:
    try:
        heard = radio.after_sync(frame)
    except DecodeError:
        return
    said = f"these are the chips of mode {heard.mode} as received, not yet decoded into bytes"
    yield heard.frame, Advice("still_coded", said, {"mode": heard.mode, "format": heard.crc})


_FORMS: Sequence[Callable[[bytes], Iterator[tuple[bytes, Advice]]]] = (
    _several,
    _checksums_left,
    _later,
    _appended,
    _other_length,
    _still_coded,
)

# --- what the error means ------------------------------------------------------------------------

_MEANINGS: Mapping[str, tuple[str, str]] = {
    "not_a_frame": ("not_a_telegram", "the bytes begin like no telegram; the L field goes first, C second"),
    "truncated": ("truncated_by_receiver", "bytes are missing at the end; some receivers cut long telegrams"),
    "bad_length": (
        "length_wrong",
        "the length field does not fit the bytes; is it one telegram, and a whole one?",
    ),
    "bad_crc": (
        "bytes_damaged",
        "a checksum does not fit: bytes were damaged on the way; wait for the next one",
    ),
    "bad_checksum": (
        "bytes_damaged",
        "the sum does not fit: bytes were damaged; check speed and parity of the bus",
    ),
    "wrong_key": ("key_wrong", "the key does not fit; is it this meter's, is it its newest?"),
    "bad_mac": ("key_wrong", "the code does not fit: another meter's key, or somebody changed the telegram"),
    "bad_key": ("key_wrong", "the key has another length than the encryption needs"),
    "unsupported_mode": ("encryption_not_read", "no key helps: this encryption is not read here"),
    "not_encrypted": (
        "came_in_clear",
        "the telegram came in clear although its key is known; who decrypted it?",
    ),
    "counter_back": (
        "counter_back",
        "an old telegram was sent again, or the meter was reset: compare with the display before trusting it",
    ),
    "unknown_layout": (
        "layout_unknown",
        "wait for a full frame of this kind of meter; Kamstrup sends one in about eight",
    ),
    "wrong_layout": (
        "layout_wrong",
        "another layout has the same signature; wait for a full frame of this kind of meter",
    ),
    "fragment": ("parts_missing", "this is one part; all parts of the message are needed"),
    "not_meter_data": ("no_data", "nothing is wrong: the telegram carries no meter data"),
    "unsupported_layer": ("layer_not_read", "the telegram is of a kind that is not read here"),
    "unknown_ci": ("perhaps_encrypted", "no such CI field: another encryption below it, or damaged bytes"),
    "truncated_record": (
        "record_cut",
        "the last record is cut: a receiver that cuts, or a payload of the manufacturer's own",
    ),
    "bad_record": (
        "no_record",
        "no record stands there: damaged bytes, a payload of the manufacturer's own, or still encrypted",
    ),
}


def meaning(error: DecodeError, known: Telegram | None) -> Iterator[Advice]:
    """Say what an error means to somebody who has the telegram in hand."""
    if error.code == "missing_key":
        yield _whose_key(known)
    elif error.code == "manufacturer_specific":
        yield _which_model(known)
    elif error.code in _MEANINGS:
        name, sentence = _MEANINGS[error.code]
        yield Advice(name, sentence, dict(error.evidence))


def _whose_key(known: Telegram | None) -> Advice:
    if known is None:
        return Advice("key_missing", "the telegram is encrypted, and its key is needed")
    said = f"the key of {known.meter} is needed; the owner of the meter gets it from the manufacturer"
    evidence: dict[str, str | int] = {"meter": str(known.meter)}
    if known.sender != known.meter:
        said += f" (the radio of {known.sender} sends for it)"
        evidence["sender"] = str(known.sender)
    return Advice("key_missing", said, evidence)


def _which_model(known: Telegram | None) -> Advice:
    model = detect(known) if known else None
    if known is None or model is None:
        said = "the payload is the manufacturer's own, and no model here knows this meter"
        return Advice("model_missing", said, {"meter": str(known.meter)} if known else {})
    said = f"the payload is the manufacturer's own, and the model {model.name} cannot read this one"
    return Advice("model_does_not_fit", said, {"meter": str(known.meter), "model": model.name})
