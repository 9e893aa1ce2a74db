"""Metrics of billing: what waits, what does not agree, how the rounds do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from prometheus_client.core import GaugeMetricFamily, Metric

from metering.billing import ExceptionKind, ExceptionState
from metering.ports import Transaction
from service.billing_rounds import TURN
from service.scanning_turn import Standing, standing_of

__all__ = ["BillingStanding", "billing_metrics", "billing_standing"]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BillingStanding:
    """How billing stands.

    Attributes:
        questions: not settled, by kind and state.
        orders: open reading orders, and those of them that are overdue.
        raised: outcomes of rules kept in the last day, by rule and severity.
        turn: of the rounds.
    """

    questions: Mapping[tuple[ExceptionKind, ExceptionState], int]
    orders: tuple[int, int]
    raised: Mapping[tuple[str, str], int]
    turn: Standing


def billing_standing(tx: Transaction, now: datetime, zone: ZoneInfo) -> BillingStanding:
    """Ask the store."""
    return BillingStanding(
        tx.billing.count_exceptions(),
        tx.orders.counts(now.astimezone(zone).date()),
        tx.checks.counts(now - _DAY),
        standing_of(tx, TURN),
    )


def billing_metrics(standing: BillingStanding) -> Iterator[Metric]:
    """Write it in metric families."""
    asked = GaugeMetricFamily("nurt_billing_questions", "Questions that wait", labels=["kind", "state"])
    for (kind, state), count in standing.questions.items():
        asked.add_metric([kind.value, state.value], count)
    yield asked
    differing = sum(n for (kind, _), n in standing.questions.items() if kind is ExceptionKind.RECONCILIATION)
    yield GaugeMetricFamily(
        "nurt_billing_disagreements",
        "Billed reads on which chart, bill, meter or billing system do not agree: alarm above 0",
        value=differing,
    )
    orders = GaugeMetricFamily("nurt_billing_orders", "Reading orders by how they stand", labels=["state"])
    orders.add_metric(["open"], standing.orders[0])
    orders.add_metric(["overdue"], standing.orders[1])
    yield orders
    raised = GaugeMetricFamily(
        "nurt_billing_checks_day", "Outcomes of rules kept in the last 24 hours", labels=["rule", "severity"]
    )
    for (rule, severity), count in standing.raised.items():
        raised.add_metric([rule, severity], count)
    yield raised
    yield from _round(standing.turn)


def _round(turn: Standing) -> Iterator[Metric]:
    if turn.ended:
        yield GaugeMetricFamily(
            "nurt_billing_round_timestamp_seconds", "End of the last round of the bridge", turn.ended
        )
        yield GaugeMetricFamily(
            "nurt_billing_round_seconds", "How long the last round took", turn.ended - turn.began
        )
        judged = (turn.outcome or {}).get("judged", 0)
        yield GaugeMetricFamily("nurt_billing_round_judged", "States the last round judged", judged)
