"""The archive of raw telegrams in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metering.errors import StoreError
from metering.meter import MeterId
from metering.ports import ArchivedTelegram, NewTelegram, Scope, TelegramState
from metering.store.sql.heard import note_heard
from metering.store.sql.hearings import note_hearings
from metering.store.sql.marks_known import numbers_of_marks
from metering.store.sql.moving import absorb, settle
from metering.store.sql.schema import counters, receptions, telegrams
from metering.store.sql.spans import Spans
from metering.store.sql.statements import in_chunks, insert, insert_new_rows, insert_rows
from metering.store.sql.symbols import Names
from metering.store.sql.telegram_rows import Heard, rows_of_receptions, rows_of_telegrams
from metering.uplink import ClockSource, Reception

__all__ = ["SqlArchive"]

_WAITING = telegrams.c.state != sa.literal_column("'stored'")

_RECEPTION = tuple(receptions.c)[1:]


class SqlArchive:
    """:class:`metering.ports.TelegramArchive` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names, spans: Spans) -> None:
        self._connection = connection
        self._names = names
        self._spans = spans

    def known_sequences(self, asked: Collection[tuple[str, str, int]]) -> set[tuple[str, str, int]]:
        """Give those ``(gateway, boot, seq)`` that were brought in before, frames and pulses alike."""
        return self._spans.known(asked)

    def remember_sequences(self, new: Iterable[tuple[str, str, int]]) -> None:
        """Remember numbers of items that leave no reception (pulses, quarantined items).

        Repeats are ignored.
        """
        items = list(new)
        numbers = self._names.gateways.ensure(gateway for gateway, _, _ in items)
        self._spans.remember((numbers[gateway], boot, seq) for gateway, boot, seq in items)

    def count_unkept(self, heard: Sequence[tuple[MeterId, Reception]]) -> None:
        """Count receptions of meters whose telegrams are not kept, and remember their numbers."""
        meter_of = self._names.meters.ensure(meter for meter, _ in heard)
        self._count([(meter_of[meter], reception) for meter, reception in heard])

    def same_frames(
        self, fingerprints: Collection[bytes], since: datetime, until: datetime | None = None
    ) -> Mapping[bytes, Sequence[ArchivedTelegram]]:
        """Give archived telegrams with these fingerprints, ``since`` to ``until``, earliest first."""
        rows: list[sa.Row[Any]] = []
        for chunk in in_chunks(numbers_of_marks(self._connection, fingerprints, since, until)):
            rows += self._connection.execute(sa.select(telegrams).where(telegrams.c.id.in_(chunk)))
        found: dict[bytes, list[ArchivedTelegram]] = {}
        for telegram in sorted(self._archived(rows), key=lambda one: (one.heard_at, one.id)):
            found.setdefault(telegram.fingerprint, []).append(telegram)
        return found

    def brought(
        self, frames: Collection[tuple[bytes, str]], since: datetime
    ) -> Mapping[tuple[bytes, str], int]:
        """Give those ``(fingerprint, gateway)`` heard at or after ``since``, each with a telegram."""
        numbers = self._names.gateways.find({gateway for _, gateway in frames})
        # one small search per frame, newest first: of identical bytes there may be thousands
        search = (
            sa.select(telegrams.c.id)
            .join(receptions, receptions.c.telegram == telegrams.c.id)
            .where(telegrams.c.fingerprint == sa.bindparam("mark"), telegrams.c.heard_at >= since)
            .where(receptions.c.gateway == sa.bindparam("by"))
            .order_by(telegrams.c.heard_at.desc())
            .limit(1)
        )
        found: dict[tuple[bytes, str], int] = {}
        for mark, gateway in frames:
            if gateway in numbers:
                asked = {"mark": mark, "by": numbers[gateway]}
                if (number := self._connection.execute(search, asked).scalar()) is not None:
                    found[mark, gateway] = number
        return found

    def add(self, new: Sequence[NewTelegram]) -> Sequence[int]:
        """Archive telegrams with their receptions; gives archive numbers in the same order."""
        if not new:
            return []
        meters = self._names.meters.numbers_of([telegram.meter for telegram in new])
        numbers = self._draw_numbers(len(new))
        numbered = list(zip(numbers, meters, new, strict=True))
        insert_new_rows(self._connection, rows_of_telegrams(self._connection.dialect, numbered))
        heard = [
            (number, meter, reception, raw)
            for number, meter, telegram in numbered
            for reception, raw in telegram.receptions
        ]
        self._write_receptions(heard)
        return numbers

    def add_receptions(self, new: Sequence[tuple[int, Reception, bytes | None]]) -> None:
        """Add receptions to archived telegrams; an earlier one moves ``heard_at`` of telegram and readings.

        Only readings whose ``measured_at`` was the telegram's ``heard_at`` move. The readings of a moved
        telegram name the gateway that heard it first.

        Raises:
            StoreError: there is no such telegram.
        """
        meter_of = self._meters_of({telegram for telegram, _, _ in new})
        self._write_receptions([(number, meter_of[number], reception, raw) for number, reception, raw in new])
        settle(self._connection, self._names, list(meter_of))

    def merge(self, keep: int, drop: int) -> None:
        """Two archived telegrams turn out to be one transmission: receptions go to ``keep``.

        ``drop`` and its readings go. Readings both brought are stored once: they stay.

        Raises:
            StoreError: there is no such telegram, or both are the same.
        """
        if keep == drop:
            raise StoreError(f"telegram {keep} cannot be merged with itself")
        self._meters_of({keep, drop})
        absorb(self._connection, keep, drop)
        moved = sa.update(receptions).where(receptions.c.telegram == drop).values(telegram=keep)
        self._connection.execute(moved)
        self._connection.execute(sa.delete(telegrams).where(telegrams.c.id == drop))
        settle(self._connection, self._names, [keep])

    def present(self, numbers: Collection[int]) -> set[int]:
        """Give those of some archive numbers that are in the archive."""
        found: set[int] = set()
        for chunk in in_chunks(numbers):
            found.update(self._connection.scalars(sa.select(telegrams.c.id).where(telegrams.c.id.in_(chunk))))
        return found

    def telegram(self, telegram: int) -> ArchivedTelegram | None:
        """Give one telegram by archive number."""
        rows = self._connection.execute(sa.select(telegrams).where(telegrams.c.id == telegram)).all()
        return next(iter(self._archived(rows)), None)

    def telegrams(
        self,
        *,
        meter: MeterId | None = None,
        state: TelegramState | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[ArchivedTelegram]:
        """Give the newest telegrams first; ``before`` is an archive number to page on."""
        statement = sa.select(telegrams).order_by(telegrams.c.id.desc()).limit(limit)
        if meter is not None:
            statement = statement.where(telegrams.c.meter == self._names.meters.number(meter))
        if state is not None:
            statement = statement.where(*_in_states((state,)))
        if before is not None:
            statement = statement.where(telegrams.c.id < before)
        return self._archived(self._connection.execute(statement).all())

    def scan(self, scope: Scope, *, after: int = 0, limit: int = 500) -> Sequence[ArchivedTelegram]:
        """Give telegrams by archive number, beginning behind ``after``."""
        statement = sa.select(telegrams).where(telegrams.c.id > after).order_by(telegrams.c.id).limit(limit)
        if scope.meter is not None:
            statement = statement.where(telegrams.c.meter == self._names.meters.number(scope.meter))
        if scope.states:
            statement = statement.where(*_in_states(scope.states))
        if scope.since is not None:
            statement = statement.where(telegrams.c.heard_at >= scope.since)
        if scope.until is not None:
            statement = statement.where(telegrams.c.heard_at < scope.until)
        return self._archived(self._connection.execute(statement).all())

    def count(self, state: TelegramState | None = None) -> int:
        """Give how many telegrams are in the archive now, in all or in a state."""
        statement = sa.select(sa.func.count()).select_from(telegrams)
        if state is not None:
            statement = statement.where(telegrams.c.state == state)
        found: int = self._connection.execute(statement).scalar_one()
        return found

    def last_number(self) -> int:
        """Give the highest archive number; 0 if there is none."""
        return self._connection.execute(sa.select(sa.func.max(telegrams.c.id))).scalar() or 0

    def last_number_given(self) -> int:
        """Give the highest archive number ever given."""
        drawn = sa.select(counters.c.value).where(counters.c.name == "telegram")
        return self._connection.execute(drawn).scalar() or 0

    def set_state(self, telegram: int, state: TelegramState, reason: str) -> None:
        """Change what became of a telegram (a key came late, a meter was registered).

        Raises:
            StoreError: there is no such telegram.
        """
        change = sa.update(telegrams).where(telegrams.c.id == telegram).values(state=state, reason=reason)
        if not self._connection.execute(change).rowcount:
            raise StoreError(f"there is no telegram {telegram} in the archive")

    def _draw_numbers(self, count: int) -> list[int]:
        statement = insert(self._connection.dialect.name, counters).values(name="telegram", value=count)
        drawn = statement.on_conflict_do_update(
            index_elements=counters.primary_key, set_={"value": counters.c.value + count}
        ).returning(counters.c.value)
        last: int = self._connection.execute(drawn).scalar_one()
        return list(range(last - count + 1, last + 1))

    def _meters_of(self, numbers: Collection[int]) -> dict[int, int]:
        meter_of: dict[int, int] = {}
        for chunk in in_chunks(numbers):
            statement = sa.select(telegrams.c.id, telegrams.c.meter).where(telegrams.c.id.in_(chunk))
            meter_of |= {row.id: row.meter for row in self._connection.execute(statement)}
        if missing := sorted(set(numbers) - meter_of.keys()):
            raise StoreError(f"there is no telegram {missing[0]} in the archive")
        return meter_of

    def _write_receptions(self, new: Sequence[Heard]) -> None:
        gateways = self._names.gateways.ensure({reception.gateway for _, _, reception, _ in new})
        load = rows_of_receptions(self._connection.dialect, gateways, new)
        insert_rows(self._connection, load, expected_new=True)
        self._count([(meter, reception) for _, meter, reception, _ in new])

    def _count(self, heard: Sequence[tuple[int, Reception]]) -> None:
        gateway_of = self._names.gateways.ensure({reception.gateway for _, reception in heard})
        note_heard(self._connection, [(meter, reception.heard_at) for meter, reception in heard])
        counted = ((meter, gateway_of[reception.gateway], reception) for meter, reception in heard)
        note_hearings(self._connection, counted)
        numbers = (reception.sequence for _, reception in heard)
        self._spans.remember((gateway_of[one[0]], one[1], one[2]) for one in numbers if one is not None)

    def _archived(self, rows: Sequence[sa.Row[Any]]) -> list[ArchivedTelegram]:
        meters = self._names.meters.things(row.meter for row in rows)
        heard = self._receptions([row.id for row in rows])
        return [
            ArchivedTelegram(
                id=row.id,
                meter=meters[row.meter],
                frame=row.frame,
                fingerprint=row.fingerprint,
                state=TelegramState(row.state),
                reason=row.reason,
                heard_at=row.heard_at,
                receptions=heard.get(row.id, ()),
            )
            for row in rows
        ]

    def _receptions(self, numbers: Sequence[int]) -> dict[int, list[tuple[Reception, bytes | None]]]:
        rows: list[sa.Row[Any]] = []
        for chunk in in_chunks(numbers):
            wanted = receptions.c.telegram.in_(chunk)
            rows += self._connection.execute(sa.select(*_RECEPTION).where(wanted).order_by(receptions.c.id))
        gateways = self._names.gateways.things(row.gateway for row in rows)
        found: dict[int, list[tuple[Reception, bytes | None]]] = {}
        for row in sorted(rows, key=lambda row: (row.heard_at, gateways[row.gateway])):
            found.setdefault(row.telegram, []).append((_reception(gateways[row.gateway], row), row.raw))
        return found


def _in_states(states: Sequence[TelegramState]) -> list[sa.ColumnElement[bool]]:
    """Only with its own condition said, literally, may SQLite use the index of those that wait."""
    wanted: list[sa.ColumnElement[bool]] = [telegrams.c.state.in_(states)]
    return wanted if TelegramState.STORED in states else [*wanted, _WAITING]


def _reception(gateway: str, row: sa.Row[Any]) -> Reception:
    # ``redelivered`` is not kept: it says how the broker delivered, not how the frame was received
    return Reception(
        gateway=gateway,
        heard_at=row.heard_at,
        received_at=row.received_at,
        clock=ClockSource(row.clock),
        rssi_dbm=row.rssi_dbm,
        mode=row.mode,
        boot=row.boot,
        seq=row.seq,
        history=row.history,
    )
