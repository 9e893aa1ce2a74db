"""New telegrams -> rows of telegrams and receptions, as each driver takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metering.ports import NewTelegram
from metering.store.sql.bulk import Load
from metering.store.sql.forms import forms_of
from metering.store.sql.schema import receptions, telegrams
from metering.uplink import Reception

__all__ = ["Heard", "rows_of_receptions", "rows_of_telegrams"]

_TELEGRAM = ("id", "meter", "frame", "fingerprint", "state", "reason", "heard_at")
_RECEPTION = (
    "telegram",
    "gateway",
    "heard_at",
    "received_at",
    "clock",
    "rssi_dbm",
    "mode",
    "boot",
    "seq",
    "history",
    "raw",
)

Heard = tuple[int, int, Reception, bytes | None]
"""Numbers of telegram and meter, how it was heard, and the bytes as received if they differ."""


def rows_of_telegrams(dialect: sa.Dialect, numbered: Iterable[tuple[int, int, NewTelegram]]) -> Load:
    """Give the rows of telegrams, each with its number and the meter's."""
    moment, _, text = forms_of(dialect)
    rows: list[tuple[Any, ...]] = []
    moments: list[datetime] = []
    for number, meter, telegram in numbered:
        at = _first_heard(telegram)
        moments.append(at)
        state, reason = text(telegram.state), text(telegram.reason)
        rows.append((number, meter, telegram.frame, telegram.fingerprint, state, reason, moment(at)))
    return Load(telegrams, _TELEGRAM, rows, moments)


def rows_of_receptions(dialect: sa.Dialect, gateways: Mapping[str, int], heard: Sequence[Heard]) -> Load:
    """Give the rows of receptions; ``gateways`` by name."""
    moment, _, text = forms_of(dialect)
    rows = [
        (
            telegram,
            gateways[one.gateway],
            moment(one.heard_at),
            moment(one.received_at),
            text(one.clock),
            one.rssi_dbm,
            text(one.mode),
            text(one.boot),
            one.seq,
            one.history,
            raw,
        )
        for telegram, _, one, raw in heard
    ]
    return Load(receptions, _RECEPTION, rows, [one.heard_at for _, _, one, _ in heard])


def _first_heard(telegram: NewTelegram) -> datetime:
    first, *others = telegram.receptions
    return min(heard.heard_at for heard, _ in telegram.receptions) if others else first[0].heard_at
