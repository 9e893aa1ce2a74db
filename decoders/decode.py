"""Bytes -> telegram: :func:`decode` with everything in it, :func:`peek` with the headers only.

Both give a telegram or one of the documented errors, nothing else, whatever the bytes.
"""

from __future__ import annotations

from decoders.errors import DecodeError, RecordError, SecurityError
from decoders.lengths import settled
from decoders.refusals import anonymous, check_control, refusal
from decoders.telegram import Keys, Telegram, no_keys
from decoders.wmbus import compact, link, security
from decoders.wmbus.ci import CI, Content
from decoders.wmbus.layers import KeysOnce, Layers, begin, read_headers
from decoders.wmbus.layouts import Layouts, headers_of
from decoders.wmbus.records import Walk, walk
from decoders.wmbus.transport import TransportHeader
from metering.meter import MeterId

__all__ = ["decode", "decode_frame", "peek", "peek_frame", "read_application"]


def decode(
    frame: bytes,
    keys: Keys = no_keys,
    layouts: Layouts | None = None,
    *,
    require_encryption: bool = False,
) -> Telegram:
    """Decode one frame.

    Args:
        frame: as received: Wireless M-Bus with L first, with or without link-layer checksums, or a long frame
            of wired M-Bus.
        keys: gives the keys to try for a meter. Asked for the link-layer address if the extended link layer
            is encrypted, and for the meter's address if the payload is.
        layouts: record layouts known so far, for compact frames; learns those of this telegram. The caller's,
            so that decoding itself keeps nothing.
        require_encryption: refuse a payload that came in clear from a meter whose key is known. Receivers
            that decrypt themselves give such payloads, and so does whoever forges a telegram.

    Returns:
        The telegram; a format frame gives one without records. Faults in the record list stand in ``faults``
        beside the good records.

    Raises:
        FrameError: the link layer does not hold together.
        LayerError: a layer above does not, or holds no records this decoder reads.
        SecurityError: no key, or none that fits.
        RecordError: not one record can be read, or a declared encryption is not proved by clean records.
    """
    return decode_frame(link.normalise(frame), keys, layouts, require_encryption=require_encryption)


def decode_frame(
    frame: link.Frame,
    keys: Keys = no_keys,
    layouts: Layouts | None = None,
    *,
    require_encryption: bool = False,
) -> Telegram:
    """Decode what :func:`decoders.wmbus.link.normalise` gave; otherwise as :func:`decode`."""
    once = KeysOnce(keys)
    return settled(frame, lambda one: _decode(one, once, layouts, require_encryption=require_encryption))


def _decode(frame: link.Frame, once: Keys, layouts: Layouts | None, *, require_encryption: bool) -> Telegram:
    layers = begin(frame)
    try:
        check_control(layers)
        read_headers(layers, once)
        if layers.header is not None:
            read_application(layers, once, layouts)
        if require_encryption:
            _check_encrypted(layers, once)
        return _identified(layers)
    except DecodeError as error:
        if error.known is None:
            error.known = layers.telegram()
        raise


def peek(frame: bytes) -> Telegram:
    """Read the headers only: who, which access number, what protection.

    Needs no key and checks no proof but CRCs. Where the extended link layer is encrypted, or a layer above
    the link cannot be read, the meter is the sender. ``security.encrypted`` says what the headers and the
    first payload bytes tell.

    Raises:
        DecodeError: not even an identity can be had.
    """
    return peek_frame(link.normalise(frame))


def peek_frame(frame: link.Frame) -> Telegram:
    """Read the headers of a frame that was normalised already; otherwise as :func:`peek`."""
    layers = begin(frame)
    try:
        read_headers(layers, no_keys)
    except DecodeError:
        if layers.meter is None:
            raise
    return _identified(layers)


