"""Errors of decoding: each has a stable code, the place and the evidence.

::

    DecodeError
    ├── FrameError            the link layer does not hold together
    │     truncated · bad_length · bad_crc · bad_checksum · not_a_frame
    ├── LayerError            a layer above the link does not hold together or is not known
    │     truncated · unknown_ci · manufacturer_specific · unknown_layout · wrong_layout · fragment ·
    │     unsupported_layer · not_meter_data
    ├── SecurityError         a key is missing or does not fit
    │     missing_key · wrong_key · bad_mac · unsupported_mode · bad_key · not_encrypted · counter_back
    └── RecordError           the record list does not hold together
          truncated_record · bad_record

``offset`` counts bytes of the frame as decoded (link-layer CRCs removed), from the L field.
``known`` is the telegram as far as it was understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from metering.errors import TelemetryError

if TYPE_CHECKING:
    from decoders.telegram import Record, Telegram

__all__ = ["CODES", "DecodeError", "FrameError", "LayerError", "RecordError", "SecurityError"]

CODES: Mapping[str, str] = {
    "not_a_frame": "these bytes do not begin like a telegram",
    "truncated": "the telegram ends too early",
    "bad_length": "the length field does not fit the number of bytes",
    "bad_crc": "a link-layer checksum does not match",
    "bad_checksum": "the wired frame's checksum does not match",
    "unknown_ci": "the CI field is reserved",
    "manufacturer_specific": "the payload is the manufacturer's own",
    "unknown_layout": "a compact frame whose record layout has not been seen",
    "wrong_layout": "a compact frame that does not fit the record layout its signature names",
    "fragment": "part of a longer message",
    "unsupported_layer": "a layer this decoder does not read",
    "not_meter_data": "a command or service frame, not data from a meter",
    "missing_key": "encrypted, and no key is known",
    "wrong_key": "decryption gives no sense: the key does not fit",
    "bad_mac": "the authentication code does not match: wrong key or altered telegram",
    "unsupported_mode": "a security mode this decoder does not read",
    "bad_key": "the key has the wrong length",
    "not_encrypted": "a key is known, but the payload came in clear",
    "counter_back": "a message counter that went back",
    "truncated_record": "a data record ends after the telegram does",
    "bad_record": "a data record that cannot be",
}
"""Every code with its meaning in a few words."""


class DecodeError(TelemetryError):
    """These bytes are not a telegram we can read.

    Attributes:
        code: stable, one of :data:`CODES`.
        offset: byte where it went wrong, counted from the L field of the CRC-free frame.
        evidence: numbers and hex that show it; JSON-able, no key material.
        known: the telegram as far as understood, or ``None`` if not even the link layer was.
        records: of a telegram that names no meter, what it says all the same.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        offset: int = 0,
        evidence: Mapping[str, str | int] | None = None,
        known: Telegram | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.offset = offset
        self.evidence = dict(evidence or {})
        self.known = known
        self.records: tuple[Record, ...] = ()
        super().__init__(message)


class FrameError(DecodeError):
    """The link layer does not hold together."""


class LayerError(DecodeError):
    """A layer above the link does not hold together or is not known."""


class SecurityError(DecodeError):
    """A key is missing or does not fit."""


class RecordError(DecodeError):
    """The record list does not hold together."""
