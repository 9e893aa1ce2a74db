"""Green Button: a customer's own data as ESPI 4.0 in an Atom feed.

::

    feed
    ├── entry  UsagePoint            water
    ├── entry  LocalTimeParameters   the utility's zone, its summer time
    ├── entry  MeterReading          one per series
    ├── entry  ReadingType           m3 x 10^-3 (or -6, -9 where a value is finer than a litre), Int48
    └── entry  IntervalBlock         value, duration, start (epoch seconds), quality

What is missing is left out: a gap is no zero. Source: NAESB REQ.21 (ESPI), version 4.0.20231213; Atom
(RFC 4287). Water is service kind 2, potable water commodity 9, volume measurement kind 58, m3 unit 42.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from billing_bridge.export.xml_writer import XmlWriter
from billing_bridge.quality import Espi
from metering.errors import InvalidValue

__all__ = ["Feed", "Interval", "Series", "green_button"]

_SPACE = UUID("b9a6a3b2-5c2f-5d0e-9c5b-0d8f1f0a7c11")
"""Identities of entries are made from it: the same data has the same identities for ever."""

_FINEST = (-3, -6, -9)
_INT48 = 1 << 47
_Link = tuple[str, str]
_MEASURING_PERIOD = {900: 2, 1800: 5, 3600: 7, 86_400: 4}
"""TimeAttributeKind of the usual lengths: 15, 30, 60 minutes, 24 hours; 0 = any other."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A volume over a time, or an index at a moment.

    Attributes:
        start: UTC.
        seconds: how long; 0 for an index. A day is 82,800 to 90,000 s where summer time begins or ends.
        m3: exact.
        quality: how it is known; ``None`` = nothing to say.
    """

    start: datetime
    seconds: int
    m3: Decimal
    quality: Espi | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one kind.

    Attributes:
        title: for people.
        intervals: by time.
        length: seconds of an interval; 0 = they differ.
        index: whether they are indices of the register, not volumes.
    """

    title: str
    intervals: Sequence[Interval]
    length: int = 0
    index: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """What a customer takes home.

    Attributes:
        usage_point: identity of the service point; only what derives from it is written.
        title: for people.
        zone: of the utility.
        updated: when it was made, UTC.
        series: what is in it.
    """

    usage_point: str
    title: str
    zone: ZoneInfo
    updated: datetime
    series: Sequence[Series]


def green_button(feed: Feed) -> bytes:
    """Give the feed as a file.

    Raises:
        InvalidValue: a value finer than a cubic millimetre, or too large for 48 bits.
    """
    out = io.BytesIO()
    xml = XmlWriter(out)
    point = f"UsagePoint/{_name(feed.usage_point)}"
    with xml.element("feed", xmlns="http://www.w3.org/2005/Atom"):
        _head(xml, feed, feed.usage_point, feed.title)
        with _entry(xml, feed, point, feed.title, [("related", f"{point}/MeterReading")]):
            _usage_point(xml)
        with _entry(xml, feed, "LocalTimeParameters/1", feed.zone.key):
            _local_time(xml, feed.zone, feed.updated.year)
        for number, series in enumerate(feed.series, 1):
            _series(xml, feed, point, number, series)
    return out.getvalue()


@contextmanager
def _entry(xml: XmlWriter, feed: Feed, path: str, title: str, links: Sequence[_Link] = ()) -> Iterator[None]:
    """Open an entry of the feed; its content goes into the block."""
    with xml.element("entry"):
        _head(xml, feed, path, title)
        for relation, where in (("self", path), *links):
            xml.empty("link", rel=relation, href=f"/espi/1_1/resource/{where}")
        with xml.element("content", type="application/xml"):
            yield


def _name(text: str) -> str:
    return str(uuid5(_SPACE, text))


def _head(xml: XmlWriter, feed: Feed, identity: str, title: str) -> None:
    xml.leaf("id", f"urn:uuid:{_name(f'{feed.usage_point}|{identity}')}")
    xml.leaf("title", title)
    xml.leaf("updated", feed.updated.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))


def _usage_point(xml: XmlWriter) -> None:
    with xml.element("UsagePoint", xmlns=_ESPI), xml.element("ServiceCategory"):
        xml.leaf("kind", _WATER)


_ESPI = "http://naesb.org/espi"
_WATER = 2


