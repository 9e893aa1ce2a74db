"""Who looked at what, and what customers agreed to, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from metering.access import Consent, Look
from metering.store.sql.tables_access import consents, looks

__all__ = ["SqlAccess"]


class SqlAccess:
    """:class:`metering.access.Access` on one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add_consent(self, consent: Consent) -> None:
        """Record a consent or its withdrawal."""
        self._connection.execute(sa.insert(consents).values(asdict(consent)))

    def consents(self, contract: str) -> Sequence[Consent]:
        """Give what was agreed to and taken back, by time."""
        wanted = sa.select(*tuple(consents.c)[1:]).where(consents.c.contract == contract)
        return [Consent(*row) for row in self._connection.execute(wanted.order_by(consents.c.id))]

    def agreed(self, contract: str, kind: str) -> bool:
        """Say whether the last word was yes."""
        last = (
            sa.select(consents.c.given)
            .where(consents.c.contract == contract, consents.c.kind == kind)
            .order_by(consents.c.id.desc())
            .limit(1)
        )
        return bool(self._connection.execute(last).scalar())

    def add_look(self, look: Look) -> None:
        """Record a look."""
        self._connection.execute(sa.insert(looks).values(asdict(look)))

    def looks(self, contract: str, *, limit: int = 100) -> Sequence[Look]:
        """Give the newest looks at a contract, the newest first."""
        wanted = sa.select(*tuple(looks.c)[1:]).where(looks.c.contract == contract)
        rows = self._connection.execute(wanted.order_by(looks.c.id.desc()).limit(limit))
        return [Look(*row) for row in rows]

    def forget_looks(self, before: datetime) -> int:
        """Delete looks from before a moment; gives how many."""
        return self._connection.execute(sa.delete(looks).where(looks.c.at < before)).rowcount
