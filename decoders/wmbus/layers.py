"""The walk through the layers of one frame, from the outside in, every offset kept.

:func:`begin` needs no key and gives the identity of the radio; :func:`read_headers` goes on to the
application layer. What was found stays in :class:`Layers` when a later layer fails, for errors and for the
trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from decoders.errors import LayerError, SecurityError
from decoders.quick_records import quick_telegram
from decoders.telegram import Keys, Security, Telegram
from decoders.wmbus import afl, ell, link, link_security, security, transport, wired
from decoders.wmbus.address import identity
from decoders.wmbus.ci import CI, Content
from decoders.wmbus.fixed import Fixed, read_fixed
from decoders.wmbus.records import Walk
from metering.meter import MeterId

__all__ = ["KeysOnce", "Layers", "begin", "read_headers"]


class KeysOnce:
    """A :data:`~decoders.telegram.Keys` that is asked at most once per address."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._known: dict[MeterId, Sequence[bytes]] = {}

    def __call__(self, meter: MeterId) -> Sequence[bytes]:
        """Give the keys to try for a meter."""
        if meter not in self._known:
            self._known[meter] = self._keys(meter)
        return self._known[meter]


@dataclass(slots=True)
class Layers:
    """What is known of a frame so far.

    Attributes:
        frame: the frame in its one form.
        data: its bytes up to the end of the application layer, encrypted parts replaced once opened.
        control: C field.
        sender: link-layer address; ``None`` in a wired frame.
        address: the address that keys and IVs take, link order as transmitted.
        meter: the meter, as far as known.
        ci: CI fields so far.
        ell: extended link layer.
        afl: authentication layer.
        header: transport header.
        walk: records, once read.
        encrypted: something was encrypted as received.
        verified: a code inside the protection fits.
        authenticated: the MAC was checked and fits.
        fixed: fixed data structure of an old wired meter.
        tag: bytes of an authentication tag between ``data`` and the end of the frame.
    """

    frame: link.Frame
    data: bytes
    control: int
    sender: MeterId | None
    address: bytes
    meter: MeterId | None
    ci: list[int] = field(default_factory=list)
    ell: ell.Ell | None = None
    afl: afl.Afl | None = None
    header: transport.TransportHeader | None = None
    walk: Walk | None = None
    encrypted: bool = False
    verified: bool = False
    authenticated: bool = False
    fixed: Fixed | None = None
    tag: int = 0

    def security(self) -> Security:
        """Say what protects the telegram."""
        header, extended = self.header, self.ell
        counter = (header.counter if header else b"") or (self.afl.counter if self.afl else b"")
        return Security(
            header.mode if header else 0,
            extended.encryption if extended else 0,
            self.encrypted,
            self.verified,
            self.authenticated,
            int.from_bytes(counter, "little") if counter else None,
        )

    def telegram(self) -> Telegram | None:
        """Give the telegram as far as understood; ``None`` without a meter."""
        if self.meter is None:
            return None
        header, walk = self.header, self.walk or _NOTHING
        access = self.ell.access if self.ell else header.access if header else None
        return quick_telegram(
            self.frame.data,
            self.meter,
            self.sender or self.meter,
            self.control,
            tuple(self.ci),
            access,
            header.status if header else None,
            self.security(),
            walk.records,
            walk.manufacturer_data,
            walk.more_follows,
            self.data[header.end :] if header else b"",
            walk.faults,
            self.frame.wired,
        )


_NOTHING = Walk()
_FIXED = "fixed data structure"
_WIRED_ONLY = {
    0x55: "command",
    0x56: "selection of a device",
    0x73: _FIXED,
    0x76: "variable data structure",
    0x77: _FIXED + " of mode 2",
}
"""On the wire; by radio 73 is a compact frame, and the others are reserved or something else."""


def begin(frame: link.Frame) -> Layers:
    """Read the link layer.

    Raises:
        FrameError: ``not_a_frame``.
    """
    data = frame.data
    if frame.wired:
        return Layers(frame, data[:-2], data[4] & 0x7F, None, b"", None)
    head = link.header(data)
    return Layers(frame, data, head.control, head.sender, head.address, head.sender)


def read_headers(layers: Layers, keys: Keys) -> None:
    """Read extended link layer, authentication layer and transport header, as far as they are there.

    Raises:
        DecodeError: the layer that fails; what was read before stays in ``layers``.
    """
    at = wired.CI_AT if layers.frame.wired else 10
    if at >= len(layers.data):
        return  # a frame without CI field: the link layer is all there is
    if _content(layers, at) is Content.ELL:
        at = _read_ell(layers, at, keys)
    if _content(layers, at) is Content.AFL:
        at = _read_afl(layers, at)
    _read_transport(layers, at)


def _content(layers: Layers, at: int) -> Content:
    return CI[layers.data[at]].content


def _read_ell(layers: Layers, at: int, keys: Keys) -> int:
    layers.ci.append(layers.data[at])
    layers.ell = extended = ell.parse(layers.data, at)
    if extended.session is None:
        return extended.end
    if extended.encryption == 0:
        ell.check_payload(layers.data, extended)
    else:
        _open_link(layers, extended, keys)
    layers.verified = True
    return extended.end


def _read_afl(layers: Layers, at: int) -> int:
    layers.ci.append(layers.data[at])
    layers.afl = read = afl.parse(layers.data, at)
    if read.fragment or read.more:
        raise LayerError(
            "fragment",
            f"fragment {read.fragment} of a longer message",
            offset=at + 2,
            evidence={"fragment": read.fragment, "more": int(read.more)},
        )
    return read.end


def _open_link(layers: Layers, extended: ell.Ell, keys: Keys) -> None:
    """Decrypt, unless the frame came decrypted.

    A key that fits settles it, for the CRC of a ciphertext may fit in clear by chance.
    """
    known = keys(layers.sender) if layers.sender else ()
    try:
        layers.data = link_security.open_link(layers.data, extended, layers.address, known)
        layers.encrypted = True
    except SecurityError:
        layers.encrypted = not link_security.link_is_clear(layers.data, extended)
        if layers.encrypted:
            raise


def _read_transport(layers: Layers, at: int) -> None:
    layers.ci.append(layers.data[at])
    if layers.frame.wired and layers.data[at] in _WIRED_ONLY:
        _read_wired_only(layers, at)
        return
    layers.header = header = transport.parse(layers.data, at)
    if header.address is not None:
        layers.address = header.address
        layers.meter = identity(header.address)
        if layers.meter is None:
            raise LayerError(
                "unsupported_layer",
                "the transport header's manufacturer code holds no letters",
                offset=at + 5,
                evidence={"m": header.address[:2].hex()},
            )
    layers.encrypted |= security.sealed(layers.data, header)


def _read_wired_only(layers: Layers, at: int) -> None:
    """Read what other CI fields mean on the wire than by radio."""
    name = _WIRED_ONLY[layers.data[at]]
    if name != _FIXED:
        raise LayerError(
            "unsupported_layer",
            f"{name}, high byte first: mode 2 of old issues is not read",
            offset=at,
            evidence={"ci": f"{layers.data[at]:02X}", "name": name},
        )
    layers.fixed = read_fixed(layers.data, at)
