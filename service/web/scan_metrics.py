"""Metrics of the anomaly scan: when the last one was, how long it took, how far behind it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric

from service.scanning_turn import Standing

__all__ = ["scan_metrics"]

_LEFT = {
    "meters": "Meters the last scan looked at",
    "judged": "Meters of which something new had come",
    "raised": "Findings that were new or reached a higher tier in the last scan",
    "closed": "Findings the last scan closed because nothing shows them any more",
    "districts": "Districts the last scan judged",
}


def scan_metrics(standing: Standing, now: datetime) -> Iterator[Metric]:
    """Write how the scan does; nothing of the last one before there was one."""
    yield _gauge("running", "1 while a scan is under way, on any host", float(standing.held(now)))
    if not standing.began:
        return
    yield _gauge("last_timestamp_seconds", "End of the last scan", standing.ended)
    yield _gauge("duration_seconds", "How long the last scan took", standing.ended - standing.began)
    lag = now.timestamp() - standing.began
    yield _gauge("lag_seconds", "Age of what the last scan knew: time since it began", lag)
    for name, number in (standing.outcome or {}).items():
        if name in _LEFT:
            yield _gauge(name, _LEFT[name], number)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"nurt_scan_{name}", text, value)
