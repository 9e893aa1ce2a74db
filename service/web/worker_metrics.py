"""Metrics of every worker on the database, on whatever machine it runs, as it last signed the roster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ingest.roster import Member

__all__ = ["worker_metrics"]


def worker_metrics(members: Sequence[Member], now: datetime) -> Iterator[Metric]:
    """Write how the workers do; one that is gone keeps its line until its session is given up."""
    up = _gauge("up", "1 if the worker signed lately")
    depth = _gauge("queue_depth", "Deliveries waiting in the worker's memory")
    oldest = _gauge("oldest_unacked_seconds", "Age of the oldest delivery the worker has not acknowledged")
    alarm = _gauge("alarm", "1 if that is too old, or the worker is missing")
    received = CounterMetricFamily("nurt_worker_deliveries", "Since the worker's start", labels=["worker"])
    for one in members:
        here = one.here(now)
        up.add_metric([one.name], float(here))
        depth.add_metric([one.name], one.load.queue_depth if here else 0)
        oldest.add_metric([one.name], one.load.oldest_s if here else 0)
        alarm.add_metric([one.name], float(not here or one.late))
        received.add_metric([one.name], one.load.received)
    yield from (up, depth, oldest, alarm, received)


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"nurt_worker_{name}", text, labels=["worker"])
