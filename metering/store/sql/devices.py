"""Devices behind gateways in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from metering.device import ANY_GATEWAY, Device, PulseReset, PulseState
from metering.store.sql.schema import devices, parts, pulse_resets, pulse_states
from metering.store.sql.statements import Row, execute_many, insert_once, replace, select_among
from metering.store.sql.symbols import Names
from metering.store.sql.unclaimed import ask_claiming
from metering.uplink import ClockSource, PartUplink, Reception

__all__ = ["SqlDevices"]

_Pair = tuple[str, str]


class SqlDevices:
    """:class:`metering.device.Devices` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def put(self, new: Iterable[Device]) -> None:
        """Record devices; the same gateway, name and start replaces."""
        said = list(new)
        numbers = self._names.meters.ensure(one.meter for one in said)
        rows: list[Row] = [
            {
                "gateway": one.gateway,
                "name": one.name,
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
                "meter": numbers[one.meter],
            }
            for one in said
        ]
        replace(self._connection, devices, rows)
        ask_claiming(self._connection)

    def named(self, names: Collection[_Pair]) -> Mapping[_Pair, Sequence[Device]]:
        """Give the devices of ``(gateway, name)`` pairs, by start; those of any gateway count for each."""
        asked = sorted({*names, *((ANY_GATEWAY, name) for _, name in names)})
        found: dict[_Pair, list[Device]] = {}
        for one in sorted(self._devices(asked), key=lambda one: one.valid_from):
            found.setdefault((one.gateway, one.name), []).append(one)
        both = {
            (gateway, name): [*found.get((gateway, name), ()), *found.get((ANY_GATEWAY, name), ())]
            for gateway, name in names
        }
        return {pair: known for pair, known in both.items() if known}

    def _devices(self, asked: Sequence[_Pair]) -> list[Device]:
        rows = self._among(devices, ("gateway", "name"), asked)
        ids = self._names.meters.things(row.meter for row in rows)
        return [Device(row.gateway, row.name, ids[row.meter], row.valid_from, row.valid_to) for row in rows]

    def pulse_states(self, inputs: Collection[_Pair]) -> Mapping[_Pair, PulseState]:
        """Give what ``(gateway, channel)`` pairs said last."""
        key, asked = ("gateway", "channel"), sorted(inputs)
        resets: dict[_Pair, list[PulseReset]] = {}
        for row in sorted(self._among(pulse_resets, key, asked), key=lambda row: row.at):
            resets.setdefault((row.gateway, row.channel), []).append(PulseReset(row.at, row.total, row.lost))
        return {
            (row.gateway, row.channel): PulseState(
                row.total, row.at, tuple(resets.get((row.gateway, row.channel), ()))
            )
            for row in self._among(pulse_states, key, asked)
        }

    def put_pulse_states(self, states: Mapping[_Pair, PulseState]) -> None:
        """Remember what pulse inputs said last, and their resets as they are known now."""
        inputs = [
            ({"gateway": gateway, "channel": channel}, state) for (gateway, channel), state in states.items()
        ]
        newest: list[Row] = [{**key, "total": state.total, "at": state.at} for key, state in inputs]
        resets: list[Row] = [
            {**key, "at": reset.at, "total": reset.total, "lost": reset.lost}
            for key, state in inputs
            for reset in state.resets
        ]
        replace(self._connection, pulse_states, newest)
        replace(self._connection, pulse_resets, resets)

    def parts(self, sessions: Collection[_Pair]) -> Mapping[_Pair, Sequence[PartUplink]]:
        """Give the parts that wait for others, by ``(gateway, boot)``, in the order of their numbers."""
        found: dict[_Pair, list[PartUplink]] = {}
        rows = self._among(parts, ("gateway", "boot"), sorted(sessions))
        for row in sorted(rows, key=lambda row: row.seq):
            found.setdefault((row.gateway, row.boot), []).append(_part(row))
        return found

    def keep_parts(self, new: Iterable[PartUplink]) -> None:
        """Keep parts until the others come; the same number twice is one."""
        rows: list[Row] = [
            {
                **_key(one),
                "first": one.first,
                "last": one.last,
                "form": one.form,
                "payload": one.payload,
                "heard_at": one.reception.heard_at,
                "received_at": one.reception.received_at,
                "clock": one.reception.clock.value,
            }
            for one in new
        ]
        insert_once(self._connection, parts, rows)

    def drop_parts(self, done: Iterable[PartUplink]) -> None:
        """Let go of parts that were put together."""
        named = {
            name: sa.bindparam(f"its_{name}", type_=parts.c[name].type) for name in ("gateway", "boot", "seq")
        }
        one_part = sa.delete(parts).where(*(parts.c[name] == value for name, value in named.items()))
        rows = [{f"its_{name}": value for name, value in _key(one).items()} for one in done]
        execute_many(self._connection, one_part, rows)

    def _among(self, table: sa.Table, key: _Pair, asked: Sequence[_Pair]) -> list[sa.Row[Any]]:
        columns = [table.c[name] for name in key]
        return select_among(self._connection, sa.select(table), columns, asked) if asked else []


def _key(one: PartUplink) -> Row:
    reception = one.reception
    return {"gateway": reception.gateway, "boot": reception.boot, "seq": reception.seq}


def _part(row: sa.Row[Any]) -> PartUplink:
    clock = ClockSource(row.clock)
    heard = Reception(row.gateway, row.heard_at, row.received_at, clock, boot=row.boot, seq=row.seq)
    return PartUplink(heard, row.first, row.last, row.form, row.payload)
