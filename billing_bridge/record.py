"""A billing read as it is kept: everything it rests on, so that it can be opened again as it was.

What is handed over (:meth:`BillingRead.payload`) says what counts; the record also says from which reads an
index was taken and on which line of the meter, so that the next period opens exactly where this one closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from billing_bridge.boundary import Boundary, How
from billing_bridge.estimate import Method
from billing_bridge.period import Cause, Period
from billing_bridge.quality import Cim, Espi
from billing_bridge.read import BillingRead, Deduction, Edit, ReadSegment, Ruling, Subject
from billing_bridge.validate import Outcome, Severity, Verdict
from metering.billing import KeptRead, ReadState
from metering.consumption import IndexPoint
from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.reading import Register, utc

__all__ = ["kept", "opened", "record_of"]

_VERSION = 1


def record_of(read: BillingRead) -> bytes:
    """Write a read, without whose it is and which period."""
    told = {
        "v": _VERSION,
        "replaces": read.replaces,
        "segments": [_segment(one) for one in read.segments],
        "deductions": [
            [str(one.meter), str(one.volume_m3), one.accepted, one.reason] for one in read.deductions
        ],
        "outcomes": [_outcome(one) for one in read.outcomes],
        "rulings": [[one.at.isoformat(), one.counts, one.why, list(one.others)] for one in read.rulings],
        "edits": [[one.action, one.by, one.reason, one.at.isoformat()] for one in read.edits],
    }
    return orjson.dumps(told)


def kept(read: BillingRead, state: ReadState, *, contract: str | None, now: datetime, by: str) -> KeptRead:
    """Give a read as it is kept."""
    return KeptRead(
        key=read.key,
        tenant=read.subject.tenant,
        service_point=read.subject.service_point,
        register=read.subject.register.key,
        period=read.period.id,
        starts=read.period.start,
        ends=read.period.end,
        cause=read.period.cause.value,
        revision=read.revision,
        state=state,
        contract=contract,
        volume_m3=read.volume_m3,
        actual=read.actual,
        record=record_of(read),
        taken_at=now,
        by=by,
    )


def opened(row: KeptRead) -> BillingRead:
    """Open a kept read again.

    Raises:
        InvalidValue: written by a release that knows more.
    """
    told: Mapping[str, Any] = orjson.loads(row.record)
    if told["v"] != _VERSION:
        raise InvalidValue(f"{row.key} was written by a newer release (record {told['v']})")
    return BillingRead(
        subject=Subject(row.tenant, row.service_point, Register.parse(row.register)),
        period=Period(row.starts, row.ends, row.period, Cause(row.cause)),
        segments=tuple(_segment_of(one) for one in told["segments"]),
        deductions=tuple(
            Deduction(MeterId.parse(meter), Decimal(volume), accepted, reason)
            for meter, volume, accepted, reason in told["deductions"]
        ),
        outcomes=tuple(_outcome_of(one) for one in told["outcomes"]),
        revision=row.revision,
        replaces=told["replaces"],
        rulings=tuple(
            Ruling(_moment(at), counts, why, tuple(others)) for at, counts, why, others in told["rulings"]
        ),
        edits=tuple(Edit(action, by, reason, _moment(at)) for action, by, reason, at in told["edits"]),
    )


def _segment(one: ReadSegment) -> list[Any]:
    return [str(one.meter), str(one.step_m3), _boundary(one.opening), _boundary(one.closing)]


def _segment_of(told: list[Any]) -> ReadSegment:
    meter, step, opening, closing = told
    return ReadSegment(MeterId.parse(meter), _boundary_of(opening), _boundary_of(closing), Decimal(step))


def _boundary(one: Boundary) -> list[Any]:
    anchor = one.anchor
    read = [anchor.at.isoformat(), str(anchor.value), str(anchor.carry)]
    method = one.method.value if one.method else None
    return [one.at.isoformat(), str(one.total), str(one.index), one.how.value, read, method, one.line]


def _boundary_of(told: list[Any]) -> Boundary:
    at, total, index, how, (read_at, value, carry), method, line = told
    anchor = IndexPoint(_moment(read_at), Decimal(value), Decimal(carry))
    by = Method(method) if method else None
    return Boundary(_moment(at), Decimal(total), Decimal(index), How(how), anchor, by, line)


def _outcome(one: Outcome) -> Any:
    """Give an outcome; those that say nothing of their own, as most do, are written once for all reads."""
    if not one.evidence:
        return _written(one.rule, one.verdict, one.severity, one.sentence, one.cim, one.espi)
    return _told(one)


@lru_cache(maxsize=1024)
def _written(*said: Any) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(_told(Outcome(*said))))


def _told(one: Outcome) -> list[Any]:
    severity = one.severity.value if one.severity else None
    cim = one.cim.value if one.cim else None
    espi = int(one.espi) if one.espi is not None else None
    return [one.rule, one.verdict.value, severity, one.sentence, cim, espi, dict(one.evidence)]


def _outcome_of(told: list[Any]) -> Outcome:
    rule, verdict, severity, sentence, cim, espi, evidence = told
    return Outcome(
        rule,
        Verdict(verdict),
        Severity(severity) if severity else None,
        sentence,
        Cim(cim) if cim else None,
        Espi(espi) if espi is not None else None,
        evidence,
    )


def _moment(text: str) -> datetime:
    return utc(datetime.fromisoformat(text))
