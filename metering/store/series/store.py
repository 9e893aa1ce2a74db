"""A store whose dense readings stand in a series store as well, and may be read from there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from metering.meter import MeterId
from metering.reading import Detail, Reading, Register
from metering.store.series.influx import InfluxSeries
from metering.store.series.sender import Sender
from metering.store.sql.store import SqlStore, SqlTransaction

__all__ = ["SeriesReadings", "SeriesStore"]


class SeriesReadings:
    """:class:`metering.ports.ReadingStore` of a view: series from InfluxDB, what telegrams said from SQL."""

    def __init__(self, sql: SqlTransaction, series: InfluxSeries) -> None:
        self._sql = sql.readings
        self._series = series

    def add(self, readings: Sequence[Reading]) -> int:
        """Refused by the view, as all writing."""
        return self._sql.add(readings)

    def add_details(self, details: Sequence[Detail]) -> None:
        """Refused by the view, as all writing."""
        self._sql.add_details(details)

    def remove(self, readings: Sequence[Reading], details: Sequence[Detail] = ()) -> None:
        """Refused by the view, as all writing."""
        self._sql.remove(readings, details)

    def series(
        self,
        meter: MeterId,
        register: Register,
        since: datetime,
        until: datetime,
        *,
        limit: int | None = None,
    ) -> Sequence[Reading]:
        """Give readings with ``since <= measured_at < until``, by time, then value."""
        return self._series.series(meter, register, since, until, limit)

    def registers(self, meter: MeterId) -> Sequence[tuple[Register, str]]:
        """Give the registers a meter has readings for, each with its unit, by key."""
        return [(reading.register, reading.unit) for reading in self.latest(meter)]

    def latest(self, meter: MeterId) -> Sequence[Reading]:
        """Give the newest reading of each register of a meter, by register key."""
        return self._series.latest(meter)

    def before(self, meter: MeterId, register: Register, moment: datetime) -> Reading | None:
        """Give the last reading before a moment (the opening index of a chart)."""
        return self._series.before(meter, register, moment)

    def of_telegram(self, telegram: int) -> tuple[Sequence[Reading], Sequence[Detail]]:
        """Give what one telegram gave rise to."""
        return self._sql.of_telegram(telegram)

    def of_telegrams(
        self, telegrams: Collection[int]
    ) -> Mapping[int, tuple[Sequence[Reading], Sequence[Detail]]]:
        """Give what each of some telegrams gave rise to; nothing for those that gave nothing."""
        return self._sql.of_telegrams(telegrams)

    def known(self, readings: Sequence[Reading]) -> Sequence[bool]:
        """Say of each whether the same value of the register at that time is stored, from anywhere."""
        return self._sql.known(readings)


class SeriesStore:
    """:class:`metering.ports.Store`: writes go to SQL, views read series from InfluxDB.

    What is written here is in both when ``writing()`` ends, if a sender is given.
    """

    def __init__(self, sql: SqlStore, series: InfluxSeries, sender: Sender | None = None) -> None:
        self.sql = sql
        self._series = series
        self._sender = sender

    @contextmanager
    def writing(self) -> Iterator[SqlTransaction]:
        """Open a transaction: commits when the block ends, rolls back when it raises."""
        with self.sql.writing() as transaction:
            yield transaction
        if self._sender is not None:
            self._sender.drain()

    @contextmanager
    def reading(self) -> Iterator[SqlTransaction]:
        """Open a read-only view; its series are as new as the last sending."""
        with self.sql.reading() as view:
            yield replace(view, readings=SeriesReadings(view, self._series))  # type: ignore[arg-type]

    def check(self) -> None:
        """Say whether both can be reached."""
        self.sql.check()
        self._series.check()

    def close(self) -> None:
        """Let go of connections and files."""
        self._series.close()
        self.sql.close()
