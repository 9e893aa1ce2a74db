"""Extended link layer I to IV (EN 13757-4, CI 8C to 8F).

::

    8C  CC ACC
    8D  CC ACC                  SN(4) payload CRC(2)
    8E  CC ACC  M2(2) A2(6)
    8F  CC ACC  M2(2) A2(6)     SN(4) payload CRC(2)

The payload CRC covers every byte behind it to the end of the frame, in clear; with encryption it is itself
the first encrypted field. ELL V (CI 86) selects its fields by a control byte and is not read.
"""

from __future__ import annotations

from typing import NamedTuple

from decoders.errors import FrameError, LayerError
from decoders.wmbus.crc import crc16

__all__ = ["AES_CTR", "Ell", "check_payload", "crc_fits", "parse", "session"]

AES_CTR = 1
"""ENC field of the session number: AES-128 in counter mode; 0 is none, the rest is reserved."""

_SIZES = {0x8C: 2, 0x8D: 8, 0x8E: 10, 0x8F: 16}


class Ell(NamedTuple):
    """One extended link layer.

    Attributes:
        ci: 8C..8F.
        start: offset of its CI field.
        end: offset of the CI field that follows it.
        communication: CC byte: bidirectional, delay, synchronous, hop, priority, access (bits 7..0).
        access: access number of the link layer.
        receiver: M2 and A2 as transmitted, eight bytes in link order, if addressed.
        session: SN as transmitted, four bytes, if there is one.
    """

    ci: int
    start: int
    end: int
    communication: int
    access: int
    receiver: bytes | None
    session: bytes | None

    @property
    def encryption(self) -> int:
        """ENC field: 0 none, 1 AES-128-CTR."""
        return self.session[3] >> 5 if self.session else 0

    @property
    def crc_at(self) -> int:
        """Where the payload CRC stands, and where encryption begins."""
        return self.end - 2

    @property
    def synchronous(self) -> bool:
        """Sent on the meter's timetable (CC bit 5)."""
        return bool(self.communication & 0x20)


def parse(data: bytes, start: int) -> Ell:
    """Read the layer whose CI field stands at ``start``.

    Raises:
        LayerError: ``truncated``; ``unsupported_layer`` for ELL V and reserved encryptions.
    """
    ci = data[start]
    if ci not in _SIZES:
        raise LayerError(
            "unsupported_layer", "extended link layer V is not read", offset=start, evidence={"ci": ci}
        )
    end = start + 1 + _SIZES[ci]
    if len(data) < end + 1:
        raise LayerError("truncated", "the extended link layer ends too early", offset=len(data))
    addressed = ci in {0x8E, 0x8F}
    ell = Ell(
        ci,
        start,
        end,
        communication=data[start + 1],
        access=data[start + 2],
        receiver=data[start + 3 : start + 11] if addressed else None,
        session=data[end - 6 : end - 2] if ci in {0x8D, 0x8F} else None,
    )
    if ell.encryption > AES_CTR:
        raise LayerError(
            "unsupported_layer",
            "a reserved encryption of the extended link layer",
            offset=end - 3,
            evidence={"enc": ell.encryption},
        )
    return ell


def crc_fits(payload: bytes) -> bool:
    """Whether CRC and clear payload, the CRC first, belong together."""
    return crc16(payload[2:]) == payload[0] | payload[1] << 8


def check_payload(data: bytes, ell: Ell) -> None:
    """Check the payload CRC of an unencrypted layer.

    Raises:
        FrameError: ``bad_crc``.
    """
    if not crc_fits(data[ell.crc_at :]):
        raise FrameError(
            "bad_crc",
            "the payload checksum of the extended link layer does not match",
            offset=ell.crc_at,
            evidence={"received": data[ell.crc_at : ell.end].hex()},
        )


def session(encryption: int, minutes: int, number: int) -> bytes:
    """Give SN on the wire: encryption (3 bits), minutes since start (25), session within the minute (4)."""
    return (encryption << 29 | minutes << 4 | number).to_bytes(4, "little")
