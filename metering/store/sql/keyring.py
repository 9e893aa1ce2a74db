"""Meter keys in SQL, sealed. Nothing decrypted is kept: opening a key takes microseconds."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from metering.meter import MeterId
from metering.ports import Clock, KeyHistory, KeyLookup, KeyPeriod
from metering.store.sql.editions import Edition
from metering.store.sql.masters import Masters
from metering.store.sql.schema import identities, meter_keys
from metering.store.sql.statements import Row, in_chunks
from metering.store.sql.symbols import Names
from metering.store.sql.upkeep import SqlUpkeep

__all__ = ["SqlKeyring"]


class SqlKeyring:
    """:class:`metering.ports.Keyring` on one transaction; asks for the master key only when a key is."""

    def __init__(
        self, connection: sa.Connection, names: Names, clock: Clock, masters: Masters, edition: Edition
    ) -> None:
        self._connection = connection
        self._names = names
        self._edition = edition
        self._clock = clock
        self._masters = masters
        self._upkeep = SqlUpkeep(connection, names)

    def keys(self, meters: Collection[MeterId]) -> KeyLookup:
        """Give the keys of those meters that have any, newest first.

        Raises:
            KeyringError: the master key is missing or does not fit.
        """
        return {meter: [one.key for one in those] for meter, those in self.periods(meters).items()}

    def periods(self, meters: Collection[MeterId]) -> KeyHistory:
        """Give the keys of those meters that have any, with their validity, newest first.

        A key is opened when it is asked for: most telegrams of a meter that has one may be in clear.

        Raises:
            KeyringError: when a key is asked for: the master key is missing or does not fit.
        """
        return _Opening(self._sealed(meters), self._periods)

    def _periods(self, meter: MeterId, rows: Sequence[sa.Row[Any]]) -> list[KeyPeriod]:
        return [KeyPeriod(self._opened(meter, row), row.valid_from, row.valid_to) for row in rows]

    def put(self, keys: Iterable[tuple[MeterId, bytes]]) -> int:
        """Encrypt and store keys without end; a key known already is stored once. Gives how many were new.

        Raises:
            KeyringError: the master key is missing or does not fit.
        """
        return self._put([(meter, KeyPeriod(key)) for meter, key in keys], dated=False)

    def put_periods(self, keys: Iterable[tuple[MeterId, KeyPeriod]]) -> int:
        """Encrypt and store keys; one known already gets the validity told now. Gives how many were new.

        Held telegrams of meters with a new key are to be tried again.

        Raises:
            KeyringError: the master key is missing or does not fit.
        """
        return self._put(list(keys), dated=True)

    def _put(self, said: Sequence[tuple[MeterId, KeyPeriod]], *, dated: bool) -> int:
        if not said:
            return 0
        master, number = self._masters.sealing(self._connection)
        asked = [meter for meter, _ in said]
        rows_of = self._sealed(asked)
        known = {
            meter: [(self._opened(meter, row), row.id) for row in rows] for meter, rows in rows_of.items()
        }
        numbers = self._names.meters.ensure(asked)
        added_at = self._clock.now()
        new: list[Row] = []
        changed: list[Row] = []
        for meter, one in said:
            those = known.setdefault(meter, [])
            same = next((which for key, which in those if hmac.compare_digest(key, one.key)), None)
            period: Row = {"valid_from": one.valid_from, "valid_to": one.valid_to}
            if same is None:
                those.append((one.key, 0))
                sealed = master.seal(meter, one.key)
                row = {"meter": numbers[meter], "sealed": sealed, "added_at": added_at, "master": number}
                new.append(row | period)
            elif same and dated:
                changed.append({"which": same} | period)
        self._write(new, changed)
        self._upkeep.ask_mending(set(asked))
        return len(new)

    def _write(self, new: Sequence[Row], changed: Sequence[Row]) -> None:
        if changed:
            self._connection.execute(_DATED, changed)
        if new:
            self._connection.execute(sa.insert(meter_keys), new)
        if changed or new:
            self._edition.renew()

    def having_keys(self, *, after: MeterId | None = None, limit: int = 500) -> Sequence[MeterId]:
        """Give meters that have keys, by identity, beginning behind ``after``."""
        wanted = (
            sa.select(identities.c.id)
            .where(sa.exists().where(meter_keys.c.meter == identities.c.id))
            .where(identities.c.name > (str(after) if after else ""))
            .order_by(identities.c.name)
            .limit(limit)
        )
        found = self._names.meters.things(self._connection.scalars(wanted))
        return sorted(found.values(), key=str)

    def have_keys(self, meters: Collection[MeterId]) -> set[MeterId]:
        """Say which meters have a key, without decrypting any."""
        return set(self._sealed(meters))

    def check(self) -> None:
        """Say whether the stored keys can be used, if there are any.

        Raises:
            KeyringError: keys are stored, and the master key is missing or does not fit.
        """
        for number in self._connection.scalars(sa.select(meter_keys.c.master).distinct()):
            self._masters.opening(self._connection, number)

    def _opened(self, meter: MeterId, row: sa.Row[Any]) -> bytes:
        return self._masters.opening(self._connection, row.master).open(meter, row.sealed)

    def _sealed(self, meters: Collection[MeterId]) -> dict[MeterId, list[sa.Row[Any]]]:
        return self._edition.keys.find(meters, self._look_up)

    def _look_up(self, meters: Collection[MeterId]) -> dict[MeterId, list[sa.Row[Any]]]:
        ids = {number: meter for meter, number in self._names.meters.find(meters).items()}
        found: dict[MeterId, list[sa.Row[Any]]] = {}
        for chunk in in_chunks(ids):
            statement = (
                sa.select(meter_keys).where(meter_keys.c.meter.in_(chunk)).order_by(meter_keys.c.id.desc())
            )
            for row in self._connection.execute(statement).all():
                found.setdefault(ids[row.meter], []).append(row)
        return found


class _Opening(Mapping[MeterId, Sequence[KeyPeriod]]):
    """Keys of meters that are opened one meter at a time, when they are asked for."""

    def __init__(
        self,
        sealed: Mapping[MeterId, Sequence[sa.Row[Any]]],
        opened: Callable[[MeterId, Sequence[sa.Row[Any]]], list[KeyPeriod]],
    ) -> None:
        self._sealed = sealed
        self._opened = opened

    def __getitem__(self, meter: MeterId) -> Sequence[KeyPeriod]:
        return self._opened(meter, self._sealed[meter])

    def __iter__(self) -> Iterator[MeterId]:
        return iter(self._sealed)

    def __len__(self) -> int:
        return len(self._sealed)


_DATED = (
    sa.update(meter_keys)
    .where(meter_keys.c.id == sa.bindparam("which"))
    .values(valid_from=sa.bindparam("valid_from"), valid_to=sa.bindparam("valid_to"))
)
