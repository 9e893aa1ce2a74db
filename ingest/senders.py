"""Who sent the frames of a batch: each brought to its one form, its headers read, frames alike found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from decoders.decode import peek_frame
from decoders.errors import DecodeError
from decoders.wmbus.link import CONTROL, Frame, normalise
from decoders.wmbus.no_checksums import masks_of, may_hold
from ingest.dedupe import fingerprint
from metering.meter import MeterId
from metering.uplink import FrameUplink

__all__ = ["Kind", "Senders", "normalised"]

_WIRED = 0x68
"""Fourth byte of a wired frame; a radio frame that has it there by chance goes the long way."""


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
                    headers = peek_frame(frame)
                    self.kinds[mark] = Kind(mark, frame, headers.meter, headers.sender)
                self.marks[place] = mark
            except DecodeError as wrong:
                self.wrong[place] = wrong

    def first(self) -> Mapping[int, Kind]:
        """Give the frames by the first place each was found at."""
        places: dict[bytes, int] = {}
        for place, mark in self.marks.items():
            places.setdefault(mark, place)
        return {place: self.kinds[mark] for mark, place in places.items()}


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
