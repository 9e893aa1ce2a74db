"""What waits or disagrees in billing; nothing where nothing was billed yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from metering.billing import ExceptionKind
from metering.outbox import OutboxState
from metering.ports import Clock, Store
from service.billing_rounds import TURN
from service.checking.line import Line, fault, ok, warning
from service.scanning_turn import standing_of
from service.settings_model import Settings

__all__ = ["billing_lines"]

_MISSED = 3
"""Rounds that may be missed before it is told."""


def billing_lines(settings: Settings, store: Store, clock: Clock) -> Iterator[Line]:
    """Look whether bill, chart, meter and billing system agree, and what waits too long."""
    now = clock.now()
    with store.reading() as tx:
        if not tx.checks.billed_since(0, 1):
            return
        questions = tx.billing.count_exceptions()
        today = now.astimezone(ZoneInfo(settings.ingest.zone)).date()
        _waiting, overdue = tx.orders.counts(today)
        dead = tx.outbox.counts(settings.billing.target).get(OutboxState.DEAD, 0)
        turn = standing_of(tx, TURN)
    differing = sum(n for (kind, _state), n in questions.items() if kind is ExceptionKind.RECONCILIATION)
    every = timedelta(minutes=settings.billing.round_minutes)
    lines = []
    if differing:
        said = f"{differing} billed reads do not agree with chart, meter or billing system"
        lines.append(fault("billing", said, "see `nurt billing exceptions`, each says where not"))
    if dead:
        said = f"{dead} messages to {settings.billing.target} are dead"
        lines.append(warning("billing", said, "see `nurt billing dead`; replay or drop them"))
    if overdue:
        said = f"{overdue} reading orders are overdue"
        lines.append(warning("billing", said, "see `nurt billing orders --overdue`"))
    if every and now.timestamp() - turn.ended > _MISSED * every.total_seconds():
        said = f"the last round ended {_ago(now.timestamp() - turn.ended) if turn.ended else 'never'}"
        lines.append(warning("billing", said, "start `nurt run`, or `nurt billing round` by hand"))
    yield from lines or [
        ok("billing", f"bill, chart and meter agree; {sum(questions.values())} questions wait")
    ]


def _ago(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours ago"
