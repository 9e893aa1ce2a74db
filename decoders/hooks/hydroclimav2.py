"""BMeters Hydroclima: heat cost allocator, two layouts of manufacturer data behind its records.

Times, dates and counters in between are not told: how they are packed is not proved.
"""

from __future__ import annotations

from collections.abc import Mapping

from decoders.payload import Sent
from decoders.rows import NO_TABLE, Table, fields_of

__all__ = ["read_table"]

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


def read_table(sent: Sent) -> Table:
    """Read temperatures, values at set dates and the total of all seasons."""
    piece = sent.manufacturer_data
    if not len(piece):
        return NO_TABLE
    return Table(piece, fields_of(*_LAYOUTS.get((piece[0], len(piece)), ())), _DECIDED)


_DECIDED = ((0, 1),)
