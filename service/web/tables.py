"""The same numbers as comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from starlette.responses import Response

from metering.reading import Reading
from service.web.formats import exact
from service.web.history import History

__all__ = ["consumption_csv", "csv_response", "readings_csv"]


def readings_csv(readings: Iterable[Reading]) -> str:
    """Write readings, times UTC."""
    header = ("measured_at", "register", "value", "unit", "quality", "way", "gateway", "telegram")
    rows = (
        (
            f"{reading.measured_at:%Y-%m-%dT%H:%M:%S.%fZ}",
            reading.register.key,
            exact(reading.value),
            reading.unit,
            reading.quality,
            reading.way,
            reading.provenance.gateway,
            "" if reading.provenance.telegram is None else reading.provenance.telegram,
        )
        for reading in readings
    )
    return _written(header, rows)


def consumption_csv(history: History, zone: ZoneInfo) -> str:
    """Write intervals, times with the utility's own offset."""
    header = ("start", "end", "volume", "unit", "kind", "falling", "opening_index", "closing_index")
    rows = (
        (
            one.start.astimezone(zone).isoformat(),
            one.end.astimezone(zone).isoformat(),
            exact(one.volume),
            history.unit,
            one.kind,
            "yes" if one.falling else "no",
            exact(one.opening.value),
            exact(one.closing.value),
        )
        for one in history.intervals
    )
    return _written(header, rows)


def csv_response(text: str, name: str) -> Response:
    """Make a download; the name is made of identities of ours only."""
    disposition = f'attachment; filename="{name}.csv"'
    return Response(text, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})


def _written(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
