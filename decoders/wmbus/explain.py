"""What the bytes of the headers mean, layer by layer, out of what the decoder found."""

from __future__ import annotations

from decoders.errors import DecodeError
from decoders.media import medium
from decoders.wmbus.address import identity
from decoders.wmbus.afl import Afl
from decoders.wmbus.ci import CI, Content, Header
from decoders.wmbus.ell import AES_CTR, Ell
from decoders.wmbus.explain_records import explain_compact, explain_format, explain_records, shown
from decoders.wmbus.fixed import Fixed
from decoders.wmbus.layers import Layers
from decoders.wmbus.link import CONTROL
from decoders.wmbus.records import walk
from decoders.wmbus.security import after_mark, sealed
from decoders.wmbus.spans import Spans, Understanding
from decoders.wmbus.transport import (
    AES_CBC,
    AES_CBC_DERIVED,
    AES_CCM,
    DES_CBC,
    DES_CBC_DATED,
    TransportHeader,
)
from metering.meter import MeterId

__all__ = ["explain"]

LINK, EXTENDED, AUTHENTICATION = "link", "extended link", "authentication"
TRANSPORT, APPLICATION = "transport", "application"

_COUNTING = frozenset({DES_CBC, DES_CBC_DATED, AES_CBC, AES_CBC_DERIVED})
_STATES = ("no error", "application busy", "application error", "abnormal condition")
_STATUS_BITS = ((0x04, "power low"), (0x08, "permanent error"), (0x10, "temporary error"))
_CC_BITS = (
    (0x80, "bidirectional"),
    (0x40, "fast response"),
    (0x20, "synchronous"),
    (0x10, "repeated once"),
    (0x08, "priority"),
    (0x04, "accessible"),
    (0x02, "repeated access"),
    (0x01, "extended delay"),
)


def explain(layers: Layers, error: DecodeError | None) -> Spans:
    """Lay spans over a whole frame.

    Args:
        layers: what was read of it.
        error: why reading stopped, if it did.
    """
    spans = Spans(layers.frame.data, layers.data + layers.frame.data[len(layers.data) :])
    if layers.frame.wired:
        _wired_head(spans)
    else:
        _link(spans, layers)
    if layers.ell:
        _extended(spans, layers.ell, sealed=_link_sealed(layers))
    if layers.afl:
        _authentication(spans, layers.afl)
    if layers.fixed:
        _fixed(spans, layers.fixed)
    if layers.header:
        _transport(spans, layers.header)
        _application(spans, layers, layers.header, error)
    _unread(spans, layers, error)
    return spans


def _wired_head(spans: Spans) -> None:
    """Start bytes, lengths, C and A field (EN 13757-2)."""
    data = spans.clear
    spans.lay(1, LINK, "start")
    spans.lay(1, LINK, "L field", f"{data[1]} bytes follow the second start")
    spans.lay(1, LINK, "L field, repeated")
    spans.lay(1, LINK, "start, repeated")
    spans.lay(1, LINK, "C field", _control(data[4]))
    spans.lay(1, LINK, "A field", f"primary address {data[5]}")


def _link(spans: Spans, layers: Layers) -> None:
    """L, C, M and A field (EN 13757-4)."""
    data = spans.clear
    spans.lay(1, LINK, "L field", f"{data[0]} bytes follow")
    spans.lay(1, LINK, "C field", _control(data[1]))
    plain = identity(data[2:10])
    spans.lay(2, LINK, "M field", plain.manufacturer if plain else "")
    if layers.sender == plain and plain:
        _address(spans, LINK, plain)
    else:
        spans.lay(6, LINK, "A field, in the manufacturer's own order", str(layers.sender or ""))


def _address(spans: Spans, layer: str, meter: MeterId) -> None:
    """Number, version and device type after the manufacturer."""
    spans.lay(4, layer, "identification number", meter.serial)
    _version_and_type(spans, layer, meter)


def _version_and_type(spans: Spans, layer: str, meter: MeterId) -> None:
    spans.lay(1, layer, "version", meter.version)
    spans.lay(1, layer, "device type", medium(meter))


