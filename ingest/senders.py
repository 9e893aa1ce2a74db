"""Who sent the frames of a batch: each brought to its one form, its headers read, frames alike found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from decoders.decode import peek_frame
from decoders.errors import DecodeError
from decoders.wmbus.address import identity, link_order
from decoders.wmbus.ci import CI, Content, Header
from decoders.wmbus.link import CONTROL, Frame, header, normalise
from decoders.wmbus.no_checksums import masks_of, may_hold
from ingest.dedupe import fingerprint
from metering.meter import MeterId
from metering.uplink import FrameUplink

__all__ = ["Kind", "Senders", "addresses", "normalised"]

_WIRED = 0x68
"""Fourth byte of a wired frame; a radio frame that has it there by chance goes the long way."""


_BEHIND_LINK = 10
"""Where the CI field stands behind the link layer."""
_SHORT_ELL = 0x8C
_BEHIND_ELL = 13
"""Where the next one stands behind the extended link layer I."""
_LONG = 13
"""Bytes of CI field and long transport header."""
_LOWER = frozenset({Content.ELL, Content.AFL})
_WITH_ADDRESS = frozenset(one.code for one in CI if one.header is Header.LONG and one.content not in _LOWER)
_WITHOUT_ADDRESS = frozenset(
    one.code for one in CI if one.header is not Header.LONG and one.content not in _LOWER
)


class Kind(NamedTuple):
    """What identical frames have in common.

    Attributes:
        mark: digest of the frame.
        frame: in its one form.
        meter: the meter it is from.
        sender: the radio it is from.
    """

    mark: bytes
    frame: Frame
    meter: MeterId
    sender: MeterId


@dataclass(slots=True)
class Senders:
    """The frames of a batch, identified.

    Attributes:
        kinds: by digest.
        marks: digest by place, of frames that could be identified.
        wrong: by place, why the others could not.
    """

    kinds: dict[bytes, Kind] = field(default_factory=dict)
    marks: dict[int, bytes] = field(default_factory=dict)
    wrong: dict[int, DecodeError] = field(default_factory=dict)

    def identify(self, uplinks: Mapping[int, FrameUplink]) -> None:
        """Identify frames; ``uplinks`` by place."""
        for place, uplink in uplinks.items():
            try:
                frame = normalised(uplink.frame, checksums=uplink.checksums)
                mark = fingerprint(frame.data)
                if mark not in self.kinds:
                    self.kinds[mark] = Kind(mark, frame, *addresses(frame))
                self.marks[place] = mark
            except DecodeError as wrong:
                self.wrong[place] = wrong

    def first(self) -> Mapping[int, Kind]:
        """Give the frames by the first place each was found at."""
        places: dict[bytes, int] = {}
        for place, mark in self.marks.items():
            places.setdefault(mark, place)
        return {place: self.kinds[mark] for mark, place in places.items()}


def addresses(frame: Frame) -> tuple[MeterId, MeterId]:
    """Give the meter and the radio a frame is from, as :func:`decoders.decode.peek_frame` does.

    Where nothing but a transport header follows the link layer, or an extended one without encryption, both
    stand at known places, and the other headers need not be read.

    Raises:
        DecodeError: not even an identity can be had.
    """
    data = frame.data
    if not frame.wired and len(data) > _BEHIND_ELL:
        at = _BEHIND_ELL if data[_BEHIND_LINK] == _SHORT_ELL else _BEHIND_LINK
        if data[at] in _WITHOUT_ADDRESS:
            sender = header(data).sender
            return sender, sender
        if data[at] in _WITH_ADDRESS and len(data) >= at + _LONG:
            meter = identity(link_order(data[at + 1 : at + 9]))
            if meter is not None:
                return meter, header(data).sender
    headers = peek_frame(frame)
    return headers.meter, headers.sender


def normalised(raw: bytes, *, checksums: bool = False) -> Frame:
    """Bring a frame to its one form.

    Nearly all gateways take the link-layer checksums off. One that does not is recognised by its lengths
    where they are of frame format A; what looks like format B is, once in 65536 frames, one without checksums
    whose last two bytes happen to fit, and must not lose them: those are taken off only where that is told.

    Args:
        raw: as received.
        checksums: the gateway is known to leave them in.

    Raises:
        FrameError: no frame, or damaged.
    """
    if checksums:
        return _with_checksums(raw)
    if _plain(raw):
        return Frame(raw)
    frame = normalise(raw)
    return normalise(raw, crc="none") if frame.crc == "B" else frame


def _with_checksums(raw: bytes) -> Frame:
    frame = normalise(raw)
    return frame if frame.crc != "none" or frame.wired else normalise(raw, crc="B")  # says what is damaged


def _plain(raw: bytes) -> bool:
    """Whether a frame is in its one form already, told without computing checksums; nearly always."""
    if len(raw) < 10 or len(raw) != raw[0] + 1 or raw[1] not in CONTROL or raw[3] == _WIRED:
        return False
    return not may_hold(int.from_bytes(raw, "little"), masks_of(len(raw)))
