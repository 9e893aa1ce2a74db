"""VictoriaMetrics: the same line protocol in, ``/api/v1/export`` out.

It keeps numbers only, as binary floats, and times to the millisecond: ``reading_scaled`` and
``reading_scale`` are exact up to 2^53, which is nine thousand million cubic metres to the millilitre. Texts,
and which gateway brought a reading, stay in the SQL store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from metering.errors import StoreError
from metering.meter import MeterId
from metering.reading import exact
from metering.store.series.address import Access
from metering.store.series.lines import (
    MEASUREMENT,
    NUMBERS,
    Key,
    Point,
    line_of,
    microseconds,
    scaled,
    unscaled,
)
from metering.store.series.link import Link
from metering.store.series.target import Kept, Removal

__all__ = ["VictoriaSeries"]

_DAY_MS = 86_400_000
_EVER = {"start": "0", "end": "9999999999"}


class VictoriaSeries:
    """:class:`~metering.store.series.target.SeriesTarget` on VictoriaMetrics, one server or ``vminsert``."""

    removal = Removal.REBUILD

    def __init__(self, access: Access, *, batch: int = 5000) -> None:
        self._link = Link(access)
        self._batch = batch
        self.where = self._link.where

    def write(self, points: Sequence[Point]) -> None:
        """Write points, ``batch`` of them per request."""
        for start in range(0, len(points), self._batch):
            self._link.write([line_of(point, NUMBERS) for point in points[start : start + self._batch]])

    def remove(self, keys: Sequence[Key]) -> None:
        """Delete the whole series of these registers; whoever asks writes them again."""
        for meter, register in {(key.meter, key.register) for key in keys}:
            match = f"{{__name__=~{_text(MEASUREMENT + '_.*')},{_labels(meter, register.key)}}}"
            asked = urlencode({"match[]": match}).encode()
            self._link.request("POST", "/api/v1/admin/tsdb/delete_series", body=asked)

    def check(self) -> None:
        """Say whether it can be reached."""
        self._link.request("GET", "/health")

    def days(self) -> list[date]:
        """Give the days, UTC, that have points."""
        with suppress(StoreError):  # a cluster flushes elsewhere, and shows what it took some seconds later
            self._link.request("GET", "/internal/force_flush")
        found: set[int] = set()
        for said in self._export(f"{MEASUREMENT}_scale", _EVER):
            found.update(moment // _DAY_MS for moment in said["timestamps"])
        return [date(1970, 1, 1) + timedelta(days=number) for number in sorted(found)]

    def kept(self, day: date, meter: MeterId | None = None) -> Iterator[Kept]:
        """Give what it keeps of a day, in any order."""
        since = datetime(day.year, day.month, day.day, tzinfo=UTC)
        within = {"start": f"{since.timestamp():.0f}", "end": f"{since.timestamp() + 86_399.999:.3f}"}
        whose = _labels(meter) if meter else ""
        parts = {
            field: {
                _series_of(said["metric"]): said
                for said in self._export(f"{MEASUREMENT}_{field}", within, whose)
            }
            for field in ("scaled", "scale", "value")
        }
        for name, scales in parts["scale"].items():
            wholes, values = (_by_time(parts[field].get(name)) for field in ("scaled", "value"))
            for moment, scale in _by_time(scales).items():
                text = _text_of(int(wholes.get(moment, 0)), int(scale), values.get(moment, 0.0))
                yield Kept(*name[:3], moment * 1000, text)

    def form_of(self, point: Point) -> Kept:
        """Give what it should keep of a point: to the millisecond, and exact as far as floats go."""
        one = point.reading
        whole, scale = scaled(one.value, NUMBERS.most) or (0, -1)
        time = microseconds(one.measured_at) // NUMBERS.step * NUMBERS.step
        return Kept(
            str(one.meter), one.register.key, one.unit, time, _text_of(whole, scale, float(one.value))
        )

    def close(self) -> None:
        """Let go of connections."""
        self._link.close()

    def _export(self, metric: str, within: dict[str, str], whose: str = "") -> Iterator[dict[str, Any]]:
        asked = urlencode({"match[]": f"{metric}{{{whose}}}", **within})
        for line in self._link.request("POST", "/api/v1/export", body=asked.encode()).splitlines():
            yield orjson.loads(line)


def _text_of(whole: int, scale: int, value: float) -> str:
    return format(exact(unscaled(whole, scale)), "f") if scale >= 0 else repr(value)


def _series_of(labels: dict[str, str]) -> tuple[str, str, str, str]:
    return labels["meter"], labels["register"], labels.get("unit", ""), labels.get("nth", "")


def _by_time(said: dict[str, Any] | None) -> dict[int, float]:
    """Give values by time; a point written twice is one."""
    return dict(zip(said["timestamps"], said["values"], strict=True)) if said else {}


def _labels(meter: MeterId, register: str = "") -> str:
    more = f",register={_text(register)}" if register else ""
    return f"meter={_text(str(meter))}{more}"


def _text(said: str) -> str:
    """Quote a text as a literal of MetricsQL."""
    escaped = said.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
