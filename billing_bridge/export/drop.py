"""Where files are left and answers found: a folder, here or on another machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from metering.errors import TelemetryError

__all__ = ["MOST_BYTES", "Drop", "DropUnavailable", "FolderDrop"]

MOST_BYTES = 64 * 1024 * 1024
"""What is read of an answer; a larger one is refused."""


class DropUnavailable(TelemetryError):
    """The folder cannot be reached, read or written now; it is tried again later."""


class Drop(Protocol):
    """A folder both sides use. Never shows half a file."""

    def put(self, name: str, content: bytes) -> None:
        """Leave a file under its name, whole or not at all; the same one again changes nothing.

        Raises:
            DropUnavailable: it is not there, or may be there: put it again.
        """
        ...

    def names(self) -> Sequence[str]:
        """Give the names of the files there.

        Raises:
            DropUnavailable: cannot be told.
        """
        ...

    def get(self, name: str) -> bytes:
        """Give a file, up to :data:`MOST_BYTES` and one more.

        Raises:
            DropUnavailable: cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class FolderDrop:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, outgoing: Path, incoming: Path) -> None:
        """Prepare; nothing is opened.

        Args:
            outgoing: where files are left.
            incoming: where answers are found; may be the same.
        """
        self._outgoing = outgoing
        self._incoming = incoming

    def put(self, name: str, content: bytes) -> None:
        """Write beside, sync, rename: a reader sees the whole file or none."""
        part, final = self._outgoing / f"{name}.part", self._outgoing / name
        try:
            with part.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            part.replace(final)
            _sync_folder(self._outgoing)
        except OSError as wrong:
            raise _told(self._outgoing, wrong) from wrong

    def names(self) -> Sequence[str]:
        """Give the names of the files there."""
        try:
            return sorted(entry.name for entry in self._incoming.iterdir() if entry.is_file())
        except OSError as wrong:
            raise _told(self._incoming, wrong) from wrong

    def get(self, name: str) -> bytes:
        """Give a file."""
        try:
            with (self._incoming / name).open("rb") as file:
                return file.read(MOST_BYTES + 1)
        except OSError as wrong:
            raise _told(self._incoming / name, wrong) from wrong

    def close(self) -> None:
        """Nothing is held."""


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _told(path: Path, wrong: OSError) -> DropUnavailable:
    return DropUnavailable(f"{path}: {wrong.strerror or type(wrong).__name__}")
