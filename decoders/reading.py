"""Bytes -> telegram with everything its meter's model can read in it.

:func:`decoders.decode.decode` knows no models: it stops where the manufacturer's own form begins. Here the
model is found and its payload reader asked; what it reads stands in the telegram's records like any other.
A model also explains what an ordinary walk cannot: then a payload the reader reads soundly, to its last byte,
proves the key as clean records do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from decoders.decode import decode_frame
from decoders.errors import DecodeError, SecurityError
from decoders.hooks import payload_reader
from decoders.model import Model
from decoders.models import detect
from decoders.payload import NOT_MINE, Payload, Sent, numbered_again
from decoders.quick_records import quick_telegram
from decoders.telegram import Keys, Security, Telegram, no_keys
from decoders.wmbus.layers import KeysOnce
from decoders.wmbus.layouts import Layouts
from decoders.wmbus.link import Frame, normalise

__all__ = ["Understood", "complete", "read", "read_frame", "read_own", "rescue"]

_IN_CLEAR = frozenset({"manufacturer_specific", "truncated_record", "bad_record"})
"""Codes that say: the payload is in clear, but it is no record list."""
_RESERVED_MODES = range(16, 32)
"""No security modes of the standard, so nothing standard encrypts."""
_MARKED_MODES = frozenset({5, 7})


class Understood(NamedTuple):
    """A telegram and the model that reads it.

    Attributes:
        telegram: what the model's payload reader read stands in ``records``.
        model: named or found; ``None`` = no model knows the meter.
        payload: what the model's payload reader read, for the trace.
    """

    telegram: Telegram
    model: Model | None
    payload: Payload = NOT_MINE


def read(
    frame: bytes,
    keys: Keys = no_keys,
    model: Model | None = None,
    layouts: Layouts | None = None,
    *,
    require_encryption: bool = False,
) -> Understood:
    """Decode one frame with the help of its meter's model.

    Args:
        frame: as received; see :func:`decoders.decode.decode`.
        keys: gives the keys to try for a meter; asked at most once per address.
        model: the meter's model; ``None`` = find it by the meter's identity.
        layouts: record layouts known so far, for compact frames; see :func:`decoders.decode.decode`.
        require_encryption: refuse a payload that came in clear from a meter whose key is known.

    Raises:
        DecodeError: as :func:`decoders.decode.decode`, but for payloads the model reads.
    """
    return read_frame(normalise(frame), keys, model, layouts, require_encryption=require_encryption)


def read_frame(
    frame: Frame,
    keys: Keys = no_keys,
    model: Model | None = None,
    layouts: Layouts | None = None,
    *,
    require_encryption: bool = False,
) -> Understood:
    """Decode what :func:`decoders.wmbus.link.normalise` gave; otherwise as :func:`read`."""
    once = KeysOnce(keys)
    try:
        telegram = decode_frame(frame, once, layouts, require_encryption=require_encryption)
    except DecodeError as error:
        understood = rescue(error, once, model)
        if require_encryption:
            _check_encrypted(understood.telegram, once)
        return understood
    return complete(telegram, once, model)


def complete(telegram: Telegram, keys: Keys = no_keys, model: Model | None = None) -> Understood:
    """Add what the model's payload reader reads to a decoded telegram.

    Raises:
        DecodeError: the reader's own, its ``known`` being the telegram.
    """
    found = model or detect(telegram)
    payload = _payload(telegram, keys, found)
    if payload.whole and not payload.sound and telegram.records and not telegram.faults:
        payload = NOT_MINE  # a clean record list is the better explanation
    return Understood(_with(telegram, payload), found, payload)


def rescue(error: DecodeError, keys: Keys = no_keys, model: Model | None = None) -> Understood:
    """Read a payload no ordinary walk could read.

    Args:
        error: what :func:`decoders.decode.decode` raised.
        keys: gives the keys to try for a meter.
        model: the meter's model; ``None`` = find it.

    Raises:
        DecodeError: ``error`` itself if no model can read the payload; the reader's own otherwise.
    """
    telegram = error.known
    if telegram is None or not _in_clear(error, telegram.security):
        raise error
    understood = read_own(telegram, keys, model)
    if understood is None:
        raise error
    return understood


def read_own(telegram: Telegram, keys: Keys = no_keys, model: Model | None = None) -> Understood | None:
    """Read a payload in clear that is no record list; ``None`` if no model can.

    Args:
        telegram: as far as understood.
        keys: gives the keys to try for a meter.
        model: the meter's model; ``None`` = find it.

    Raises:
        DecodeError: the reader's own, its ``known`` being the telegram.
    """
    found = model or detect(telegram)
    payload = _payload(telegram, keys, found)
    if not payload.whole or not (payload.sound or _certain(telegram.security)):
        return None
    return Understood(_with(telegram, payload), found, payload)


def _in_clear(error: DecodeError, security: Security) -> bool:
    """Whether the payload can be looked at: it came in clear, or a key opened it."""
    return error.code in _IN_CLEAR or (error.code == "unsupported_mode" and security.mode in _RESERVED_MODES)


def _certain(security: Security) -> bool:
    """Whether the bytes are what the meter wrote: not a decryption that waits for its proof."""
    return security.verified or not security.encrypted


def _check_encrypted(telegram: Telegram, keys: Keys) -> None:
    """Refuse a payload in clear from a meter whose key is known; decoding stopped before it could."""
    if not telegram.security.encrypted and keys(telegram.meter):
        raise SecurityError(
            "not_encrypted",
            "a key of this meter is known, but the payload came in clear",
            offset=len(telegram.frame) - len(telegram.plain),
            evidence={"mode": telegram.security.mode},
            known=telegram,
        )


def _payload(telegram: Telegram, keys: Keys, model: Model | None) -> Payload:
    if model is None or not model.hook:
        return NOT_MINE
    try:
        return payload_reader(model.hook)(Sent(telegram, keys))
    except DecodeError as error:
        error.known = error.known or telegram
        raise


def _with(telegram: Telegram, payload: Payload) -> Telegram:
    """Put the payload's records into the telegram."""
    if payload is NOT_MINE:
        return telegram
    records = payload.records if payload.whole else (*telegram.records, *payload.records)
    return quick_telegram(
        telegram.frame,
        telegram.meter,
        telegram.sender,
        telegram.control,
        telegram.ci,
        telegram.access,
        telegram.status,
        _proved(telegram.security, payload),
        numbered_again(records),
        b"" if payload.whole else telegram.manufacturer_data,
        telegram.more_follows and not payload.whole,
        telegram.plain,
        payload.faults if payload.whole else (*telegram.faults, *payload.faults),
        telegram.wired,
    )


def _proved(security: Security, payload: Payload) -> Security:
    if not payload.whole:
        return security
    if payload.encrypted:
        return replace(security, encrypted=True)  # the check inside is one byte: too weak to call it proved
    verified = security.mode in _MARKED_MODES and payload.sound
    return security if security.verified == verified else replace(security, verified=verified)
