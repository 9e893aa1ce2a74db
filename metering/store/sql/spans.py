"""The numbers gateways give what they send, kept as spans without a gap.

A gateway counts from one at each boot. A span ``first..last`` of a boot says that every number in it came;
what lies between two spans of a boot is missing. So the ledger of a year is a few rows per boot, and whether
a number came before is asked of those few.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from metering.store.sql.schema import gateways, receptions, spans
from metering.store.sql.statements import Row, execute_many, given, in_chunks, insert
from metering.store.sql.symbols import Names
from metering.store.sql.types import storable
from metering.upkeep import Boot, Gap

__all__ = ["Spans"]

_Boot = tuple[int, str]
"""Number of the gateway, boot id."""

_Span = tuple[int, int]
"""First and last number."""

_LARGEST = 2**63 - 1

_Numbers = Mapping[_Boot, Collection[int]]


@dataclass(slots=True)
class _Loaded:
    """The spans of a boot that touch ``low..high``, in order."""

    low: int
    high: int
    spans: list[_Span]

    def among(self, asked: Iterable[tuple[str, str, int]]) -> Iterable[tuple[str, str, int]]:
        """Give those whose number is in a span."""
        return [one for one in asked if self._knows(one[2])] if self.spans else ()

    def _knows(self, seq: int) -> bool:
        place = bisect_right(self.spans, seq, key=lambda span: span[0]) - 1
        return place >= 0 and seq <= self.spans[place][1]


class Spans:
    """The numbers as one transaction sees them."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names
        self._boots: dict[_Boot, _Loaded] = {}

    def known(self, asked: Collection[tuple[str, str, int]]) -> set[tuple[str, str, int]]:
        """Give those numbers that came before."""
        numbers = self._names.gateways.find({gateway for gateway, _, _ in asked})
        groups: dict[tuple[str, str], list[tuple[str, str, int]]] = {}
        for one in asked:
            groups.setdefault(one[:2], []).append(one)
        said: dict[_Boot, list[tuple[str, str, int]]] = {}
        for (gateway, boot), ones in groups.items():
            if gateway in numbers:  # two boots may be the same as far as the database can hold them
                said.setdefault((numbers[gateway], storable(boot)), []).extend(ones)
        self._load({boot: [one[2] for one in ones] for boot, ones in said.items()})
        return {one for boot, ones in said.items() for one in self._boots[boot].among(ones)}

    def remember(self, came: Iterable[tuple[int, str, int]]) -> None:
        """Remember numbers that came: number of the gateway, boot, number. Repeats are ignored."""
        wanted = _by_boot(((gateway, storable(boot)), seq) for gateway, boot, seq in came)
        self._load(wanted)
        gone: list[Row] = []
        new: list[Row] = []
        for boot, numbers in wanted.items():
            loaded = self._boots[boot]
            before = loaded.spans
            loaded.spans = _joined(before, numbers)
            kept = {first for first, _ in loaded.spans}
            gone += [_row(boot, "g", first) for first, _ in before if first not in kept]
            changed = set(loaded.spans) - set(before)
            new += [_row(boot, "", first) | {"last": last} for first, last in changed]
        self._write(gone, new)

    def _write(self, gone: Sequence[Row], new: Sequence[Row]) -> None:
        these = (spans.c[name] == sa.bindparam(f"g{name}") for name in ("gateway", "boot", "first"))
        if gone:
            execute_many(self._connection, sa.delete(spans).where(*these), gone)
        statement = insert(self._connection.dialect.name, spans)
        grown = statement.on_conflict_do_update(
            index_elements=spans.primary_key, set_={"last": statement.excluded.last}
        )
        execute_many(self._connection, grown, new)

    def _load(self, wanted: _Numbers) -> None:
        """Load the spans around these numbers, as far as this transaction has not."""
        asked = {
            boot: (min(numbers) - 1, min(max(numbers) + 1, _LARGEST)) for boot, numbers in wanted.items()
        }
        new = {
            boot: (low, high)
            for boot, (low, high) in asked.items()
            if boot not in self._boots or low < self._boots[boot].low or high > self._boots[boot].high
        }
        found: dict[_Boot, list[_Span]] = {boot: [] for boot in new}
        for chunk in in_chunks((*boot, *limits) for boot, limits in new.items()):
            for gateway, boot, first, last in self._select(chunk):
                found[gateway, boot].append((first, last))
        for one, (low, high) in new.items():
            self._boots[one] = _Loaded(low, high, sorted(found[one]))

    def _select(self, asked: Sequence[tuple[int, str, int, int]]) -> list[tuple[int, str, int, int]]:
        columns = (spans.c.gateway, spans.c.boot, spans.c.first, spans.c.last)
        these, (gateway, boot, low, high) = given(self._connection, columns, asked)
        same = (spans.c.gateway == gateway) & (spans.c.boot == boot)
        near = (spans.c.first <= high) & (spans.c.last >= low)
        found = self._connection.execute(sa.select(*columns).select_from(these).join(spans, same & near))
        return [(row[0], row[1], row[2], row[3]) for row in found]

    # --- what is missing -------------------------------------------------------------------------

    def gaps(self, gateway: str | None, limit: int) -> list[Gap]:
        """Give what is missing between numbers that came, the newest first as far as its time is known."""
        following = sa.func.lead(spans.c.first).over(
            partition_by=(spans.c.gateway, spans.c.boot), order_by=spans.c.first
        )
        pairs = sa.select(spans.c.gateway, spans.c.boot, spans.c.last, following.label("following"))
        if gateway is not None:
            pairs = pairs.where(spans.c.gateway == self._names.gateways.number(gateway))
        found = pairs.subquery()
        before, after = (_heard_at(found, number) for number in (found.c.last, found.c.following))
        statement = (
            sa.select(gateways.c.name, found.c.boot, found.c.last + 1, found.c.following - 1, before, after)
            .join(gateways, gateways.c.id == found.c.gateway)
            .where(found.c.following.is_not(None))
            .order_by(before.desc().nulls_last(), gateways.c.name, found.c.boot, found.c.last.desc())
            .limit(limit)
        )
        return [Gap(*row) for row in self._connection.execute(statement)]

    def boots(self, gateway: str) -> list[Boot]:
        """Give the boots of a gateway and how complete each is."""
        came = sa.func.sum(spans.c.last - spans.c.first + 1)
        statement = (
            sa.select(spans.c.boot, sa.func.min(spans.c.first), sa.func.max(spans.c.last), came)
            .where(spans.c.gateway == self._names.gateways.number(gateway))
            .group_by(spans.c.boot)
            .order_by(spans.c.boot)
        )
        return [
            Boot(gateway, row[0], row[1], row[2], int(row[3])) for row in self._connection.execute(statement)
        ]


