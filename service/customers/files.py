"""The numbers of a view for programs and spreadsheets: JSON, CSV, Green Button. All from the same view."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from billing_bridge.export.espi import Feed, green_button
from billing_bridge.export.espi import Interval as EspiInterval
from billing_bridge.export.espi import Series as EspiSeries
from billing_bridge.quality import Espi
from metering.consumption import Interval, Kind, Step
from metering.meter import ServicePoint
from service.customers.view import Billed, Dial, View, Volumes
from service.customers.words import Words

__all__ = ["as_csv", "as_data", "as_green_button", "look_of"]

_LENGTH = {Step.HOUR: 3600, Step.DAY: 86_400}


def look_of(interval: Interval) -> str:
    """Give what an interval is: metered, partial, gap or falling."""
    return "falling" if interval.falling and interval.kind is not Kind.GAP else interval.kind.value


def as_data(point: ServicePoint, shown: View, zone: ZoneInfo) -> dict[str, Any]:
    """Give everything a chart and a table need. Volumes and indices are exact decimals in m3, times UTC."""
    asked = shown.asked
    return {
        "service_point": point.id,
        "zone": zone.key,
        "unit": "m3",
        "from": shown.whole.since,
        "to": shown.whole.until,
        "first_day": asked.first.isoformat(),
        "last_day_exclusive": asked.last.isoformat(),
        "step": asked.step.value,
        **_volumes(shown.volumes),
        "compared": None if shown.behind is None else {"with": asked.compare.value, **_volumes(shown.behind)},
        "meters": [_dial(one) for one in shown.dials],
        "billing_periods": [_billed(one) for one in shown.billed],
        "events": [{"at": one.at, "until": one.until, "kind": one.kind} for one in shown.events],
    }


def _volumes(volumes: Volumes) -> dict[str, Any]:
    known = volumes.stretch
    return {
        "yours_from": known.since if known else None,
        "yours_to": known.until if known else None,
        "total": volumes.total_m3,
        "complete": volumes.complete,
        "intervals": [
            {
                "from": one.start,
                "to": one.end,
                "volume": one.volume,
                "kind": look_of(one),
                "opening": one.opening.value,
                "closing": one.closing.value,
            }
            for one in volumes.intervals
        ],
    }


def _dial(one: Dial) -> dict[str, Any]:
    latest = one.latest
    return {
        "meter": str(one.meter),
        "installed": one.since,
        "removed": one.until,
        "legal_until": one.legal_until.isoformat() if one.legal_until else None,
        "legalization": one.legal.value,
        "last_index": latest.value if latest else None,
        "last_read_at": latest.measured_at if latest else None,
        "way": latest.way.value if latest else None,
    }


def _billed(one: Billed) -> dict[str, Any]:
    closing = one.read.segments[-1].closing
    return {
        "key": one.read.key,
        "from": one.stretch.since,
        "to": one.stretch.until,
        "volume": one.read.volume_m3,
        "closing_index": closing.index,
        "how": closing.how.value,
        "estimated": one.estimated,
        "revision": one.read.revision,
    }


def as_csv(shown: View, words: Words, zone: ZoneInfo) -> bytes:
    """Give the intervals as a table for spreadsheets: UTF-8 with its mark, local times with their offset.

    Cells are numbers and times of ours, nothing a spreadsheet could take for a formula.
    """
    out = io.StringIO()
    point = words("number.point")
    writer = csv.writer(out, delimiter=";" if point == "," else ",", lineterminator="\r\n")
    writer.writerow(["from", "to", "volume_m3", "opening_index_m3", "closing_index_m3", "kind"])
    for one in shown.volumes.intervals:
        numbers = (one.volume, one.opening.value, one.closing.value)
        writer.writerow(
            [
                *(_local(moment, zone) for moment in (one.start, one.end)),
                *(format(number, "f").replace(".", point) for number in numbers),
                look_of(one),
            ]
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")


def as_green_button(
    point: ServicePoint, shown: View, words: Words, *, zone: ZoneInfo, now: datetime
) -> bytes:
    """Give the volumes and the indices at their ends as Green Button (ESPI 4.0).

    Raises:
        InvalidValue: a number the format has no room for.
    """
    asked = shown.asked
    ends = {one.opening.at: one.opening for one in shown.volumes.intervals}
    ends |= {one.closing.at: one.closing for one in shown.volumes.intervals}
    index = [EspiInterval(one.at, 0, one.value, Espi.RAW) for _at, one in sorted(ends.items())]
    series = [
        EspiSeries(words("page.title"), list(_espi(shown.volumes.intervals)), _LENGTH.get(asked.step, 0)),
        EspiSeries(words("table.closing"), index, index=True),
    ]
    title = words("page.point", point=point.id)
    return green_button(Feed(point.id, title, zone, now, series))


def _espi(intervals: Iterable[Interval]) -> Iterable[EspiInterval]:
    for one in intervals:
        quality = Espi.VALIDATED if one.kind is Kind.METERED else Espi.MIXED
        yield EspiInterval(one.start, int((one.end - one.start).total_seconds()), one.volume, quality)
