"""The evidence behind a billed index: from the invoice down to the telegrams, in one pack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson

from billing_bridge.arbiter import told_by
from billing_bridge.boundary import Boundary, How
from billing_bridge.read import BillingRead, ReadSegment
from billing_bridge.record import opened
from metering.billing import KeptRead
from metering.checks import Finding
from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.ports import Transaction
from metering.reading import Reading, Register
from service.provenance import gone

__all__ = ["evidence_of"]

_INSTANT = timedelta(microseconds=1)


def evidence_of(tx: Transaction, target: str, key: str) -> dict[str, Any]:
    """Give everything a billed read rests on, ready for JSON.

    Args:
        tx: a consistent view.
        target: name of the billing system.
        key: of the billing read.

    Raises:
        InvalidValue: there is no such read.
    """
    row = tx.billing.read(key)
    if row is None:
        raise InvalidValue(
            f"there is no billing read {key[:120]!r}; keys look like br:utility:SP1%2Fvolume:..."
        )
    read = opened(row)
    return {
        "key": key,
        "state": row.state.value,
        "service_point": row.service_point,
        "register": row.register,
        "period": {"id": row.period, "start": row.starts, "end": row.ends, "cause": row.cause},
        "revision": row.revision,
        "supersedes": read.supersedes,
        "contract": row.contract,
        "volume_m3": str(read.volume_m3),
        "gross_m3": str(read.gross_m3),
        "taken_at": row.taken_at,
        "taken_by": row.by,
        "segments": [_segment(tx, one, row.register) for one in read.segments],
        "deductions": [
            {
                "meter": str(one.meter),
                "volume_m3": str(one.volume_m3),
                "accepted": one.accepted,
                "reason": one.reason,
            }
            for one in read.deductions
        ],
        "rules": [_rule(one) for one in read.outcomes],
        "between_closings": _between(tx, read),
        "orders": _orders(tx, row.service_point, row),
        "rulings": [
            {"at": one.at, "counts": one.counts, "why": one.why, "others": one.others} for one in read.rulings
        ],
        "edits": [_edit(one) for one in read.edits],
        "decisions": _decisions(tx, read),
        "revisions": _revisions(tx, row),
        "states_told": _states(tx, row, read),
        "hand_over": _hand_over(tx, target, key),
        "documents": [_document(one) for one in tx.accounts.documents(read=key)],
    }


def _segment(tx: Transaction, one: ReadSegment, register: str) -> dict[str, Any]:
    facts = tx.customers.meter_facts([one.meter]).get(one.meter)
    return {
        "meter": str(one.meter),
        "legal_until": facts.legal_until if facts else None,
        "volume_m3": str(one.volume_m3),
        "opening": _boundary(tx, one.meter, one.opening, register),
        "closing": _boundary(tx, one.meter, one.closing, register),
    }


def _boundary(tx: Transaction, meter: MeterId, one: Boundary, register: str) -> dict[str, Any]:
    at = one.anchor.at
    told = {
        "at": one.at,
        "index_m3": str(one.index),
        "how": one.how.value,
        "method": one.method.value if one.method else None,
        "quality": one.cim.value,
        "espi": int(one.espi),
        "rests_on": {"index_m3": str(one.anchor.value), "read_at": at},
    }
    if one.how is How.PROTOCOL:
        known = tx.customers.protocols([meter]).get(meter, ())
        told["protocol"] = [
            {
                "event": p.event.value,
                "at": p.at,
                "index_m3": str(p.value),
                "by": p.by,
                "reference": p.reference,
            }
            for p in known
            if p.at == one.at
        ]
    readings = tx.readings.series(meter, Register.parse(register), at, at + _INSTANT)
    told["readings"] = [_reading(tx, reading) for reading in readings if reading.value == one.anchor.value]
    return told


def _reading(tx: Transaction, reading: Reading) -> dict[str, Any]:
    source = reading.provenance
    return {
        "value": str(reading.value),
        "unit": reading.unit,
        "measured_at": reading.measured_at,
        "received_at": reading.received_at,
        "way": reading.way.value,
        "quality": reading.quality.value,
        "gateway": source.gateway,
        "model": source.model,
        "decoder": source.decoder,
        "telegram": _telegram(tx, source.telegram),
        "telegram_removed": gone(reading, tx),
    }


def _telegram(tx: Transaction, number: int | None) -> dict[str, Any] | None:
    found = tx.archive.telegram(number) if number is not None else None
    if found is None:
        return None
    return {
        "number": found.id,
        "heard_at": found.heard_at,
        "frame": found.frame.hex(),
        "receptions": [
            {"gateway": heard.gateway, "heard_at": heard.heard_at, "rssi_dbm": heard.rssi_dbm}
            for heard, _raw in found.receptions
        ],
    }


def _rule(one: Any) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "verdict": one.verdict.value,
        "severity": one.severity.value if one.severity else None,
        "sentence": one.sentence,
        "quality": one.cim.value if one.cim else None,
        "espi": int(one.espi) if one.espi is not None else None,
        "evidence": dict(one.evidence),
    }


def _between(tx: Transaction, read: BillingRead) -> list[dict[str, Any]]:
    """Give what was judged of each meter between closings: how far, and what was raised in the period."""
    meters = {one.meter for one in read.segments}
    marks, days = tx.checks.marks(meters), tx.checks.interval_marks(meters)
    found = tx.checks.found(meters, read.period.start, read.period.end)
    return [
        {
            "meter": str(meter),
            "states_judged_until": marks[meter].newest if meter in marks else None,
            "states_judged": marks[meter].judged if meter in marks else 0,
            "days_judged_until": days[meter].until if meter in days else None,
            "raised": [_raised(one) for one in found.get(meter, ())],
        }
        for meter in sorted(meters, key=str)
    ]


def _raised(one: Finding) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "at": one.at,
        "until": one.until,
        "index_m3": None if one.value is None else str(one.value),
        "severity": one.severity,
        "sentence": one.sentence,
        "quality": one.cim,
        "espi": one.espi,
        "evidence": orjson.loads(one.evidence),
        "found_at": one.found_at,
    }


def _orders(tx: Transaction, service_point: str, row: KeptRead) -> list[dict[str, Any]]:
    """Give the orders of readers that were open in the period, or since."""
    return [
        {
            "number": one.number,
            "due": one.about.due,
            "reason": one.about.reason,
            "by": one.about.by,
            "ordered_at": one.ordered_at,
            "state": one.state.value,
            "settled_at": one.settled_at,
            "settled_by": one.settled_by,
            "outcome": one.outcome,
        }
        for one in tx.orders.at(service_point)
        if one.settled_at is None or one.settled_at > row.starts
    ]


def _edit(one: Any) -> dict[str, Any]:
    return {"action": one.action, "by": one.by, "reason": one.reason, "at": one.at}


def _decisions(tx: Transaction, read: BillingRead) -> list[dict[str, Any]]:
    prefix = read.key.rpartition(":")[0] + ":"
    return [
        {"question": number, **_edit(made), "said": orjson.loads(made.said)}
        for number, made in tx.billing.decisions_on(prefix)
    ]


def _revisions(tx: Transaction, row: KeptRead) -> list[dict[str, Any]]:
    reads = tx.billing.reads_at([row.service_point], row.ends - _INSTANT, row.ends).get(row.service_point, ())
    return [
        {
            "key": one.key,
            "revision": one.revision,
            "state": one.state.value,
            "volume_m3": str(one.volume_m3),
            "taken_at": one.taken_at,
            "by": one.by,
        }
        for one in reads
        if (one.period, one.register) == (row.period, row.register)
    ]


def _states(tx: Transaction, row: KeptRead, read: BillingRead) -> list[dict[str, Any]]:
    """Give what people told around the period, refused entries too."""
    margin = timedelta(days=5)
    meters = {one.meter for one in read.segments}
    return [
        {
            "read_at": one.read_at,
            "typed": one.typed,
            "channel": told_by(one.channel).value,
            "by": one.by,
            "photo": one.reference,
            "answer": one.answer,
            "accepted_at": one.accepted_at,
        }
        for one in tx.customers.states_at(row.service_point)
        if one.meter in meters and row.starts - margin <= one.read_at <= row.ends + margin
    ]


def _hand_over(tx: Transaction, target: str, key: str) -> Mapping[str, Any] | None:
    item = tx.outbox.item(target, key)
    if item is None:
        return None
    return {
        "target": target,
        "state": item.state.value,
        "sha256": item.sha256.hex(),
        "receipt": item.receipt,
        "put_at": item.put_at,
        "settled_at": item.settled_at,
        "attempts": [{"at": one.at, "outcome": one.outcome} for one in tx.outbox.attempts(target, key)],
    }


def _document(one: Any) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "number": one.number,
        "as_of": one.as_of,
        "amount": str(one.amount) if one.amount is not None else None,
        "currency": one.currency,
    }
