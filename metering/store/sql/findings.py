"""Findings and what became of them, in SQL."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metering.errors import InvalidValue
from metering.finding import Finding, Stage, Tier
from metering.findings import (
    NEXT,
    WAITS,
    Feedback,
    FindingState,
    Kept,
    Mark,
    Notice,
    NoticeState,
    Verdict,
    Wanted,
)
from metering.store.sql.statements import in_chunks, insert_once
from metering.store.sql.statements import replace as put
from metering.store.sql.tables_findings import (
    WAITING,
    finding_marks,
    finding_notices,
    finding_verdicts,
    findings,
)

__all__ = ["SqlFindings"]

_TIERS = tuple(Tier)


class SqlFindings:
    """:class:`metering.findings.Findings` on one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep(
        self, finding: Finding, at: datetime, *, tenancy: str = "", muted: str = ""
    ) -> tuple[Kept, Tier | None]:
        """Keep a finding, or add to the kept one it is; gives it and the tier it newly reached, if it did."""
        known = self._same(finding)
        if known is None:
            self._clear_open(finding)
            row = {
                **_row(finding),
                "state": FindingState.NEW,
                "tenancy": tenancy,
                "muted": muted,
                "kept_at": at,
            }
            number = self._connection.execute(sa.insert(findings).values(row)).inserted_primary_key
            assert number is not None  # noqa: S101  tells the type
            return Kept(number[0], finding, FindingState.NEW, tenancy, muted, at), finding.tier
        grown = _grown(known.finding, finding)
        reached = grown.tier if grown.tier.rank > known.finding.tier.rank else None
        if grown != known.finding:
            this = findings.c.id == known.id
            self._connection.execute(sa.update(findings).where(this).values(_row(grown)))
        return replace(known, finding=grown), reached

    def close(self, number: int, cleared_at: datetime, outcome: Mapping[str, object]) -> None:
        """Clear an open finding the readings no longer show."""
        known = self.finding(number)
        if known is None or known.finding.cleared_at is not None:
            return
        closed = replace(known.finding, cleared_at=cleared_at, outcome={**known.finding.outcome, **outcome})
        self._connection.execute(sa.update(findings).where(findings.c.id == number).values(_row(closed)))

    def finding(self, number: int) -> Kept | None:
        """Give one finding."""
        row = self._connection.execute(sa.select(findings).where(findings.c.id == number)).one_or_none()
        return None if row is None else _kept(row)

    def of(self, subject: str) -> Sequence[Kept]:
        """Give all findings of a meter or district, the newest first."""
        return self.wanted(Wanted(subject=subject), limit=1000)[0]

    def wanted(self, wanted: Wanted, *, offset: int = 0, limit: int = 50) -> tuple[Sequence[Kept], int]:
        """Give findings, the one raised last first, and how many there are in all."""
        these = sa.and_(sa.true(), *_conditions(wanted))
        order = (findings.c.raised_at.desc(), findings.c.id.desc())
        rows = sa.select(findings).where(these).order_by(*order).offset(offset).limit(limit)
        total = self._connection.execute(
            sa.select(sa.func.count()).select_from(findings).where(these)
        ).scalar()
        return [_kept(row) for row in self._connection.execute(rows)], total or 0

    def judge(self, number: int, verdict: Verdict) -> Kept:
        """Book a verdict.

        Raises:
            InvalidValue: no such finding, or it cannot become so.
        """
        known = self.finding(number)
        if known is None:
            raise InvalidValue(f"there is no finding {number}")
        if verdict.state not in NEXT[known.state]:
            raise InvalidValue(f"finding {number} is {known.state} and cannot become {verdict.state}")
        state = {"state": verdict.state}
        self._connection.execute(sa.update(findings).where(findings.c.id == number).values(state))
        self._connection.execute(sa.insert(finding_verdicts).values({**asdict(verdict), "finding": number}))
        return replace(known, state=verdict.state)

    def verdicts(self, number: int) -> Sequence[Verdict]:
        """Give what was said of a finding, in order."""
        columns = [finding_verdicts.c[name] for name in ("state", "by", "reason", "at")]
        wanted = sa.select(*columns).where(finding_verdicts.c.finding == number)
        rows = self._connection.execute(wanted.order_by(finding_verdicts.c.id))
        return [Verdict(FindingState(state), by, reason, at) for state, by, reason, at in rows]

    def feedback(self) -> Mapping[str, Feedback]:
        """Give the last verdicts on findings by class."""
        said = (FindingState.CONFIRMED, FindingState.DISMISSED)
        columns = (findings.c.family, findings.c.state)
        counted = sa.select(*columns, sa.func.count()).where(findings.c.state.in_(said)).group_by(*columns)
        counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(said, 0))
        for family, state, number in self._connection.execute(counted):
            counts[family][state] = number
        return {family: Feedback(*(one[state] for state in said)) for family, one in counts.items()}

    def open_of(self, subjects: Collection[str]) -> Sequence[Kept]:
        """Give the open findings of some meters or districts."""
        found: list[Kept] = []
        for chunk in in_chunks(subjects):
            these = findings.c.cleared_at.is_(None) & findings.c.subject.in_(chunk)
            found += map(_kept, self._connection.execute(sa.select(findings).where(these)))
        return found

    def waiting(self, why: str, limit: int) -> Sequence[Kept]:
        """Give findings with this ``muted``: all for WAITS (undecided), else open ones."""
        these = WAITING if why == WAITS else (findings.c.muted == why) & findings.c.cleared_at.is_(None)
        wanted = sa.select(findings).where(these).order_by(findings.c.id).limit(limit)
        return [_kept(row) for row in self._connection.execute(wanted)]

    def settle(self, number: int, *, muted: str, tenancy: str) -> None:
        """Decide why nobody is told of a finding, empty if it is told, and whose it is."""
        decided = sa.update(findings).where(findings.c.id == number)
        self._connection.execute(decided.values(muted=muted, tenancy=tenancy))

    def raised(self, family: str, since: datetime, until: datetime, limit: int) -> Sequence[Kept]:
        """Give the findings of a class first raised in ``since <= raised_at < until``."""
        within = (findings.c.raised_at >= since) & (findings.c.raised_at < until)
        wanted = sa.select(findings).where(within, findings.c.family == family).limit(limit)
        return [_kept(row) for row in self._connection.execute(wanted.order_by(findings.c.id))]

    def marks(self, meters: Collection[str]) -> Mapping[str, Mark]:
        """Tell how far the scan of some meters came; nothing for those never scanned."""
        found: dict[str, Mark] = {}
        for chunk in in_chunks(meters):
            wanted = sa.select(finding_marks).where(finding_marks.c.meter.in_(chunk))
            found |= {row[0]: Mark(*row[1:]) for row in self._connection.execute(wanted)}
        return found

    def set_marks(self, marks: Mapping[str, Mark]) -> None:
        """Remember how far the scan of some meters came."""
        rows = [{"meter": meter, **asdict(mark)} for meter, mark in marks.items()]
        put(self._connection, finding_marks, rows)

    def ask(self, notices: Sequence[Notice]) -> int:
        """Have something told; each key once for ever. Gives how many were new."""
        return insert_once(self._connection, finding_notices, [asdict(notice) for notice in notices])

    def due(self, now: datetime, limit: int = 100) -> Sequence[Notice]:
        """Give notices that may be sent now, the oldest first."""
        these = (finding_notices.c.state == NoticeState.WAITING) & (finding_notices.c.next_at <= now)
        order = (finding_notices.c.next_at, finding_notices.c.key)
        wanted = sa.select(finding_notices).where(these).order_by(*order).limit(limit)
        return [_notice(row) for row in self._connection.execute(wanted)]

    def noted(self, notice: Notice) -> None:
        """Book what became of a notice."""
        this = finding_notices.c.key == notice.key
        self._connection.execute(sa.update(finding_notices).where(this).values(asdict(notice)))

    def notices(self, finding: int) -> Sequence[Notice]:
        """Give whom a finding was told, by key."""
        wanted = sa.select(finding_notices).where(finding_notices.c.finding == finding)
        return [_notice(row) for row in self._connection.execute(wanted.order_by(finding_notices.c.key))]

    def _same(self, finding: Finding) -> Kept | None:
        """Give the kept finding this one is: of the same class, and at a time at which both were open."""
        until = finding.cleared_at
        these = [
            findings.c.subject == finding.subject,
            findings.c.family == finding.family,
            sa.or_(findings.c.cleared_at.is_(None), findings.c.cleared_at >= finding.stages[0].onset),
        ]
        if until is not None:
            these.append(findings.c.onset <= until)
        wanted = sa.select(findings).where(*these).order_by(findings.c.raised_at, findings.c.id)
        kept = [_kept(row) for row in self._connection.execute(wanted)]
        exact = [one for one in kept if one.finding.stages[0].raised_at == finding.stages[0].raised_at]
        return next(iter(exact or kept[-1:]), None)

    def _clear_open(self, finding: Finding) -> None:
        """Make room for a newer finding: what is open began earlier and is followed by it."""
        these = (
            (findings.c.subject == finding.subject)
            & (findings.c.family == finding.family)
            & findings.c.cleared_at.is_(None)
        )
        if finding.cleared_at is None:
            for row in self._connection.execute(sa.select(findings.c.id).where(these)).all():
                self.close(row.id, finding.stages[0].raised_at, {"followed": True})


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    asked: list[sa.ColumnElement[bool]] = []
    if wanted.tier is not None:
        asked.append(findings.c.tier >= wanted.tier.rank)
    if wanted.family:
        asked.append(findings.c.family == wanted.family)
    if wanted.state is not None:
        asked.append(findings.c.state == wanted.state)
    if wanted.is_open is not None:
        asked.append(
            findings.c.cleared_at.is_(None) if wanted.is_open else findings.c.cleared_at.is_not(None)
        )
    if wanted.subject:
        asked.append(findings.c.subject == wanted.subject)
    return asked