def read_application(layers: Layers, keys: Keys, layouts: Layouts | None = None) -> None:
    """Bring the application layer into clear and read its records.

    Raises:
        DecodeError: what stands there is not for us or does not hold together.
    """
    header = layers.header
    meter = layers.meter
    if header is None or meter is None:
        raise anonymous(layers)
    content = CI[header.ci].content
    if content is Content.NO_APPLICATION:
        return
    if content not in _OPENED:
        raise refusal(layers, header.ci, header.start)
    payload = security.Payload(
        layers.data,
        header,
        layers.afl,
        layers.address,
        keys=lambda: keys(meter),
        read=lambda data: _read(layers, content, data, header, layouts),
    )
    opened = security.open_payload(payload)
    _take(layers, opened)
    if content not in _READABLE:
        raise refusal(layers, header.ci, header.start)
    _judge(opened)
    if layouts is not None:
        plain = layers.data[security.after_mark(layers.data, header) :]
        _learn(layouts, meter, content, plain, opened.walk)


_READABLE = frozenset({Content.RECORDS, Content.COMPACT, Content.FORMAT})
_OPENED = _READABLE | {Content.ALARM, Content.APPLICATION_ERROR}
"""The last two hold no records, but what they say may be encrypted too."""


def _read(
    layers: Layers, content: Content, data: bytes, header: TransportHeader, layouts: Layouts | None
) -> Walk:
    """Read the application layer of a frame in clear."""
    if content is Content.RECORDS:
        return walk(data[header.end :], header.end)
    start = security.after_mark(data, header)
    if content is Content.FORMAT:
        return compact.read_format(data[start:], start)[1]
    if content is Content.COMPACT:
        plain = data[start:]
        known = layouts.find(layers.meter, compact.signature_in(plain)) if layouts and layers.meter else ()
        return compact.read_compact(plain, start, tuple(known), intact=layers.verified)
    return Walk()


def _learn(layouts: Layouts, meter: MeterId, content: Content, plain: bytes, found: Walk) -> None:
    """Remember the layout of a full frame or of a format frame."""
    if content is Content.FORMAT:
        layouts.learn(meter, compact.read_format(plain, 0)[0])
    elif content is Content.RECORDS and not (found.faults or found.manufacturer_data or found.more_follows):
        layouts.learn(meter, headers_of(found.records))


def _take(layers: Layers, opened: security.Opened) -> None:
    layers.data = opened.data
    layers.walk = opened.walk
    layers.encrypted |= opened.encrypted
    layers.verified |= opened.verified or opened.walk.verified
    layers.authenticated = opened.authenticated
    layers.tag = opened.tag


def _judge(opened: security.Opened) -> None:
    """Refuse a list without one good record, and one whose key only its own sense could have proved."""
    walk = opened.walk
    if not opened.doubtful and (walk.records or not walk.faults):
        return
    fault = walk.faults[0] if walk.faults else _left_over(opened)
    why = " (the key seems to fit, but only clean records would prove it)" if opened.doubtful else ""
    raise type(fault)(fault.code, fault.message + why, offset=fault.offset, evidence=fault.evidence)


def _left_over(opened: security.Opened) -> DecodeError:
    rest = opened.walk.leftover
    at = len(opened.data) - len(rest)
    said = "bytes are left over behind the last record"
    return RecordError("truncated_record", said, offset=at, evidence={"bytes": rest.hex().upper()})


def _check_encrypted(layers: Layers, keys: Keys) -> None:
    """Refuse a payload in clear from a meter whose key is known."""
    header, meter = layers.header, layers.meter
    if layers.encrypted or header is None or meter is None or CI[header.ci].content not in _READABLE:
        return
    if keys(meter):
        raise SecurityError(
            "not_encrypted",
            "a key of this meter is known, but the payload came in clear",
            offset=header.end,
            evidence={"mode": header.mode},
        )


def _identified(layers: Layers) -> Telegram:
    telegram = layers.telegram()
    if telegram is None:
        raise anonymous(layers)
    return telegram
