"""Meter keys in SQL, sealed. Nothing decrypted is kept: opening a key takes microseconds."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import sqlalchemy as sa

from metering.errors import KeyringError
from metering.meter import MeterId
from metering.ports import Clock, KeyLookup
from metering.store.master_key import MasterKey
from metering.store.sql.schema import master_key, meter_keys
from metering.store.sql.statements import Row, in_chunks, insert_once
from metering.store.sql.symbols import Names

__all__ = ["SqlKeyring"]


class SqlKeyring:
    """:class:`metering.ports.Keyring` on one transaction; asks for the master key only when a key is."""

    def __init__(
        self, connection: sa.Connection, names: Names, clock: Clock, master: Callable[[], MasterKey]
    ) -> None:
        self._connection = connection
        self._names = names
        self._clock = clock
        self._master = master

    def keys(self, meters: Collection[MeterId]) -> KeyLookup:
        """Give the keys of those meters that have any, newest first.

        Raises:
            KeyringError: the master key is missing or does not fit.
        """
        sealed = self._sealed(meters)
        if not sealed:
            return {}
        master = self._fitting_master()
        return {meter: [master.open(meter, one) for one in those] for meter, those in sealed.items()}

    def put(self, keys: Iterable[tuple[MeterId, bytes]]) -> int:
        """Encrypt and store keys; a key known already is stored once. Gives how many were new.

        Raises:
            KeyringError: the master key is missing or does not fit.
        """
        said = list(keys)
        if not said:
            return 0
        master = self._fitting_master(first=True)
        known = {meter: list(those) for meter, those in self.keys([meter for meter, _ in said]).items()}
        numbers = self._names.meters.ensure(meter for meter, _ in said)
        now = self._clock.now()
        rows: list[Row] = []
        for meter, key in said:
            if not any(hmac.compare_digest(key, one) for one in known.setdefault(meter, [])):
                known[meter].append(key)
                rows.append(_row(numbers[meter], master.seal(meter, key), now))
        if rows:
            self._connection.execute(sa.insert(meter_keys), rows)
        return len(rows)

    def have_keys(self, meters: Collection[MeterId]) -> set[MeterId]:
        """Say which meters have a key, without decrypting any."""
        return set(self._sealed(meters))

    def check(self) -> None:
        """Say whether the stored keys can be used, if there are any.

        Raises:
            KeyringError: keys are stored, and the master key is missing or does not fit.
        """
        if self._connection.execute(sa.select(meter_keys.c.id).limit(1)).first() is not None:
            self._fitting_master()

    def _sealed(self, meters: Collection[MeterId]) -> dict[MeterId, list[bytes]]:
        ids = {number: meter for meter, number in self._names.meters.find(meters).items()}
        found: dict[MeterId, list[bytes]] = {}
        for chunk in in_chunks(ids):
            statement = (
                sa.select(meter_keys.c.meter, meter_keys.c.sealed)
                .where(meter_keys.c.meter.in_(chunk))
                .order_by(meter_keys.c.id.desc())
            )
            for number, sealed in self._connection.execute(statement):
                found.setdefault(ids[number], []).append(sealed)
        return found

    def _fitting_master(self, *, first: bool = False) -> MasterKey:
        master = self._master()
        if first:
            insert_once(self._connection, master_key, [{"id": 1, "check_value": master.check_value}])
        stored = self._connection.execute(sa.select(master_key.c.check_value)).scalar()
        if stored is None or not master.fits(stored):
            raise KeyringError(
                "this is not the master key the stored meter keys were encrypted under;"
                " put the right master key file back"
            )
        return master


def _row(meter: int, sealed: bytes, now: datetime) -> Row:
    return {"meter": meter, "sealed": sealed, "added_at": now}
