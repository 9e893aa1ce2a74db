"""Authentication and fragmentation layer (EN 13757-7, CI 90).

::

    90 AFLL FCL(2) [MCL(1)] [KI(2)] [MCR(4)] [MAC(n)] [ML(2)]

AFLL counts the bytes behind it; FCL says which fields are there. All fields are sent low byte first except
the MAC, which stands in the order the CMAC gives it.
"""

from __future__ import annotations

from typing import NamedTuple

from decoders.errors import LayerError

__all__ = ["MAC_SIZES", "Afl", "encode", "parse", "write"]

CI = 0x90
_MORE_FRAGMENTS, _HAS_MCL, _HAS_ML, _HAS_MCR, _HAS_MAC, _HAS_KI = (
    0x4000,
    0x2000,
    0x1000,
    0x0800,
    0x0400,
    0x0200,
)
_FRAGMENT_ID = 0x00FF
_ML = 2

MAC_SIZES = {0: 0, 3: 2, 4: 4, 5: 8, 6: 12, 7: 16, 8: 12, 9: 16}
"""AT field of MCL -> bytes of the MAC: 3 to 7 AES-CMAC-128 truncated, 8 and 9 AES-GMAC-128."""


class Afl(NamedTuple):
    """One authentication and fragmentation layer.

    Attributes:
        start: offset of its CI field.
        end: offset of the CI field that follows it.
        fragmentation: FCL, 16 bits.
        control: MCL, if there.
        key_information: KI as transmitted, or empty.
        counter: MCR as transmitted, four bytes low byte first, or empty.
        mac: MAC, or empty.
        length: ML as transmitted, or empty.
    """

    start: int
    end: int
    fragmentation: int
    control: int | None
    key_information: bytes
    counter: bytes
    mac: bytes
    length: bytes

    @property
    def fragment(self) -> int:
        """FID: 1, 2, 3 in the parts of a longer message, 0 in a whole one."""
        return self.fragmentation & _FRAGMENT_ID

    @property
    def more(self) -> bool:
        """MF: another fragment follows."""
        return bool(self.fragmentation & _MORE_FRAGMENTS)

    @property
    def algorithm(self) -> int:
        """AT field: 5 is AES-CMAC-128 truncated to eight bytes."""
        return (self.control or 0) & 0x0F

    def authenticated(self, transport: bytes) -> bytes:
        """Give what the MAC covers: MCL, KI, MCR, ML, then all bytes from the transport CI field on."""
        control = b"" if self.control is None else bytes((self.control,))
        return control + self.key_information + self.counter + self.length + transport


def parse(data: bytes, start: int) -> Afl:
    """Read the layer whose CI field stands at ``start``.

    Raises:
        LayerError: ``truncated`` where the fields do not fill AFLL; ``unsupported_layer`` for reserved
            authentication types.
    """
    fcl_end = start + 4
    end = start + 2 + data[start + 1] if len(data) > start + 1 else fcl_end
    if len(data) <= end or end < fcl_end:
        raise LayerError("truncated", "the authentication layer ends too early", offset=min(end, len(data)))
    return _fields(data, start, end, int.from_bytes(data[start + 2 : fcl_end], "little"))


def _fields(data: bytes, start: int, end: int, flags: int) -> Afl:
    """Cut the fields FCL announces, in wire order."""
    at = start + 4

    def take(flag: int, size: int) -> bytes:
        nonlocal at
        if not flags & flag:
            return b""
        at += size
        return data[at - size : at]

    control = take(_HAS_MCL, 1)
    key_information = take(_HAS_KI, 2)
    counter = take(_HAS_MCR, 4)
    mac = take(_HAS_MAC, _mac_size(control, at) if control else _mac_that_fits(flags, end - at))
    length = take(_HAS_ML, 2)
    if at != end:
        raise LayerError(
            "truncated",
            "the fields of the authentication layer do not fill its length",
            offset=start + 1,
            evidence={"length": end - start - 2, "fields": at - start - 2},
        )
    return Afl(start, end, flags, control[0] if control else None, key_information, counter, mac, length)


def _mac_that_fits(flags: int, rest: int) -> int:
    """Give the size of the MAC in a last fragment; MCL, which says it, stands in the first."""
    return rest - _ML if flags & _HAS_ML else rest


def _mac_size(control: bytes, at: int) -> int:
    kind = control[0] & 0x0F
    if kind not in MAC_SIZES:
        raise LayerError(
            "unsupported_layer", "a reserved authentication type", offset=at, evidence={"at": kind}
        )
    return MAC_SIZES[kind]


def encode(counter: bytes, mac: bytes) -> bytes:
    """Give an unfragmented layer with MCL (AT 5), MCR and an eight-byte MAC, as OMS profile B sends it."""
    return write(control=MCL_CMAC_8, counter=counter, mac=mac)


def write(  # noqa: PLR0913  the fields of the layer
    *,
    fragment: int = 0,
    more: bool = False,
    control: int | None = None,
    key_information: bytes = b"",
    counter: bytes = b"",
    mac: bytes = b"",
    length: bytes = b"",
) -> bytes:
    """Give a layer with these fields; they are as transmitted, and an empty one is left out."""
    mcl = b"" if control is None else bytes((control,))
    there = (
        (_MORE_FRAGMENTS, more),
        (_HAS_MCL, mcl),
        (_HAS_KI, key_information),
        (_HAS_MCR, counter),
        (_HAS_MAC, mac),
        (_HAS_ML, length),
    )
    flags = fragment | sum(flag for flag, field in there if field)
    fields = flags.to_bytes(2, "little") + mcl + key_information + counter + mac + length
    return bytes((CI, len(fields))) + fields


MCL_CMAC_8 = 0x25
"""MCL of OMS profile B: a message counter stands in the layer, AES-CMAC-128 truncated to eight bytes."""
