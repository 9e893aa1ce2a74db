"""The one queue of exceptions, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metering.billing import Decision, ExceptionKind, ExceptionState, NewException, OpenException
from metering.store.sql.among import among
from metering.store.sql.schema import billing_decisions, billing_exceptions
from metering.store.sql.statements import Row, insert_once

__all__ = ["Questions"]

_WAITING = [state.value for state in ExceptionState if not state.settled]


class Questions:
    """The part of :class:`metering.billing.BillingBook` that keeps questions and decisions."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def ask(self, questions: Sequence[NewException], now: datetime) -> int:
        """Open questions; one that is open already stays one. Gives how many were new."""
        rows: list[Row] = [
            {
                "service_point": one.service_point,
                "register": one.register,
                "period": one.period,
                "starts": one.starts,
                "ends": one.ends,
                "kind": one.kind.value,
                "sentence": one.sentence,
                "evidence": one.evidence,
                "read": one.read,
                "state": ExceptionState.OPEN.value,
                "opened_at": now,
            }
            for one in questions
        ]
        return insert_once(self._connection, billing_exceptions, rows)

    def exception(self, number: int) -> OpenException | None:
        """Give one question with its decisions."""
        return next(iter(self._found(billing_exceptions.c.id == number, 1)), None)

    def exceptions(
        self,
        states: Collection[ExceptionState],
        *,
        service_point: str | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> Sequence[OpenException]:
        """Give questions by number, behind ``after``, each with its decisions."""
        asked = [state.value for state in states]
        wanted = sa.and_(billing_exceptions.c.state.in_(asked), billing_exceptions.c.id > after)
        if service_point is not None:
            wanted = sa.and_(wanted, billing_exceptions.c.service_point == service_point)
        return self._found(wanted, limit)

    def questions_at(self, service_points: Collection[str]) -> Sequence[OpenException]:
        """Give the questions about service points that are not settled, by number."""
        waiting = billing_exceptions.c.state.in_(_WAITING)
        found = [
            one
            for these in among(self._connection, billing_exceptions.c.service_point, service_points)
            for one in self._found(sa.and_(waiting, these), None)
        ]
        return sorted(found, key=lambda one: one.number)

    def count_exceptions(self) -> Mapping[tuple[ExceptionKind, ExceptionState], int]:
        """Count questions that are not settled."""
        what = (billing_exceptions.c.kind, billing_exceptions.c.state)
        wanted = sa.select(*what, sa.func.count()).where(billing_exceptions.c.state.in_(_WAITING))
        rows = self._connection.execute(wanted.group_by(*what))
        return {(ExceptionKind(kind), ExceptionState(state)): int(count) for kind, state, count in rows}

    def decide(self, number: int, decision: Decision, state: ExceptionState) -> bool:
        """Record a decision and where the question stands after it. Gives whether it was open."""
        open_still = (billing_exceptions.c.id == number) & billing_exceptions.c.state.in_(_WAITING)
        stands = {"state": state.value, "settled_at": decision.at if state.settled else None}
        if not self._connection.execute(
            sa.update(billing_exceptions).where(open_still).values(stands)
        ).rowcount:
            return False
        made = {
            "exception": number,
            "action": decision.action,
            "by": decision.by,
            "reason": decision.reason,
            "at": decision.at,
            "said": decision.said,
        }
        self._connection.execute(sa.insert(billing_decisions).values(made))
        return True

    def decisions_on(self, read_prefix: str) -> Sequence[tuple[int, Decision]]:
        """Give decisions on questions about reads whose key begins so, by time, each with its question."""
        begins = billing_exceptions.c.read.startswith(read_prefix, autoescape=True)
        wanted = (
            sa.select(billing_decisions)
            .join(billing_exceptions, billing_exceptions.c.id == billing_decisions.c.exception)
            .where(begins)
            .order_by(billing_decisions.c.id)
        )
        return [(row.exception, _decision(row)) for row in self._connection.execute(wanted)]

    def _found(self, wanted: sa.ColumnElement[bool], limit: int | None) -> list[OpenException]:
        statement = sa.select(billing_exceptions).where(wanted).order_by(billing_exceptions.c.id).limit(limit)
        rows = self._connection.execute(statement).all()
        decided = self._decisions([row.id for row in rows])
        return [_exception(row, decided.get(row.id, ())) for row in rows]

    def _decisions(self, numbers: Iterable[int]) -> dict[int, list[Decision]]:
        found: dict[int, list[Decision]] = {}
        for these in among(self._connection, billing_decisions.c.exception, numbers):
            wanted = sa.select(billing_decisions).where(these)
            for row in self._connection.execute(wanted.order_by(billing_decisions.c.id)):
                found.setdefault(row.exception, []).append(_decision(row))
        return found


def _decision(row: sa.Row[Any]) -> Decision:
    return Decision(row.action, row.by, row.reason, row.at, bytes(row.said))


def _exception(row: sa.Row[Any], decisions: Sequence[Decision]) -> OpenException:
    about = NewException(
        service_point=row.service_point,
        register=row.register,
        period=row.period,
        starts=row.starts,
        ends=row.ends,
        kind=ExceptionKind(row.kind),
        sentence=row.sentence,
        evidence=bytes(row.evidence),
        read=row.read,
    )
    return OpenException(
        row.id, about, ExceptionState(row.state), row.opened_at, row.settled_at, tuple(decisions)
    )