def _grown(known: Finding, seen: Finding) -> Finding:
    """Add what is new: higher tiers, the clearing, the outcome. What is kept of a stage stays as it was."""
    reached = known.tier.rank
    more = tuple(stage for stage in seen.stages if stage.tier.rank > reached)
    return Finding(known.subject, (*known.stages, *more), seen.cleared_at, {**known.outcome, **seen.outcome})


def _row(finding: Finding) -> dict[str, Any]:
    first = finding.stages[0]
    body = {"stages": [_stage_out(stage) for stage in finding.stages], "outcome": dict(finding.outcome)}
    return {
        "subject": finding.subject,
        "family": finding.family,
        "name": finding.name,
        "tier": finding.tier.rank,
        "raised_at": first.raised_at,
        "onset": first.onset,
        "cleared_at": finding.cleared_at,
        "body": _json(body),
    }


def _json(body: Mapping[str, Any]) -> str:
    """Write evidence; JSON has no infinity and no NaN: a band that is open upwards ends in null."""
    try:
        return json.dumps(body, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:
        readable = json.dumps(body, ensure_ascii=False, default=_plain)
        finite = json.loads(readable, parse_constant=lambda _name: None)
        return json.dumps(finite, ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> object:
    """Give numbers of NumPy as Python's."""
    if isinstance(value, datetime):
        return value.isoformat()
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"evidence holds a {type(value).__name__}")
    return item()


def _stage_out(stage: Stage) -> dict[str, object]:
    return {
        **asdict(stage),
        "evidence": dict(stage.evidence),
        "raised_at": stage.raised_at.isoformat(),
        "onset": stage.onset.isoformat(),
    }


def _stage_in(told: Mapping[str, Any]) -> Stage:
    moments = {name: datetime.fromisoformat(told[name]) for name in ("raised_at", "onset")}
    return Stage(**{**told, **moments, "tier": Tier(told["tier"])})


def _kept(row: sa.Row[Any]) -> Kept:
    body = json.loads(row.body)
    stages = tuple(_stage_in(stage) for stage in body["stages"])
    finding = Finding(row.subject, stages, row.cleared_at, body["outcome"])
    return Kept(row.id, finding, FindingState(row.state), row.tenancy, row.muted, row.kept_at)


def _notice(row: sa.Row[Any]) -> Notice:
    told = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's documented name, underscored to keep column names free
    return Notice(**{**told, "tier": Tier(told["tier"]), "state": NoticeState(told["state"])})