def _fixed(spans: Spans, fixed: Fixed) -> None:
    """Number, access number, status, units and counters (EN 1434-3:1997)."""
    spans.lay(1, TRANSPORT, "CI field", "fixed data structure")
    spans.lay(4, TRANSPORT, "identification number", fixed.serial)
    spans.lay(1, TRANSPORT, "access number", str(fixed.access))
    spans.lay(1, TRANSPORT, "status", f"{fixed.status:02X}", Understanding.PARTLY)
    spans.lay(2, APPLICATION, "device type and units", f"device type {fixed.device_type}")
    for record in fixed.records:
        value = "; ".join(filter(None, (shown(record.value, record.unit), record.remark)))
        spans.lay(len(record.data), APPLICATION, f"counter: {record.quantity.replace('_', ' ')}", value)


def _extended(spans: Spans, ell: Ell, *, sealed: bool) -> None:
    """CI, CC, ACC, receiver, session number and payload CRC (EN 13757-4)."""
    spans.lay_until(ell.start, EXTENDED, "before the extended link layer")
    spans.lay(1, EXTENDED, "CI field", CI[ell.ci].name)
    spans.lay(1, EXTENDED, "communication control", _named(ell.communication, _CC_BITS) or "one way")
    spans.lay(1, EXTENDED, "access number", str(ell.access))
    if ell.receiver:
        receiver = identity(ell.receiver)
        spans.lay(8, EXTENDED, "receiver address", str(receiver or ell.receiver.hex().upper()))
    if ell.session:
        spans.lay(4, EXTENDED, "session number", _session(ell))
        if not sealed:
            spans.lay_until(ell.end, EXTENDED, "payload checksum")


def _link_sealed(layers: Layers) -> bool:
    """Whether the extended link layer is encrypted and no key opened it."""
    received = layers.frame.data[: len(layers.data)]
    encrypted = layers.ell is not None and layers.ell.encryption == AES_CTR and layers.encrypted
    return encrypted and layers.data == received


def _authentication(spans: Spans, afl: Afl) -> None:
    """CI, length, and the fields FCL announces (EN 13757-7)."""
    spans.lay_until(afl.start, AUTHENTICATION, "before the authentication layer")
    spans.lay(1, AUTHENTICATION, "CI field", CI[0x90].name)
    spans.lay(1, AUTHENTICATION, "length", f"{afl.end - afl.start - 2} bytes follow")
    spans.lay(2, AUTHENTICATION, "fragmentation control", f"{afl.fragmentation:04X}")
    if afl.control is not None:
        spans.lay(1, AUTHENTICATION, "message control", f"authentication type {afl.algorithm}")
    spans.lay(len(afl.key_information), AUTHENTICATION, "key information", "", Understanding.PARTLY)
    spans.lay(len(afl.counter), AUTHENTICATION, "message counter", _number(afl.counter))
    spans.lay(len(afl.mac), AUTHENTICATION, "message authentication code")
    spans.lay(len(afl.length), AUTHENTICATION, "message length", _number(afl.length))
    spans.lay_until(afl.end, AUTHENTICATION, "not read", "", Understanding.NOT)


def _transport(spans: Spans, header: TransportHeader) -> None:
    """CI, address, ACC, status and configuration (EN 13757-7)."""
    spans.lay_until(header.start, TRANSPORT, "before the transport layer")
    spans.lay(1, TRANSPORT, "CI field", _ci(header.ci))
    if header.address:
        _meter(spans, header.address)
    if header.access is None or header.status is None:
        return
    spans.lay(1, TRANSPORT, "access number", str(header.access))
    spans.lay(1, TRANSPORT, "status", _status(header.status))
    spans.lay(2, TRANSPORT, "configuration field", _configuration(header))
    spans.lay(len(header.extension), TRANSPORT, "configuration field extension", "", Understanding.PARTLY)
    spans.lay_until(header.end, TRANSPORT, "message counter, key version", _number(header.counter))


