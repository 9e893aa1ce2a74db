"""A reference for tests and the demo: books, a simple tariff and invoices. Never the product.

A utility's own billing system has tariffs, taxes, discounts, instalments, dunning and a ledger. This one
knows what the hand-over needs to be seen working: it books each key once, counts a revision instead of what
it supersedes, prices whole periods, and says what a customer owes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any

__all__ = ["Booked", "Books", "KeyUsedOtherwise", "OutOfOrder", "Tariff", "UnknownContract"]

_CENT = Decimal("0.01")
_DUE = timedelta(days=14)

_TABLES = """
CREATE TABLE IF NOT EXISTS reads (
  key TEXT PRIMARY KEY, sha256 TEXT NOT NULL, receipt INTEGER NOT NULL, register TEXT NOT NULL,
  period TEXT NOT NULL, revision INTEGER NOT NULL, supersedes TEXT, volume TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, as_of TEXT NOT NULL, customer TEXT NOT NULL, kind TEXT NOT NULL,
  number TEXT NOT NULL, read TEXT, amount TEXT NOT NULL, body TEXT NOT NULL
);
"""


class KeyUsedOtherwise(Exception):
    """The key came before with another content (422)."""


class OutOfOrder(Exception):
    """It supersedes a read that never came (409)."""


class UnknownContract(Exception):
    """Nobody is billed there (422)."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price per cubic metre and a standing charge per period, net.

    Attributes:
        m3: net, for water and sewage together.
        standing: net, per period.
        vat: share.
        currency: ISO 4217.
    """

    m3: Decimal = Decimal("12.34")
    standing: Decimal = Decimal("9.80")
    vat: Decimal = Decimal("0.08")
    currency: str = "PLN"

    def lines(self, volume: Decimal) -> list[dict[str, str]]:
        """Price a volume, line by line; each is rounded to the cent once."""
        water = (volume * self.m3).quantize(_CENT, ROUND_HALF_EVEN)
        return [
            {
                "name": "water and sewage",
                "quantity": str(volume),
                "unit": "m3",
                "price": str(self.m3),
                "net": str(water),
            },
            {
                "name": "standing charge",
                "quantity": "1",
                "unit": "period",
                "price": str(self.standing),
                "net": str(self.standing),
            },
        ]

    def gross(self, volume: Decimal) -> Decimal:
        """Give what is to be paid for a volume."""
        net = sum((Decimal(line["net"]) for line in self.lines(volume)), Decimal(0))
        return net + (net * self.vat).quantize(_CENT, ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Booked:
    """An acknowledgement.

    Attributes:
        key: of the read.
        sha256: of what was booked, hexadecimal.
        receipt: number in these books.
        new: whether it had not been booked before.
    """

    key: str
    sha256: str
    receipt: str
    new: bool


class Books:
    """The books, in a SQLite file of their own or in memory."""

    def __init__(
        self,
        path: Path | None,
        *,
        now: Callable[[], datetime],
        customer_of: Callable[[Mapping[str, Any]], str | None],
        tariff: Tariff | None = None,
    ) -> None:
        """Open.

        Args:
            path: of the file; ``None`` = in memory.
            now: the present, UTC.
            customer_of: says who is billed for a read; ``None`` = nobody.
            tariff: what water costs.
        """
        self._turn = RLock()
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_TABLES)
        self._now = now
        self._customer_of = customer_of
        self.tariff = tariff or Tariff()

    def close(self) -> None:
        """Let go of the file."""
        with self._turn:
            self._connection.close()

    def book(self, key: str, data: bytes) -> Booked:
        """Book a read once under its key, and write the invoice or the correction it gives.

        Raises:
            KeyUsedOtherwise: the key came before with another content.
            OutOfOrder: it supersedes a read that never came.
            UnknownContract: nobody is billed there.
        """
        digest = sha256(data).hexdigest()
        with self._transaction() as db:
            known = db.execute("SELECT sha256, receipt FROM reads WHERE key = ?", [key]).fetchone()
            if known is not None:
                if known[0] != digest:
                    raise KeyUsedOtherwise(key)
                return Booked(key, digest, f"R{known[1]}", new=False)
            read = json.loads(data)
            before = read["supersedes"]
            if before and not db.execute("SELECT 1 FROM reads WHERE key = ?", [before]).fetchone():
                raise OutOfOrder(before)
            customer = self._customer_of(read)
            if customer is None:
                raise UnknownContract(read["service_point"])
            receipt = 1 + db.execute("SELECT COUNT(*) FROM reads").fetchone()[0]
            row = (key, digest, receipt, f"{read['service_point']}/{read['register']}", read["period"]["id"])
            said = (read["revision"], before, read["volume_m3"], data.decode())
            db.execute("INSERT INTO reads VALUES (?,?,?,?,?,?,?,?,?)", [*row, *said])
            self._invoice(db, read, customer, receipt)
            return Booked(key, digest, f"R{receipt}", new=True)

    def preview(self, data: bytes) -> dict[str, Any]:
        """Price a read without booking it."""
        volume = Decimal(json.loads(data)["volume_m3"])
        lines, gross = self.tariff.lines(volume), self.tariff.gross(volume)
        return {"lines": lines, "gross": str(gross), "currency": self.tariff.currency}

    def pay(self, customer: str, amount: Decimal, number: str) -> None:
        """Note a payment."""
        with self._transaction() as db:
            body = {"paid_on": self._now().date().isoformat()}
            self._say(db, customer, "payment", number, None, amount, body)
            self._balance(db, customer)

    def messages(self, after: int, limit: int = 200) -> tuple[list[dict[str, Any]], int]:
        """Give what was said to customers, behind a number; and the number of the last."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT id, as_of, customer, kind, number, read, amount, body FROM messages"
                " WHERE id > ? ORDER BY id LIMIT ?",
                [after, limit],
            ).fetchall()
        found = [
            {
                **json.loads(body),
                "id": f"m{number}",
                "as_of": as_of,
                "customer": customer,
                "kind": kind,
                "number": name,
                "read": read,
                "amount": amount,
                "currency": self.tariff.currency,
            }
            for number, as_of, customer, kind, name, read, amount, body in rows
        ]
        return found, rows[-1][0] if rows else after

    def held(self) -> list[dict[str, str]]:
        """Give every read in force: key, digest, volume (for reconciliation)."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT key, sha256, volume FROM reads WHERE key NOT IN"
                " (SELECT supersedes FROM reads WHERE supersedes IS NOT NULL) ORDER BY key"
            ).fetchall()
        return [{"key": key, "sha256": digest, "volume_m3": volume} for key, digest, volume in rows]

    def arrivals(self) -> list[tuple[str, str, int]]:
        """Give key, register and revision of every read, in the order in which they were booked."""
        with self._transaction() as db:
            return db.execute("SELECT key, register, revision FROM reads ORDER BY receipt").fetchall()

    def _invoice(self, db: sqlite3.Connection, read: Mapping[str, Any], customer: str, receipt: int) -> None:
        volume, before = Decimal(read["volume_m3"]), read["supersedes"]
        amount, corrects = self.tariff.gross(volume), ""
        if before:
            was = db.execute(
                "SELECT reads.volume, messages.number FROM reads JOIN messages ON messages.read = reads.key"
                " WHERE reads.key = ?",
                [before],
            ).fetchone()
            amount -= self.tariff.gross(Decimal(was[0]))
            corrects = was[1]
        today = self._now().date()
        body = {
            "issued_on": today.isoformat(),
            "due_on": (today + _DUE).isoformat(),
            "service_point": read["service_point"],
            "corrects": corrects,
            "period": read["period"],
            "volume_m3": read["volume_m3"],
            "lines": self.tariff.lines(volume),
            "vat": str(self.tariff.vat),
        }
        kind = "correction" if before else "invoice"
        number = f"{'K' if before else 'F'}/{receipt}/{today.year}"
        self._say(db, customer, kind, number, read["key"], amount, body)
        self._balance(db, customer)

    def _balance(self, db: sqlite3.Connection, customer: str) -> None:
        rows = db.execute("SELECT kind, amount FROM messages WHERE customer = ?", [customer]).fetchall()
        owed = sum(
            (Decimal(amount) for kind, amount in rows if kind in {"invoice", "correction"}), Decimal(0)
        )
        paid = sum((Decimal(amount) for kind, amount in rows if kind == "payment"), Decimal(0))
        self._say(db, customer, "balance", customer, None, owed - paid, {})

    def _say(  # noqa: PLR0913, PLR0917  the columns of a message
        self,
        db: sqlite3.Connection,
        customer: str,
        kind: str,
        number: str,
        read: str | None,
        amount: Decimal,
        body: Mapping[str, Any],
    ) -> None:
        row = (self._now().isoformat(), customer, kind, number, read, str(amount), json.dumps(body))
        db.execute(
            "INSERT INTO messages (as_of, customer, kind, number, read, amount, body) VALUES (?,?,?,?,?,?,?)",
            row,
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
