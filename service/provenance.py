"""What became of the telegram a reading came with: readings are kept longer than telegrams."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from metering.ports import Transaction
from metering.reading import Reading, Way

__all__ = ["gone", "is_gone", "kept_of", "no_longer_kept"]

_WITH_TELEGRAM = frozenset({Way.RADIO, Way.WIRED})
"""Counter states, and values decoded before they reached us, come without a frame."""


def kept_of(readings: Iterable[Reading], tx: Transaction) -> set[int]:
    """Give the numbers of the telegrams of some readings that are still in the archive."""
    return tx.archive.present({number for one in readings if (number := one.provenance.telegram) is not None})


def is_gone(reading: Reading, kept: Collection[int]) -> bool:
    """Whether a reading came with a telegram that is no longer there.

    SQLite lets a reading forget the number of a telegram that goes, PostgreSQL does not.

    Args:
        reading: the reading.
        kept: numbers of telegrams that are still there; see :func:`kept_of`.
    """
    return reading.way in _WITH_TELEGRAM and reading.provenance.telegram not in kept


def no_longer_kept(number: int, tx: Transaction) -> str | None:
    """Say why a telegram that once was is not in the archive; ``None`` if there never was one."""
    if number > tx.archive.last_number_given():
        return None
    return (
        f"Telegram {number} is no longer kept: its retention time is over ([store] telegrams_months, or"
        " [ingest] foreign_days if its meter is not registered), or it was found to be the same"
        " transmission as another."
    )


def gone(reading: Reading, tx: Transaction) -> str | None:
    """Say that the telegram of a reading is no longer there; ``None`` if it is, or there never was one."""
    if not is_gone(reading, kept_of([reading], tx)):
        return None
    number = reading.provenance.telegram
    return "telegram removed by retention" if number is None else f"telegram {number} removed by retention"
