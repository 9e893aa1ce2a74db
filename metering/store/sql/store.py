"""The store: transactions on a database, each with all the ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from metering.ports import Clock
from metering.store.master_key import MasterKey
from metering.store.sql.access import SqlAccess
from metering.store.sql.archive import SqlArchive
from metering.store.sql.batches import SqlBatches
from metering.store.sql.billing import SqlBillingBook
from metering.store.sql.billing_accounts import SqlAccounts
from metering.store.sql.billing_customers import SqlCustomers
from metering.store.sql.checks import SqlChecks
from metering.store.sql.coverage import SqlCoverage
from metering.store.sql.devices import SqlDevices
from metering.store.sql.districts import SqlDistricts
from metering.store.sql.editions import Edition, Standing
from metering.store.sql.engine import Database
from metering.store.sql.findings import SqlFindings
from metering.store.sql.heads import Moves, Signposts
from metering.store.sql.keyring import SqlKeyring
from metering.store.sql.ledger import SqlLedger
from metering.store.sql.masters import Masters
from metering.store.sql.orders import SqlOrders
from metering.store.sql.outbox import SqlOutbox
from metering.store.sql.reading_columns import SqlColumns
from metering.store.sql.readings import SqlReadings
from metering.store.sql.registry import SqlRegistry
from metering.store.sql.rotation import rotate
from metering.store.sql.schema import counters
from metering.store.sql.spans import Spans
from metering.store.sql.statements import insert
from metering.store.sql.symbols import Known, Names
from metering.store.sql.unclaimed import SqlUnclaimed
from metering.store.sql.upkeep import SqlUpkeep
from metering.store.sql.versions import demand_current, schema_version

__all__ = ["SqlStore", "SqlTransaction"]


@dataclass(frozen=True, slots=True)
class SqlTransaction:
    """:class:`metering.ports.Transaction` on one connection."""

    archive: SqlArchive
    readings: SqlReadings
    devices: SqlDevices
    registry: SqlRegistry
    keyring: SqlKeyring
    ledger: SqlLedger
    upkeep: SqlUpkeep
    coverage: SqlCoverage
    outbox: SqlOutbox
    batches: SqlBatches
    customers: SqlCustomers
    billing: SqlBillingBook
    accounts: SqlAccounts
    unclaimed: SqlUnclaimed
    access: SqlAccess
    findings: SqlFindings
    districts: SqlDistricts
    columns: SqlColumns
    checks: SqlChecks
    orders: SqlOrders


class SqlStore:
    """:class:`metering.ports.Store` on SQLite or PostgreSQL; may be shared by threads.

    Attributes:
        database: the database underneath.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        master_key: Callable[[], bytes] | None = None,
        next_master_key: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        """Prepare; nothing is opened before the first transaction.

        Args:
            url: see :class:`metering.store.sql.engine.Database`.
            clock: tells which installations are today's.
            master_key: gives the 32 bytes of :func:`metering.store.load_master_key`; asked only when a meter
                key is wanted, and again when a key is sealed under another one.
            next_master_key: gives the one a rotation moves to, if one is under way.

        Raises:
            InvalidValue: not such a URL.
        """
        self.database = Database(url)
        self._clock = clock
        self._masters = Masters(master_key, next_master_key)
        self._known = Known()
        self._standing = Standing()
        self._signposts = Signposts()

    @contextmanager
    def writing(self) -> Iterator[SqlTransaction]:
        """Open a transaction: commits when the block ends, rolls back when it raises. One at a time."""
        with self._transaction(write=True) as transaction:
            yield transaction

    @contextmanager
    def reading(self) -> Iterator[SqlTransaction]:
        """Open a read-only view, consistent for its life."""
        with self._transaction(write=False) as transaction:
            yield transaction

    def check(self) -> None:
        """Say whether the store can be written now and has the right schema.

        Raises:
            SchemaTooOld: run ``nurt db upgrade``.
            SchemaTooNew: written by a newer release.
            StoreUnavailable: cannot be opened or written.
        """
        with self.database.transaction(write=True) as connection:
            demand_current(connection, self.database.where)
            # a real page is written and synced: a full disk lets transactions begin
            one = insert(connection.dialect.name, counters).values(name="check", value=1)
            more = {"value": counters.c.value + 1}
            connection.execute(one.on_conflict_do_update(index_elements=counters.primary_key, set_=more))

    def schema(self) -> int:
        """Give the number of the database's schema; 0 = no tables of ours."""
        with self.database.transaction(write=False) as connection:
            return schema_version(connection)

    def rotate_master(self, new: bytes, told: Callable[[int], None] = lambda _keys: None) -> int:
        """Seal every stored meter key under a new master key, see :mod:`metering.store.sql.rotation`."""
        return rotate(self.database, self._masters, MasterKey(new), told)

    def close(self) -> None:
        """Let go of connections and files."""
        self.database.close()

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[SqlTransaction]:
        with self.database.transaction(write=write) as connection:
            names = Names(connection, self._known)
            moves = Moves(connection, self._signposts)
            yield self._ports(connection, names, moves)
        names.keep()
        moves.keep()

    def _ports(self, connection: sa.Connection, names: Names, moves: Moves) -> SqlTransaction:
        spans = Spans(connection, names)
        edition = Edition(connection, self._standing)
        return SqlTransaction(
            archive=SqlArchive(connection, names, spans),
            readings=SqlReadings(connection, names, moves),
            devices=SqlDevices(connection, names),
            registry=SqlRegistry(connection, names, self._clock, edition),
            keyring=SqlKeyring(connection, names, self._clock, self._masters, edition),
            ledger=SqlLedger(connection, names, spans),
            upkeep=SqlUpkeep(connection, names),
            coverage=SqlCoverage(connection, names),
            outbox=SqlOutbox(connection),
            batches=SqlBatches(connection),
            customers=SqlCustomers(connection, names),
            billing=SqlBillingBook(connection, names),
            accounts=SqlAccounts(connection),
            access=SqlAccess(connection),
            findings=SqlFindings(connection),
            districts=SqlDistricts(connection, names),
            columns=SqlColumns(connection, names),
            unclaimed=SqlUnclaimed(connection),
            checks=SqlChecks(connection, names),
            orders=SqlOrders(connection),
        )
