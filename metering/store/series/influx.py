"""InfluxDB 1.x, 2.x and 3.x: line protocol in, InfluxQL out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from metering.meter import MeterId
from metering.reading import Provenance, Quality, Reading, Register, Way, exact, utc
from metering.store.series.address import Access
from metering.store.series.lines import (
    FULL,
    MEASUREMENT,
    Form,
    Key,
    Point,
    from_microseconds,
    line_of,
    microseconds,
    name_of,
    unscaled,
)
from metering.store.series.link import Link
from metering.store.series.target import Kept, Removal

__all__ = ["InfluxSeries"]

_FIELDS = "scaled, scale, text, received, telegram, way, quality, gateway, model, decoder"
_DELETES = 200
"""Statements per request."""

_FIRST = datetime(1678, 1, 1, tzinfo=UTC)
_LAST = datetime(2262, 1, 1, tzinfo=UTC)
"""Times InfluxDB can hold: 64 bits of nanoseconds."""


class InfluxSeries:
    """:class:`~metering.store.series.target.SeriesTarget` on InfluxDB, and reading from it."""

    def __init__(self, access: Access, *, removal: Removal = Removal.DELETE, batch: int = 5000) -> None:
        self._link = Link(access)
        self._batch = batch
        self.where = self._link.where
        self.removal = removal
        self._form = Form(FULL.most, strings=True, marks=removal is Removal.MARK)

    def write(self, points: Sequence[Point]) -> None:
        """Write points, ``batch`` of them per request."""
        for start in range(0, len(points), self._batch):
            self._link.write([line_of(point, self._form) for point in points[start : start + self._batch]])

    def remove(self, keys: Sequence[Key]) -> None:
        """Delete what stands at these keys, or mark it as gone."""
        if self.removal is Removal.MARK:
            self._mark(keys)
            return
        for start in range(0, len(keys), _DELETES):
            some = keys[start : start + _DELETES]
            told = "; ".join(
                f"DELETE FROM {MEASUREMENT} WHERE {_at(key)}"  # noqa: S608  literals are quoted by _text
                for key in some
            )
            list(self._link.rows(told))

    def check(self) -> None:
        """Say whether it can be reached and has our database."""
        list(self._link.rows(f"SELECT LAST(scale) FROM {MEASUREMENT}"))  # noqa: S608  no outside text

    def days(self) -> list[date]:
        """Give the days, UTC, that have points."""
        ends = [
            from_microseconds(row[0])
            for order in ("ASC", "DESC")
            for _, _, row in self._link.rows(
                f"SELECT scale FROM {MEASUREMENT} ORDER BY time {order} LIMIT 1"  # noqa: S608  no outside text
            )
        ]
        if not ends:
            return []
        since, until = _midnight(ends[0].date()), _midnight(ends[-1].date()) + timedelta(days=1)
        counted = (
            f"SELECT COUNT(scale) FROM {MEASUREMENT} WHERE {_within(since, until)}{self._living}"  # noqa: S608  no outside text
            " GROUP BY time(1d) fill(none)"
        )
        return [from_microseconds(row[0]).date() for _, _, row in self._link.rows(counted)]

    def kept(self, day: date, meter: MeterId | None = None) -> Iterator[Kept]:
        """Give what it keeps of a day, in any order."""
        since = _midnight(day)
        whose = f" AND meter = {_text(str(meter))}" if meter else ""
        query = (
            f"SELECT scaled, scale, text FROM {MEASUREMENT}"  # noqa: S608  literals are quoted by _text
            f" WHERE {_within(since, since + timedelta(days=1))}{whose}{self._living} GROUP BY *"
        )
        for tags, names, row in self._link.rows(query, chunked="true", chunk_size="10000"):
            said = dict(zip(names, row, strict=True))
            value = format(exact(_value(said)), "f")
            yield Kept(tags["meter"], tags["register"], tags.get("unit") or "", said["time"], value)

    def form_of(self, point: Point) -> Kept:
        """Give what it should keep of a point: everything, exactly."""
        one = point.reading
        return Kept(
            str(one.meter), one.register.key, one.unit, microseconds(one.measured_at), f"{one.value:f}"
        )

    def series(
        self, meter: MeterId, register: Register, since: datetime, until: datetime, limit: int | None
    ) -> list[Reading]:
        """Give readings with ``since <= measured_at < until``, by time, then value; see the port."""
        found = self._select(meter, register, _within(since, until), f" LIMIT {limit}" if limit else "")
        if limit == 0:
            return []
        if limit is None or len(found) < limit:
            return found
        # which of several values of one time come first is not said by a limit: choose by number
        last = found[-1].measured_at
        earlier = [reading for reading in found if reading.measured_at < last]
        return (earlier + self._select(meter, register, _within(last, last + _INSTANT)))[:limit]

    def latest(self, meter: MeterId) -> list[Reading]:
        """Give the newest reading of each register of a meter, by register key."""
        found = self._newest(meter, f"meter = {_text(str(meter))}")
        by_register = groupby(
            sorted(found, key=lambda reading: reading.register.key), key=lambda reading: reading.register
        )
        return [max(group, key=_by_time) for _, group in by_register]

    def before(self, meter: MeterId, register: Register, moment: datetime) -> Reading | None:
        """Give the last reading before a moment."""
        which = f"{_of(meter, register)} AND time < {microseconds(utc(moment))}u"
        return max(self._newest(meter, which), key=_by_time, default=None)

    def close(self) -> None:
        """Let go of connections."""
        self._link.close()

    @property
    def _living(self) -> str:
        return " AND gone = false" if self.removal is Removal.MARK else ""

    def _select(self, meter: MeterId, register: Register, within: str, more: str = "") -> list[Reading]:
        query = (
            f"SELECT {_FIELDS}, unit FROM {MEASUREMENT}"  # noqa: S608  literals are quoted by _text
            f" WHERE {_of(meter, register)} AND {within}{self._living} ORDER BY time{more}"
        )
        rows = self._link.rows(query)
        return sorted(
            (_reading(meter, register, tags, names, row) for tags, names, row in rows), key=_by_time
        )

    def _newest(self, meter: MeterId, which: str) -> list[Reading]:
        query = (
            f"SELECT {_FIELDS} FROM {MEASUREMENT}"  # noqa: S608  literals are quoted by _text
            f" WHERE {which}{self._living} GROUP BY register, unit, nth ORDER BY time DESC LIMIT 1"
        )
        return [
            _reading(meter, Register.parse(tags["register"]), tags, names, row)
            for tags, names, row in self._link.rows(query)
        ]

    def _mark(self, keys: Iterable[Key]) -> None:
        marks = []
        for key in keys:
            query = f"SELECT scale FROM {MEASUREMENT} WHERE {_at(key)} GROUP BY unit, nth"  # noqa: S608  quoted
            for tags, _, row in self._link.rows(query):
                name = name_of(key.meter, key.register, tags["unit"], int(tags["nth"] or 0))
                marks.append(f"{name} gone=true {row[0]}")
        if marks:
            self._link.write(marks)


_INSTANT = timedelta(microseconds=1)


def _reading(
    meter: MeterId, register: Register, tags: Mapping[str, str], names: Sequence[str], row: Sequence[Any]
) -> Reading:
    said = {**tags, **dict(zip(names, row, strict=True))}
    source = Provenance(said["telegram"] or None, said["gateway"], said["model"] or None, said["decoder"])
    return Reading(
        meter,
        register,
        _value(said),
        said.get("unit") or "",
        from_microseconds(said["time"]),
        from_microseconds(said["received"]),
        Way(said["way"]),
        Quality(said["quality"]),
        source,
    )


def _value(said: Mapping[str, Any]) -> Decimal:
    return Decimal(said["text"]) if said["scale"] < 0 else unscaled(said["scaled"], said["scale"])


def _of(meter: MeterId, register: Register) -> str:
    return f"meter = {_text(str(meter))} AND register = {_text(register.key)}"


def _at(key: Key) -> str:
    return f"{_of(key.meter, key.register)} AND time = {microseconds(key.measured_at)}u"


def _within(since: datetime, until: datetime) -> str:
    """Give ``since <= time < until`` within what InfluxDB can hold."""
    first, last = (microseconds(min(max(utc(moment), _FIRST), _LAST)) for moment in (since, until))
    return f"time >= {first}u AND time < {last}u"


def _text(said: str) -> str:
    """Quote a text as a literal of InfluxQL."""
    escaped = said.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _by_time(reading: Reading) -> tuple[datetime, Decimal]:
    return reading.measured_at, reading.value
