"""Master keys at hand: normally one, two while meter keys move from an old one to a new one.

Each stored meter key says by number under which master key it is sealed; the database keeps a check value of
each, so that another master key is told as such.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from metering.errors import KeyringError
from metering.store.master_key import MasterKey
from metering.store.sql.schema import master_key
from metering.store.sql.statements import insert_once

__all__ = ["Masters"]


class Masters:
    """Loads master keys when one is needed, and again when one is missing: a rotation may be under way."""

    def __init__(
        self, load: Callable[[], bytes] | None, load_next: Callable[[], bytes | None] = lambda: None
    ) -> None:
        self._load: Final = load
        self._load_next: Final = load_next
        self._held: list[MasterKey] = []
        self._known: dict[int, MasterKey] = {}

    def opening(self, connection: sa.Connection, number: int) -> MasterKey:
        """Give the master key with this number.

        Raises:
            KeyringError: it is missing, or another one is there.
        """
        if number not in self._known:
            stored = sa.select(master_key.c.check_value).where(master_key.c.id == number)
            self._known[number] = self._fitting(connection.execute(stored).scalar())
        return self._known[number]

    def sealing(self, connection: sa.Connection) -> tuple[MasterKey, int]:
        """Give the master key to seal under, and its number: the newest there is.

        Raises:
            KeyringError: it is missing, or another one is there.
        """
        newest = sa.select(master_key).order_by(master_key.c.id.desc()).limit(1)
        row = connection.execute(newest).first()
        if row is None:
            first = self._loaded()[0]
            insert_once(connection, master_key, [{"id": 1, "check_value": first.check_value}])
            return first, 1
        return self._fitting(row.check_value), row.id

    def add(self, connection: sa.Connection, new: MasterKey) -> int:
        """Make a master key the newest; gives its number. One that is known already keeps its number."""
        rows = connection.execute(sa.select(master_key)).all()
        for row in rows:
            if new.fits(row.check_value):
                return int(row.id)
        number = max((row.id for row in rows), default=0) + 1
        insert_once(connection, master_key, [{"id": number, "check_value": new.check_value}])
        return int(number)

    def _fitting(self, check_value: bytes | None) -> MasterKey:
        found = self._among(self._held, check_value) or self._among(self._loaded(), check_value)
        if found is None:
            raise KeyringError(
                "this is not the master key the stored meter keys were encrypted under;"
                " put the right master key file back"
            )
        return found

    def _among(self, held: list[MasterKey], check_value: bytes | None) -> MasterKey | None:
        return next((one for one in held if check_value is not None and one.fits(check_value)), None)

    def _loaded(self) -> list[MasterKey]:
        if self._load is None:
            raise KeyringError("meter keys are stored, but no master key is configured; name its file")
        following = self._load_next()
        self._held = [MasterKey(one) for one in (self._load(), following) if one is not None]
        return self._held
