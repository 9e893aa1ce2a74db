"""BMeters Hydroclima: heat cost allocator, two layouts of manufacturer data behind its records.

Times, dates and counters in between are not told: how they are packed is not proved.
"""

from __future__ import annotations

from collections.abc import Mapping

from decoders.payload import NOT_MINE, Payload, Sent, block

__all__ = ["read_payload"]

_LAYOUTS: Mapping[tuple[int, int], tuple[tuple[int, str], ...]] = {
    (0x10, 24): (
        (1, "02FD17"),
        (7, "0265"),
        (9, "1265"),
        (15, "4265"),
        (17, "4259"),
        (21, "83056E"),
    ),
    (0x11, 47): (
        (1, "02FD17"),
        (9, "0259"),
        (11, "0265"),
        (13, "1265"),
        (17, "4259"),
        (19, "4265"),
        (21, "82016E"),
        (23, "C2016E"),
        (25, "82026E"),
        (27, "C2026E"),
        (29, "820165"),
        (31, "C20165"),
        (33, "820265"),
        (44, "83056E"),
    ),
}
"""First byte and length -> where what stands; all of it is in a form of the standard."""


def read_payload(sent: Sent) -> Payload:
    """Read temperatures, values at set dates and the total of all seasons."""
    piece = sent.manufacturer_data
    layout = _LAYOUTS.get((piece[0], len(piece))) if len(piece) else None
    return Payload(tuple(block(piece, layout))) if layout else NOT_MINE
