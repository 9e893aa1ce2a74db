"""What came from devices and inputs nobody has registered yet, in SQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa

from metering.reading import Register
from metering.store.sql.schema import counters, unclaimed
from metering.store.sql.statements import Row, in_chunks, insert, insert_once
from metering.store.sql.types import storable
from metering.unclaimed import Claim, UnclaimedKind, UnclaimedUplink, Waiting, claim_of
from metering.uplink import ClockSource, MeterValue, PulseUplink, Reception, ValueUplink

__all__ = ["SqlUnclaimed", "ask_claiming"]

_ASKED = "claims"
_NAMES = (unclaimed.c.kind, unclaimed.c.gateway, unclaimed.c.name)
_PLAIN = ("rssi_dbm", "mode", "boot", "seq", "history", "redelivered")
"""What of a reception is written as it is."""


def ask_claiming(connection: sa.Connection) -> None:
    """Have what waits looked at again: somebody registered something."""
    first = insert(connection.dialect.name, counters).values(name=_ASKED, value=1)
    more = {"value": counters.c.value + 1}
    connection.execute(first.on_conflict_do_update(index_elements=counters.primary_key, set_=more))


class SqlUnclaimed:
    """:class:`metering.unclaimed.Unclaimed` on one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep(self, uplinks: Iterable[UnclaimedUplink]) -> None:
        """Keep uplinks; the same twice is one."""
        insert_once(self._connection, unclaimed, [_row(one) for one in uplinks])

    def asked(self) -> int:
        """Give how often meters, devices or inputs were registered."""
        wanted = sa.select(counters.c.value).where(counters.c.name == _ASKED)
        return self._connection.execute(wanted).scalar() or 0

    def claims(self, after: Claim | None, limit: int) -> Sequence[Claim]:
        """Give names something waits under, in order, behind one of them."""
        wanted = sa.select(*_NAMES).distinct().order_by(*_NAMES).limit(limit)
        if after is not None:
            wanted = wanted.where(sa.tuple_(*_NAMES) > sa.tuple_(*map(sa.literal, map(str, after))))
        rows = map(tuple, self._connection.execute(wanted))
        return [Claim(UnclaimedKind(kind), gateway, name) for kind, gateway, name in rows]

    def waiting(self, claims: Collection[Claim], after: int, limit: int) -> Sequence[Waiting]:
        """Give what waits under some names, in the order it came, behind a number."""
        among = sa.tuple_(*_NAMES).in_([tuple(map(str, claim)) for claim in claims])
        wanted = (
            sa.select(unclaimed).where(among, unclaimed.c.id > after).order_by(unclaimed.c.id).limit(limit)
        )
        return [Waiting(row.id, _uplink(row)) for row in self._connection.execute(wanted)]

    def drop(self, ids: Iterable[int]) -> None:
        """Let go of what has its meter now."""
        for chunk in in_chunks(ids):
            self._connection.execute(sa.delete(unclaimed).where(unclaimed.c.id.in_(chunk)))

    def count(self, before: datetime) -> int:
        """Give how many were heard before a time."""
        older = sa.select(sa.func.count()).select_from(unclaimed).where(unclaimed.c.heard_at < before)
        found: int = self._connection.execute(older).scalar_one()
        return found

    def forget(self, before: datetime, limit: int) -> int:
        """Delete what was heard before a time, the oldest first; gives how many went."""
        oldest = sa.select(unclaimed.c.id).where(unclaimed.c.heard_at < before)
        ids = self._connection.scalars(oldest.order_by(unclaimed.c.heard_at).limit(limit)).all()
        self.drop(ids)
        return len(ids)


def _row(uplink: UnclaimedUplink) -> Row:
    body = _body(uplink)
    return {
        **{name: storable(said) for name, said in claim_of(uplink)._asdict().items()},
        "heard_at": uplink.reception.heard_at,
        "digest": blake2b(body.encode(), digest_size=16).hexdigest(),
        "body": body,
    }


def _body(uplink: UnclaimedUplink) -> str:
    reception = uplink.reception
    said: dict[str, Any] = {
        "received_at": reception.received_at.isoformat(),
        "clock": reception.clock.value,
        **{name: getattr(reception, name) for name in _PLAIN},
    }
    if isinstance(uplink, PulseUplink):
        weight = uplink.litres_per_pulse
        said |= {"total": uplink.total, "litres_per_pulse": None if weight is None else str(weight)}
    else:
        said |= {"device": uplink.device, "values": [_value_row(one) for one in uplink.values]}
    return storable(json.dumps(said, sort_keys=True))


def _value_row(one: MeterValue) -> list[str | None]:
    at = one.measured_at.isoformat() if one.measured_at else None
    return [one.register.key, str(one.value), one.unit, at]


def _uplink(row: sa.Row[Any]) -> UnclaimedUplink:
    said = json.loads(row.body)
    reception = Reception(
        row.gateway,
        row.heard_at,
        datetime.fromisoformat(said["received_at"]),
        ClockSource(said["clock"]),
        **{name: said[name] for name in _PLAIN},
    )
    if row.kind == UnclaimedKind.PULSE:
        weight = said["litres_per_pulse"]
        return PulseUplink(reception, row.name, said["total"], None if weight is None else Decimal(weight))
    values = tuple(_value(*one) for one in said["values"])
    return ValueUplink(reception, said["device"], values)


def _value(register: str, value: str, unit: str, at: str | None) -> MeterValue:
    moment = datetime.fromisoformat(at) if at else None
    return MeterValue(Register.parse(register), Decimal(value), unit, moment)