def _series(xml: XmlWriter, feed: Feed, point: str, number: int, series: Series) -> None:
    reading, kind = f"{point}/MeterReading/{number}", f"ReadingType/{number}"
    links = [("up", point), ("related", kind), ("related", f"{reading}/IntervalBlock")]
    with _entry(xml, feed, reading, series.title, links):
        xml.empty("MeterReading", xmlns=_ESPI)
    power = _power(series.intervals)
    with _entry(xml, feed, kind, series.title):
        _reading_type(xml, series, power)
    with _entry(xml, feed, f"{reading}/IntervalBlock/1", series.title, [("up", reading)]):
        _block(xml, series, power)


def _reading_type(xml: XmlWriter, series: Series, power: int) -> None:
    with xml.element("ReadingType", xmlns=_ESPI):
        xml.leaf("accumulationBehaviour", 1 if series.index else 4)
        xml.leaf("commodity", 9)
        xml.leaf("dataQualifier", 12)
        xml.leaf("flowDirection", 1)
        xml.leaf("intervalLength", series.length)
        xml.leaf("kind", 58)
        xml.leaf("powerOfTenMultiplier", power)
        xml.leaf("uom", 42)
        xml.leaf("measuringPeriod", _MEASURING_PERIOD.get(series.length, 0))


def _block(xml: XmlWriter, series: Series, power: int) -> None:
    with xml.element("IntervalBlock", xmlns=_ESPI):
        if series.intervals:
            first, last = series.intervals[0], series.intervals[-1]
            _time(xml, "interval", first.start, _epoch(last.start) + last.seconds - _epoch(first.start))
        for one in series.intervals:
            with xml.element("IntervalReading"):
                if one.quality is not None:
                    with xml.element("ReadingQuality"):
                        xml.leaf("quality", int(one.quality))
                _time(xml, "timePeriod", one.start, one.seconds)
                xml.leaf("value", int(one.m3.scaleb(-power)))


def _time(xml: XmlWriter, name: str, start: datetime, seconds: int) -> None:
    with xml.element(name):
        xml.leaf("duration", seconds)
        xml.leaf("start", _epoch(start))


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def _power(intervals: Sequence[Interval]) -> int:
    """Give the coarsest power of ten in which all values are whole: litres if they will do."""
    for power in _FINEST:
        scaled = [one.m3.scaleb(-power) for one in intervals]
        if all(value == value.to_integral_value() and abs(value) < _INT48 for value in scaled):
            return power
    raise InvalidValue("a volume is finer than Green Button can say, or too large for its 48 bits")


def _local_time(xml: XmlWriter, zone: ZoneInfo, year: int) -> None:
    standard, summer = _offsets(zone, year)
    begins, ends = _turns(zone, year)
    with xml.element("LocalTimeParameters", xmlns=_ESPI):
        xml.leaf("dstEndRule", _rule(ends, summer) if ends else "00000000")
        xml.leaf("dstOffset", int((summer - standard).total_seconds()))
        xml.leaf("dstStartRule", _rule(begins, standard) if begins else "00000000")
        xml.leaf("tzOffset", int(standard.total_seconds()))


def _hours(year: int) -> list[datetime]:
    start = datetime(year, 1, 1, tzinfo=UTC)
    return [start + timedelta(hours=hour) for hour in range(366 * 24)]


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _offsets(zone: ZoneInfo, year: int) -> tuple[timedelta, timedelta]:
    found = {_offset(zone, datetime(year, month, 1, tzinfo=UTC)) for month in range(1, 13)}
    return min(found), max(found)


def _turns(zone: ZoneInfo, year: int) -> tuple[datetime | None, datetime | None]:
    """Give when summer time begins and ends, UTC."""
    begins = ends = None
    for before, after in pairwise(_hours(year)):
        change = _offset(zone, after) - _offset(zone, before)
        begins = after if change > timedelta(0) else begins
        ends = after if change < timedelta(0) else ends
    return begins, ends


def _rule(turn: datetime, offset: timedelta) -> str:
    """Give a DstRuleType: month, which weekday of it, hour by the clock that is about to change.

    Operators 2 to 5 name the first to fourth such weekday, 7 the last one.
    """
    local = turn + offset
    last = (local + timedelta(days=7)).month != local.month
    operator = 7 if last else 2 + (local.day - 1) // 7
    code = local.month << 28 | operator << 25 | local.isoweekday() << 17 | local.hour << 12
    return f"{code:08X}"