def _heard_at(found: sa.Subquery, number: sa.ColumnElement[int]) -> sa.ColumnElement[datetime]:
    """When the telegram with this number was heard; a pulse or an unreadable item has no time of its own."""
    same = (receptions.c.gateway == found.c.gateway) & (receptions.c.boot == found.c.boot)
    return (
        sa.select(receptions.c.heard_at)
        .where(same & (receptions.c.seq == number))
        .correlate(found)
        .scalar_subquery()
    )


def _by_boot(numbers: Iterable[tuple[_Boot, int]]) -> dict[_Boot, set[int]]:
    found: dict[_Boot, set[int]] = {}
    for boot, number in numbers:
        found.setdefault(boot, set()).add(number)
    return found


def _joined(old: Iterable[_Span], new: Collection[int]) -> list[_Span]:
    """Join spans and single numbers to spans with a gap between any two."""
    joined: list[_Span] = []
    for first, last in sorted([*old, *_runs(new)]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _runs(numbers: Collection[int]) -> Iterable[_Span]:
    """Give different numbers as spans: as one if none is missing between them, as nearly always."""
    low, high = min(numbers), max(numbers)
    return [(low, high)] if high - low + 1 == len(numbers) else ((number, number) for number in numbers)


def _row(boot: _Boot, prefix: str, first: int) -> Row:
    return {f"{prefix}gateway": boot[0], f"{prefix}boot": boot[1], f"{prefix}first": first}
