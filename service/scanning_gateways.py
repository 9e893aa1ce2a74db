"""Gateways that do not use the settings they should, or whose receivers are in trouble, as findings.

So they are told by mail and webhook as leaks are, once each, and are over when the gateway is well again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from metering.finding import Evidence, Finding, Stage, Tier
from metering.ports import Transaction
from service.fleet_status import Drift, GatewayStatus

__all__ = ["FAMILIES", "close_over", "gateway_findings"]

FAMILIES = frozenset({"drift", "receiver"})
PATIENCE = timedelta(days=1)
"""A gateway that was told something may take so long before somebody is told: it may be off at night."""


def gateway_findings(tx: Transaction, fleet: Sequence[GatewayStatus], now: datetime) -> Iterator[Finding]:
    """Say which gateways are not as they should be, now."""
    since = {
        (one.finding.subject, one.finding.family): one.finding.stages[0].onset
        for one in tx.findings.open_of([one.name for one in fleet])
    }
    for one in fleet:
        if one.drift is not None:
            began = since.get((one.name, "drift"), now)
            waits = one.drift is Drift.WAITING and now - began < PATIENCE
            tier = Tier.SUSPECT if waits else Tier.NOTIFY
            yield _finding(one.name, tier, "drift.settings", now, began, _of_drift(one))
        if one.troubles:
            began = since.get((one.name, "receiver"), now)
            evidence = {
                "gateway": one.name,
                "receivers": ", ".join(sorted(one.troubles)),
                **_words(one.troubles),
            }
            yield _finding(one.name, Tier.NOTIFY, "receiver.trouble", now, began, evidence)


def close_over(tx: Transaction, fleet: Sequence[GatewayStatus], seen: set[int], now: datetime) -> int:
    """Close what is over; gives how many."""
    over = [
        one
        for one in tx.findings.open_of([one.name for one in fleet])
        if one.finding.family in FAMILIES and one.id not in seen
    ]
    for one in over:
        tx.findings.close(one.id, now, {})
    return len(over)


def _finding(  # noqa: PLR0913, PLR0917  what a finding of one stage is made of
    name: str, tier: Tier, what: str, now: datetime, began: datetime, evidence: Evidence
) -> Finding:
    return Finding(name, (Stage(tier, what, now, began, evidence=evidence),))


def _of_drift(one: GatewayStatus) -> Evidence:
    told: dict[str, object] = {
        "gateway": one.name,
        "drift": str(one.drift),
        "told": one.told,
        "in_force": one.in_force,
    }
    return told | ({"error": one.error} if one.error else {})


def _words(troubles: Mapping[str, str]) -> dict[str, object]:
    return {f"receiver {name}": said for name, said in sorted(troubles.items())}
