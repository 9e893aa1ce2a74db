"""The readings of a batch's telegrams, written down before its transaction, which others wait for.

What a frame means depends on the verdict on it and on its first reception. Where the transaction finds both
as they were, what was written ahead holds; else it is written anew.
"""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from ingest.judge import Verdict
from ingest.registers import sheet_of
from metering.meter import MeterId
from metering.sheets import Sheet
from metering.uplink import Reception

__all__ = ["Sheets"]


class _Ahead(NamedTuple):
    """A sheet and what it was written of."""

    verdict: Verdict
    reception: Reception
    sheet: Sheet


class Sheets:
    """The sheets of one batch.

    Args:
        zone: the utility's, in which meters give their dates.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._ahead: dict[int, _Ahead] = {}

    def write_ahead(self, place: int, meter: MeterId, verdict: Verdict, reception: Reception) -> None:
        """Write down what a frame means if nobody heard it earlier; ``place``: of its item in the batch."""
        sheet = self._write(meter, verdict, reception)
        if sheet is not None:
            self._ahead[place] = _Ahead(verdict, reception, sheet)

    def of(self, place: int, meter: MeterId, verdict: Verdict, reception: Reception) -> Sheet | None:
        """Give the readings of a frame by its verdict and first reception; ``None`` if it is not stored."""
        ahead = self._ahead.get(place)
        if ahead is not None and ahead.verdict is verdict and ahead.reception is reception:
            return ahead.sheet
        return self._write(meter, verdict, reception)

    def _write(self, meter: MeterId, verdict: Verdict, reception: Reception) -> Sheet | None:
        telegram = verdict.telegram
        if telegram is None:
            return None
        return sheet_of(telegram, meter, reception, reception.heard_at, self._zone, verdict.model)
