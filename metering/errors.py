"""One error root, drawn as a tree.

::

    TelemetryError                what went wrong, in one sentence a person can act on
    ├── InvalidValue              a value of ours that cannot be (metering)
    │   └── BadUplink             what a gateway sent is not an uplink (metering.uplink)
    ├── DecodeError               these bytes are not a telegram we can read (decoders.errors)
    ├── ModelFileError            a meter model file is not one (decoders.model_file)
    ├── StoreError                the store refused or is not there (metering.ports)
    │   ├── StoreUnavailable      cannot be reached or written; trying again may help
    │   ├── SchemaTooNew          the database was written by a newer release
    │   └── SchemaTooOld          the database needs `nurt db upgrade`
    ├── KeyringError              a master key or a meter key cannot be used
    ├── KeyReused                 a key already handed over is to carry another content (metering.outbox)
    ├── ImportRefused             a file was refused as a whole, with numbered rows
    └── SettingsError             a setting is unknown or wrong, with file and line (service.settings)

Errors carry their evidence as attributes, never a secret. One handler per entrance (command line, web)
turns them into a sentence; nothing else catches the root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "ImportRefused",
    "InvalidValue",
    "KeyringError",
    "RowFault",
    "SchemaTooNew",
    "SchemaTooOld",
    "SettingsError",
    "StoreError",
    "StoreUnavailable",
    "TelemetryError",
]


class TelemetryError(Exception):
    """Root of every error this system raises on purpose."""


class InvalidValue(TelemetryError, ValueError):
    """A value that cannot be: a meter id with four letters, a naive time, a negative pulse weight."""


class StoreError(TelemetryError):
    """The store refused."""


class StoreUnavailable(StoreError):
    """The store cannot be reached or written now; trying again may help."""


class SchemaTooNew(StoreError):
    """The database was written by a newer release of this program."""


class SchemaTooOld(StoreError):
    """The database needs an upgrade before this release can use it."""


class KeyringError(TelemetryError):
    """A master key or a meter key cannot be used. Never carries key material."""


class SettingsError(TelemetryError):
    """A setting is unknown or wrong."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """One fault in an imported file: row number (1 = the header), column and sentence."""

    row: int
    column: str | None
    sentence: str

    def __str__(self) -> str:
        """Say where and what."""
        where = f"row {self.row}" + (f", column {self.column}" if self.column else "")
        return f"{where}: {self.sentence}"


class ImportRefused(TelemetryError):
    """A file was refused as a whole: nothing of it was stored.

    Attributes:
        source: the file's name.
        faults: every fault found, in row order.
    """

    def __init__(self, source: str, faults: Sequence[RowFault]) -> None:
        self.source = source
        self.faults = tuple(faults)
        super().__init__(f"{source}: nothing imported, {len(self.faults)} fault(s)")
