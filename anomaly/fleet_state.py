"""State of the leak bank for a whole fleet: it ticks on, is kept with its version, is rebuilt from readings.

The readings are what is true; a state is only the sum of them, to go on from without reading months again. A
state made by other rules or tables than these is refused, and rebuilt.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from anomaly.bank import BankState, Tick, bins_of, step
from anomaly.batch import Batch
from anomaly.levels import CHANNELS, EDGES, NOTIFY_AT
from anomaly.local_time import HOUR
from anomaly.priors import USE_SPREAD, ZERO_HOURS
from anomaly.series import Flags, Floats
from metering.errors import TelemetryError

__all__ = ["VERSION", "FleetState", "StateRefused"]

RULES = 2
"""Raised whenever the bank's rules change; its tables are told by their sum."""
_TABLES = (EDGES, np.array(CHANNELS), NOTIFY_AT, np.array(ZERO_HOURS), np.array(USE_SPREAD))
VERSION = f"{RULES}-{zlib.crc32(b''.join(table.tobytes() for table in _TABLES)):08x}"


class StateRefused(TelemetryError):
    """A kept state that cannot be gone on from: of other rules, or damaged. Rebuild it from the readings."""


@dataclass(slots=True, eq=False)
class FleetState:
    """One row a meter, 158 bytes.

    Attributes:
        meters: ids, in the order of the rows.
        bank: the leak bank.
        until: hour of the last tick, since 1970-01-01T00:00Z; 0 = none yet.
    """

    meters: Sequence[str]
    bank: BankState
    until: NDArray[np.uint32]

    @classmethod
    def fresh(cls, meters: Sequence[str], step_l: Floats | None = None) -> Self:
        """Start knowing nothing of any meter."""
        return cls(tuple(meters), BankState.fresh(len(meters), step_l), np.zeros(len(meters), np.uint32))

    @classmethod
    def rebuilt(cls, batch: Batch) -> Self:
        """Give the state these readings come to."""
        state = cls.fresh([meter.facts.meter for meter in batch.meters], batch.step_l)
        grid = batch.grid
        bins = bins_of(grid.flow, batch.step_l)
        for n in range(len(grid.flow)):
            state.tick(Tick(grid.hour[n], bins[n], grid.kind[n], grid.span[n]), grid.known_at[n])
        return state

    def tick(self, tick: Tick, at: NDArray[np.integer]) -> Flags:
        """Move all meters by one tick; tell which are suspicious.

        Args:
            tick: of all meters, in the order of the rows.
            at: when it was known, UTC seconds; 0 = this meter had none.
        """
        np.copyto(self.until, at // HOUR, where=at > 0, casting="unsafe")
        return step(self.bank, tick)

    @property
    def bytes_per_meter(self) -> float:
        """Size of one meter's row."""
        return self.bank.bytes_per_meter + self.until.itemsize

    def to_bytes(self) -> bytes:
        """Give it to be kept: columns, ids and the version, compressed."""
        out = io.BytesIO()
        columns = {field.name: getattr(self.bank, field.name) for field in fields(self.bank)}
        names = np.array(self.meters, dtype=np.str_) if self.meters else np.zeros(0, "U1")
        np.savez_compressed(out, version=np.array(VERSION), meters=names, until=self.until, **columns)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, kept: bytes) -> Self:
        """Take a kept state.

        Raises:
            StateRefused: made by other rules or tables, or damaged.
        """
        try:
            with np.load(io.BytesIO(kept), allow_pickle=False) as columns:
                version = str(columns["version"])
                if version != VERSION:
                    raise StateRefused(
                        f"the kept state is of version {version}, not {VERSION}; rebuild it from the readings"
                    )
                bank = BankState(*(columns[field.name] for field in fields(BankState)))
                return cls(tuple(columns["meters"].tolist()), bank, columns["until"])
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as wrong:
            raise StateRefused("the kept state is damaged; rebuild it from the readings") from wrong
