"""Bytes -> telegram: :func:`decode` with everything in it, :func:`peek` with the headers only.

Both give a telegram or one of the documented errors, nothing else, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

from decoders.errors import DecodeError, FrameError, LayerError, RecordError, SecurityError
from decoders.telegram import Keys, Telegram, no_keys
from decoders.wmbus import compact, link, security
from decoders.wmbus.ci import CI, Content
from decoders.wmbus.layers import KeysOnce, Layers, begin, read_headers
from decoders.wmbus.layouts import Layouts, headers_of
from decoders.wmbus.records import Walk, walk
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
    layers = begin(frame)
    once = KeysOnce(keys)
    try:
        _check_control(layers)
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
        raise _anonymous(layers)
    content = CI[header.ci].content
    if content is Content.NO_APPLICATION:
        return
    if content not in _READABLE:
        raise _refusal(layers, header.ci, header.start)
    payload = security.Payload(
        layers.data,
        header,
        layers.afl,
        layers.address,
        keys=lambda: keys(meter),
        read=lambda data: _read(layers, content, data[header.end :], header.end, layouts),
    )
    opened = security.open_payload(payload)
    _take(layers, opened)
    _judge(opened)
    if layouts is not None:
        _learn(layouts, meter, content, layers.data[header.end :], opened.walk)


_READABLE = frozenset({Content.RECORDS, Content.COMPACT, Content.FORMAT})


def _read(layers: Layers, content: Content, plain: bytes, offset: int, layouts: Layouts | None) -> Walk:
    """Read an application layer in clear that begins at ``offset``."""
    if content is Content.FORMAT:
        return compact.read_format(plain, offset)[1]
    if content is Content.COMPACT:
        known = layouts.find(layers.meter, compact.signature_in(plain)) if layouts and layers.meter else ()
        return compact.read_compact(plain, offset, tuple(known), intact=layers.verified)
    return walk(plain, offset)


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


# --- refusals ------------------------------------------------------------------------------------

_REFUSALS: Mapping[Content, tuple[str, str]] = {
    Content.MANUFACTURER: ("manufacturer_specific", "the payload is the manufacturer's own"),
    Content.RESERVED: ("unknown_ci", "the CI field is reserved"),
    Content.ELL: ("unsupported_layer", "an extended link layer in a place where none belongs"),
    Content.AFL: ("unsupported_layer", "an authentication layer in a place where none belongs"),
    Content.NETWORK: ("unsupported_layer", "the network layer is not read"),
    Content.ALARM: ("unsupported_layer", "alarm telegrams are not read"),
    Content.RESPONSE: ("unsupported_layer", "this response is not read"),
    Content.OTHER_PROTOCOL: ("unsupported_layer", "another application protocol"),
    Content.MANAGEMENT: ("not_meter_data", "network, image or security management"),
    Content.COMMAND: ("not_meter_data", "a command to a meter"),
    Content.APPLICATION_ERROR: ("not_meter_data", "the meter reports an application error"),
}
_APPLICATION_ERRORS: Mapping[int, str] = {
    0x00: "unspecified",
    0x01: "CI field not implemented",
    0x02: "buffer too long",
    0x03: "too many records",
    0x04: "premature end of record",
    0x05: "more than 10 DIFE",
    0x06: "more than 10 VIFE",
    0x08: "application busy",
    0x09: "too many readouts",
}


def _refusal(layers: Layers, ci: int, at: int) -> LayerError:
    """Say why there are no records behind this CI field."""
    code, message = _REFUSALS[CI[ci].content]
    evidence: dict[str, str | int] = {"ci": f"{ci:02X}", "name": CI[ci].name}
    payload = layers.data[layers.header.end :] if layers.header else b""
    if ci == 0x71 and layers.sender is not None and layers.sender.manufacturer in link.DIEHL:
        code, message = _REFUSALS[Content.MANUFACTURER]
    elif CI[ci].content is Content.APPLICATION_ERROR and payload:
        message += f": {_APPLICATION_ERRORS.get(payload[0], 'unknown')}"
        evidence["error"] = payload[0]
    return LayerError(code, message, offset=at, evidence=evidence)


def _check_control(layers: Layers) -> None:
    """Refuse frames towards a meter and acknowledgements."""
    control = link.CONTROL.get(layers.control)
    if control is None:
        raise FrameError("not_a_frame", f"C field {layers.control:02X} is not known", offset=1)
    if not control.from_meter:
        raise LayerError(
            "not_meter_data",
            f"{control.name}: not data from a meter",
            offset=4 if layers.frame.wired else 1,
            evidence={"control": layers.control},
        )


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


def _anonymous(layers: Layers) -> LayerError:
    """Say why a wired frame has no meter: no data records, or no address before them."""
    header = layers.header
    if header is not None and CI[header.ci].content in _REFUSALS:
        return _refusal(layers, header.ci, header.start)
    return LayerError(
        "unsupported_layer",
        "the wired frame names its meter by primary address only",
        offset=header.start if header else 0,
        evidence={"ci": f"{header.ci:02X}"} if header else {},
    )


def _identified(layers: Layers) -> Telegram:
    telegram = layers.telegram()
    if telegram is None:
        raise _anonymous(layers)
    return telegram
