"""Prometheus metrics: the account of every item from the ledger, and how ingest is doing.

Items are counted by the store, so the counters survive a restart and agree with the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.roster import members_of
from metering.ports import Clock, GatewayRow, Outcome, Store, TelegramState
from service.fleet_metrics import fleet_metrics
from service.fleet_source import Plans
from service.fleet_status import fleet_status
from service.scanning_turn import standing_of
from service.web.billing_metrics import billing_metrics, billing_standing
from service.web.context import IngestStatus
from service.web.scan_metrics import scan_metrics
from service.web.worker_metrics import worker_metrics

__all__ = ["registry_of"]


def registry_of(
    store: Store,
    ingest_status: Callable[[], IngestStatus] | None,
    clock: Clock,
    plans: Callable[[], Plans],
    zone: ZoneInfo,
) -> CollectorRegistry:
    """Give the metrics of one application; nothing is shared between applications of a process."""
    registry = CollectorRegistry()
    registry.register(_StoreMetrics(store, clock, plans, zone))
    if ingest_status is not None:
        registry.register(_IngestMetrics(ingest_status))
    return registry


class _StoreMetrics(Collector):
    """What the store counts."""

    def __init__(self, store: Store, clock: Clock, plans: Callable[[], Plans], zone: ZoneInfo) -> None:
        self._store = store
        self._clock = clock
        self._plans = plans
        self._zone = zone

    def describe(self) -> Sequence[Metric]:
        """Register without asking the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read the account once and write it in metric families."""
        with self._store.reading() as tx:
            gateways, words, workers = tx.ledger.gateways(), tx.ledger.words(), members_of(tx)
            _, meters = tx.registry.overview(limit=1)
            scan = standing_of(tx)
            billing = billing_standing(tx, self._clock.now(), self._zone)
            waiting = {
                state: tx.archive.count(state) for state in (TelegramState.HELD, TelegramState.FOREIGN)
            }
        yield from _account(gateways)
        kept = GaugeMetricFamily("nurt_telegrams_waiting", "Telegrams not read now, by why", labels=["state"])
        for state, number in waiting.items():
            kept.add_metric([state], number)
        yield kept
        yield GaugeMetricFamily("nurt_meters_registered", "Meters in the registry", value=meters)
        online = GaugeMetricFamily(
            "nurt_gateway_online", "1 if the gateway last said it is online", labels=["gateway"]
        )
        for gateway in gateways:
            if gateway.online is not None:
                online.add_metric([gateway.name], float(gateway.online))
        yield online
        now, plans = self._clock.now(), self._plans()
        yield from worker_metrics(workers, now)
        yield from scan_metrics(scan, now)
        yield from billing_metrics(billing)
        yield from fleet_metrics(fleet_status(gateways, words, now, plans=plans))


def _account(gateways: Sequence[GatewayRow]) -> Iterator[Metric]:
    received = CounterMetricFamily(
        "nurt_items_received", "Items that came, each of which ends as one of nurt_items", labels=["gateway"]
    )
    ended = CounterMetricFamily("nurt_items", "Items by how they ended", labels=["gateway", "outcome"])
    heard = GaugeMetricFamily(
        "nurt_gateway_last_heard_timestamp_seconds", "Newest item of the gateway", labels=["gateway"]
    )
    for gateway in gateways:
        received.add_metric([gateway.name], gateway.received)
        for outcome in Outcome:
            ended.add_metric([gateway.name, outcome], gateway.outcomes.get(outcome, 0))
        if gateway.last_heard is not None:
            heard.add_metric([gateway.name], gateway.last_heard.timestamp())
    yield from (received, ended, heard)


class _IngestMetrics(Collector):
    """How ingest is doing in this process."""

    def __init__(self, ingest_status: Callable[[], IngestStatus]) -> None:
        self._status = ingest_status

    def describe(self) -> Sequence[Metric]:
        """Register without asking ingest."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Ask once and write it in metric families."""
        status = self._status()
        yield GaugeMetricFamily(
            "nurt_ingest_connected", "1 if connected to the broker", float(status.connected)
        )
        yield GaugeMetricFamily(
            "nurt_ingest_queue_depth", "Deliveries waiting for a batch", status.queue_depth
        )
        yield GaugeMetricFamily(
            "nurt_ingest_oldest_unacked_seconds",
            "Age of the oldest delivery not acknowledged",
            status.oldest_unacked_s,
        )
        yield CounterMetricFamily("nurt_ingest_deliveries", "Deliveries since the start", status.received)
        yield CounterMetricFamily("nurt_ingest_batches", "Batches committed since the start", status.batches)
        if status.last_commit_at is not None:
            yield GaugeMetricFamily(
                "nurt_ingest_last_commit_timestamp_seconds", "Last commit", status.last_commit_at.timestamp()
            )
