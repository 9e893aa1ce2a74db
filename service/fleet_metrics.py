"""How gateways are, as metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric

from service.fleet_status import GatewayStatus

__all__ = ["fleet_metrics"]


def fleet_metrics(fleet: Sequence[GatewayStatus]) -> Iterator[Metric]:
    """Give the families; what a gateway does not say is left out."""
    drift = _family("nurt_gateway_drift", "1 if its settings are not those it should have")
    told = _family("nurt_gateway_revision_told", "Revision of the settings it was told last")
    in_force = _family("nurt_gateway_revision_in_force", "Revision of the settings it says it uses")
    queue = _family("nurt_gateway_queue", "Entries waiting in its spool")
    oldest = _family("nurt_gateway_queue_oldest_seconds", "Age of the oldest entry in its spool")
    troubles = _family("nurt_gateway_receivers_in_trouble", "Receivers that are not open or say nothing")
    for one in fleet:
        drift.add_metric([one.name], float(one.drift is not None))
        troubles.add_metric([one.name], len(one.troubles))
        told.add_metric([one.name], one.told)
        in_force.add_metric([one.name], one.in_force)
        for family, value in ((queue, one.queue), (oldest, one.queue_oldest_s)):
            if value is not None:
                family.add_metric([one.name], value)
    yield from (drift, told, in_force, queue, oldest, troubles)


def _family(name: str, says: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, labels=["gateway"])