def _meter(spans: Spans, address: bytes) -> None:
    """Lay the meter's address: the transport layer sends the number before the manufacturer."""
    meter = identity(address)
    if meter is None:
        spans.lay(8, TRANSPORT, "meter address", address.hex().upper(), Understanding.NOT)
        return
    spans.lay(4, TRANSPORT, "identification number", meter.serial)
    spans.lay(2, TRANSPORT, "manufacturer", meter.manufacturer)
    _version_and_type(spans, TRANSPORT, meter)


def _application(spans: Spans, layers: Layers, header: TransportHeader, error: DecodeError | None) -> None:
    content = CI[header.ci].content
    if content is Content.RECORDS:
        _records(spans, layers, header, error)
    elif content in _BY_LAYOUT and not sealed(layers.data, header):
        inner = Spans(spans.received[: len(layers.data)], layers.data, spans.laid, spans.at)
        _BY_LAYOUT[content](inner, layers.walk, after_mark(layers.data, header))
        spans.at = inner.at


_BY_LAYOUT = {Content.COMPACT: explain_compact, Content.FORMAT: explain_format}


def _records(spans: Spans, layers: Layers, header: TransportHeader, error: DecodeError | None) -> None:
    found, start = layers.walk, header.end
    if found is None:
        if error is None or not sealed(layers.data, header):
            return
        size = header.encrypted if header.mode in _COUNTING else len(layers.data)
        spans.lay(
            min(size, len(layers.data) - start), APPLICATION, "encrypted", error.message, Understanding.NOT
        )
        start = spans.at
        found = walk(layers.data[start:], start)  # what follows the encrypted blocks is in clear
    inner = Spans(spans.received[: len(layers.data)], layers.data, spans.laid, spans.at)
    explain_records(inner, found, start)
    spans.at = inner.at


def _unread(spans: Spans, layers: Layers, error: DecodeError | None) -> None:
    """Lay what no layer took, then the end of a wired frame."""
    end, reason = len(layers.data), error.message if error else ""
    if layers.header is None and _link_sealed(layers):
        spans.lay_until(end, EXTENDED, "encrypted", reason, Understanding.NOT)
    spans.lay_until(end, APPLICATION, "not read", reason, Understanding.NOT)
    spans.lay(layers.tag, APPLICATION, "authentication tag", "fits")
    if layers.frame.wired:
        spans.lay(1, LINK, "checksum", "fits")
        spans.lay(1, LINK, "stop")
    spans.rest(LINK, "not read", reason)


def _ci(code: int) -> str:
    header = CI[code].header
    return f"{CI[code].name}, {'no' if header is Header.NONE else header} header"


def _control(code: int) -> str:
    control = CONTROL.get(code & 0x7F)
    return control.name if control else ""


def _named(bits: int, names: tuple[tuple[int, str], ...]) -> str:
    return ", ".join(name for mask, name in names if bits & mask)


def _number(data: bytes) -> str:
    return str(int.from_bytes(data, "little")) if data else ""


def _session(ell: Ell) -> str:
    number = int.from_bytes(ell.session or b"", "little")
    how = "AES-128-CTR" if ell.encryption == AES_CTR else "not encrypted"
    return f"{how}, minute {number >> 4 & 0x1FFFFFF}, session {number & 0x0F}"


def _status(status: int) -> str:
    words = [_STATES[status & 3], _named(status, _STATUS_BITS)]
    words.append(f"manufacturer's bits {status & 0xE0:02X}" if status & 0xE0 else "")
    return ", ".join(filter(None, words))


def _configuration(header: TransportHeader) -> str:
    if header.mode in {AES_CBC, AES_CBC_DERIVED}:
        return f"security mode {header.mode}, {header.blocks} encrypted blocks"
    if header.mode in _COUNTING:
        return f"security mode {header.mode}, {header.encrypted} encrypted bytes"
    if header.mode == AES_CCM:
        return f"security mode {header.mode}, authenticated"
    return f"security mode {header.mode}"
