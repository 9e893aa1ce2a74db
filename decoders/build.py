"""The other direction: frames out of values, for the simulator and for round-trip tests.

What :func:`build` writes, :func:`decoders.decode` reads back as the same. Records come from
:mod:`decoders.wmbus.encode` or from anywhere else; here they are wrapped, protected and framed as a meter
does it: records, transport header, authentication layer, extended link layer, link layer, block checksums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from decoders.build_transport import KEY_SIZES, HeaderKind, Transport
from decoders.wmbus import blocks, ciphers, wired
from decoders.wmbus.address import wire
from decoders.wmbus.crc import crc_little
from decoders.wmbus.link import CONTROL, Crc
from decoders.wmbus.transport import AES_CBC, AES_CBC_DERIVED, AES_CCM, NO_SECURITY
from metering.errors import InvalidValue
from metering.meter import MeterId

__all__ = ["EllSpec", "HeaderKind", "build", "build_wired"]

_FULL_FRAME: Mapping[str, int] = {"none": 0x78, "short": 0x7A, "long": 0x72}
_COUNTED = frozenset({AES_CBC_DERIVED, AES_CCM})
_WITH_SYNCHRONOUS_BIT = frozenset({NO_SECURITY, AES_CBC})
_LONGEST_B = 252  # two checksums of 2 bytes on top make 256
_WITH_RECEIVER, _WITH_SESSION = frozenset({0x8E, 0x8F}), frozenset({0x8D, 0x8F})
_ENC_AES_CTR = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EllSpec:
    """An extended link layer (EN 13757-4).

    Attributes:
        ci: 8C, 8D, 8E or 8F.
        cc: communication control; 20 = synchronous, one way.
        access: access number of the link layer.
        session: SN as a 32-bit number, for 8D and 8F: bits 31-29 = 1 encrypt, 0 do not.
        receiver: whom the telegram is for, for 8E and 8F.
    """

    ci: int = 0x8C
    cc: int = 0x20
    access: int = 0
    session: int | None = None
    receiver: MeterId | None = None

    def __post_init__(self) -> None:
        if self.ci not in {0x8C, 0x8D, 0x8E, 0x8F}:
            raise InvalidValue(f"CI {self.ci:02X} is no extended link layer that can be built; 8C to 8F can")
        _fits(8, cc=self.cc, ell_access=self.access)
        if (self.session is not None) != (self.ci in _WITH_SESSION):
            raise InvalidValue("a session number stands in 8D and 8F, and only there")
        if (self.receiver is not None) != (self.ci in _WITH_RECEIVER):
            raise InvalidValue("a receiver stands in 8E and 8F, and only there")
        if self.session is not None:
            _fits(32, session=self.session)
            if self.encryption > _ENC_AES_CTR:
                raise InvalidValue(f"link encryption {self.encryption} is reserved; 0 or 1")

    @property
    def encryption(self) -> int:
        """ENC field of the session number."""
        return self.session >> 29 if self.session is not None else 0


def build(  # noqa: PLR0913  the fields of a telegram
    meter: MeterId,
    payload: bytes,
    *,
    sender: MeterId | None = None,
    control: int = 0x44,
    header: HeaderKind = "short",
    ci: int | None = None,
    access: int = 0,
    status: int = 0,
    synchronous: bool = False,
    mode: int = NO_SECURITY,
    key: bytes | None = None,
    counter: int | None = None,
    clear_tail: bytes = b"",
    ell: EllSpec | None = None,
    link_crc: Crc = "none",
) -> bytes:
    """Build a Wireless M-Bus frame.

    Args:
        meter: whose values these are.
        payload: data records; in modes 2, 5 and 7 ``2F2F`` and fillers are added.
        sender: link-layer address where it is another than the meter's; needs the long header.
        control: C field; 44 = SND-NR.
        header: transport header.
        ci: CI field if not that of a full frame (78, 7A, 72); must have the same kind of header.
        access: access number of the transport layer; part of the IV in mode 5.
        status: status byte.
        synchronous: bit S of the configuration field in modes 0 and 5; with an ``ell`` its own counts.
        mode: security mode 0, 2, 5, 7 or 10; 7 brings the authentication layer with an eight-byte MAC, 10 an
            eight-byte tag.
        key: 16 bytes, for modes 5, 7 and 10 and for an encrypted ``ell``; 8 for mode 2.
        counter: message counter of modes 7 and 10, below 2^32; never the same twice under a key.
        clear_tail: records after the encrypted bytes (partial encryption), in every mode but 0.
        ell: extended link layer.
        link_crc: block checksums: ``none`` as most receivers deliver, format ``A`` or ``B`` as on air.

    Raises:
        InvalidValue: the arguments do not make a telegram; says which.
    """
    _fits(8, control=control, access=access, status=status)
    if control & 0x7F not in CONTROL:
        raise InvalidValue(f"C field {control:02X} is not known")
    if sender not in {None, meter} and header != "long":
        raise InvalidValue("a sender other than the meter needs the long header, which names the meter")
    _check_protection(mode, header, key, clear_tail, link=ell is not None and ell.encryption > 0)
    transport = Transport(
        ci=_FULL_FRAME[header] if ci is None else ci,
        kind=header,
        address=wire(meter),
        access=access,
        status=status,
        flags=0x2000 if synchronous and mode in _WITH_SYNCHRONOUS_BIT else 0,
        mode=mode,
        key=key or b"",
        counter=_counter(mode, counter),
    )
    link_address = wire(sender or meter)
    layer = transport.layer(payload, clear_tail)
    inner = layer if ell is None else _extended(ell, link_address, layer, key)
    return _framed(bytes((control,)) + link_address + inner, link_crc)


def build_wired(  # noqa: PLR0913  the fields of a telegram
    meter: MeterId,
    payload: bytes,
    *,
    primary_address: int = 0,
    control: int = 0x08,
    access: int = 0,
    status: int = 0,
    mode: int = NO_SECURITY,
    key: bytes | None = None,
    clear_tail: bytes = b"",
) -> bytes:
    """Build a long frame of wired M-Bus with the long transport header (CI 72).

    Args:
        meter: whose values these are.
        payload: data records; in mode 5 ``2F2F`` and fillers are added.
        primary_address: A field.
        control: C field; 08 = RSP-UD.
        access: access number.
        status: status byte.
        mode: security mode 0 or 5.
        key: 16 bytes, for mode 5.
        clear_tail: records after the encrypted blocks, mode 5.

    Raises:
        InvalidValue: the arguments do not make a telegram; says which.
    """
    _fits(8, primary_address=primary_address, control=control, access=access, status=status)
    if mode not in _WITH_SYNCHRONOUS_BIT:
        raise InvalidValue("wired frames are built in modes 0 and 5")
    _check_protection(mode, "long", key, clear_tail, link=False)
    transport = Transport(
        ci=_FULL_FRAME["long"],
        kind="long",
        address=wire(meter),
        access=access,
        status=status,
        flags=0,
        mode=mode,
        key=key or b"",
        counter=b"",
    )
    return wired.encode(bytes((control, primary_address)) + transport.layer(payload, clear_tail))


# --- checks and the outer layers -----------------------------------------------------------------


def _fits(bits: int, **values: int) -> None:
    for name, value in values.items():
        if not 0 <= value < 1 << bits:
            raise InvalidValue(f"{name} {value} does not fit {bits} bits")


def _check_protection(
    mode: int, header: HeaderKind, key: bytes | None, clear_tail: bytes, *, link: bool
) -> None:
    if mode != NO_SECURITY and mode not in KEY_SIZES:
        raise InvalidValue(f"security mode {mode} cannot be built; 0, 2, 5, 7 and 10 can")
    if mode != NO_SECURITY and header == "none":
        raise InvalidValue(f"security mode {mode} needs a short or long header")
    if mode == NO_SECURITY and clear_tail:
        raise InvalidValue("a clear tail follows encrypted blocks; there are none in mode 0")
    used = mode != NO_SECURITY or link
    size = KEY_SIZES.get(mode, ciphers.BLOCK)
    if link and size != ciphers.BLOCK:
        raise InvalidValue("one key cannot serve DES and an encrypted extended link layer")
    if used and (key is None or len(key) != size):
        raise InvalidValue(f"a key of {size} bytes is needed")
    if not used and key is not None:
        raise InvalidValue("a key is given, but nothing is to be encrypted")


def _counter(mode: int, counter: int | None) -> bytes:
    if (counter is not None) != (mode in _COUNTED):
        raise InvalidValue("a message counter belongs to modes 7 and 10, and they need one")
    if counter is None:
        return b""
    _fits(32, counter=counter)
    return counter.to_bytes(4, "little")


def _extended(ell: EllSpec, sender: bytes, inner: bytes, key: bytes | None) -> bytes:
    """Put the extended link layer before the inner layers, and encrypt them if it says so."""
    receiver = wire(ell.receiver) if ell.receiver else b""
    head = bytes((ell.ci, ell.cc, ell.access)) + receiver
    if ell.session is None:
        return head + inner
    session = ell.session.to_bytes(4, "little")
    body = crc_little(inner) + inner
    if ell.encryption and key is not None:
        body = ciphers.xor_ctr(key, ciphers.counter_block(sender, ell.cc, session), body)
    return head + session + body


def _framed(body: bytes, link_crc: Crc) -> bytes:
    """Put L before the body, and checksums between its blocks."""
    longest = _LONGEST_B - 1 if link_crc == "B" else 255
    if len(body) > longest:
        raise InvalidValue(f"the telegram has {len(body)} bytes after L; {longest} fit")
    frame = bytes((len(body),)) + body
    if link_crc == "A":
        return blocks.add_format_a(frame)
    if link_crc == "B":
        return blocks.add_format_b(frame)
    return frame
