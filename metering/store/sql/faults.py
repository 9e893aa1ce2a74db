"""What a database driver says, in one sentence a person can act on: what, where, what to do.

SQLite: result codes, https://www.sqlite.org/rescode.html. PostgreSQL: SQLSTATE, appendix A of its manual.
"""

from __future__ import annotations

from collections.abc import Mapping

from metering.errors import SchemaTooOld, StoreError, StoreUnavailable

__all__ = ["busy", "sentence_of"]

_SQLITE: Mapping[str, str] = {
    "FULL": "the disk under {where} is full; free some space, nothing of this transaction was kept",
    "BUSY": "{where} is busy: another process keeps writing; try again, or end that process",
    "LOCKED": "{where} is busy: another transaction keeps writing; try again",
    "READONLY": "{where} cannot be written; give this user the right to write the file and its folder",
    "PERM": "{where} cannot be written; give this user the right to write the file and its folder",
    "CANTOPEN": "{where} cannot be opened; check path and rights, or create it with `nurt db upgrade`",
    "NOTADB": "{where} is not a SQLite database; name another file in the settings, this one was not touched",
    "CORRUPT": "{where} is damaged; stop the service and put the last backup back",
    "IOERR": "the disk under {where} reports an error; check the disk, nothing of this transaction was kept",
    "NOMEM": "no memory left to work on {where}; end other programs and try again",
}

_POSTGRESQL: Mapping[str, str] = {
    "08": "the connection to {where} broke; check server and network, then try again",
    "28": "{where} refused the login; check user and password in the settings",
    "3D": "{where} does not exist; create it with `createdb`",
    "40": "{where} gave this transaction up in favour of another; try again",
    "42501": "{where} refused: this user lacks a right; see GRANT in the manual",
    "53": "{where} is out of disk, memory or connections; nothing of this transaction was kept",
    "55P03": "{where} is busy: another process keeps writing; try again, or end that process",
    "57": "{where} is shutting down or was told to stop; try again",
    "58": "{where} reports an error of its disk; nothing of this transaction was kept",
    "25006": "{where} only allows reading: a standby, or a read-only transaction",
}


def busy(where: str) -> StoreUnavailable:
    """Say that somebody else keeps writing."""
    return StoreUnavailable(_SQLITE["BUSY"].format(where=where))


def sentence_of(fault: BaseException, where: str) -> StoreError:
    """Make an error of ours out of a driver's.

    Args:
        fault: as the driver raised it; its text is told only where it can hold no data.
        where: the database, without password.
    """
    if name := getattr(fault, "sqlite_errorname", None):
        return _of_sqlite(str(name), str(fault), where)
    state = str(getattr(fault, "sqlstate", None) or "")
    if state or type(fault).__module__.startswith("psycopg"):
        return _of_postgresql(state, where)
    if isinstance(fault, OverflowError):
        return StoreError(f"{where}: a number is too large for 64 bits")
    return StoreError(f"{where} refused: {type(fault).__name__}")


def _of_sqlite(name: str, text: str, where: str) -> StoreError:
    code = name.removeprefix("SQLITE_").partition("_")[0]
    if code in _SQLITE:
        return StoreUnavailable(_SQLITE[code].format(where=where))
    if text.startswith("no such table"):
        return SchemaTooOld(f"{where} has no tables of this release; run `nurt db upgrade`")
    # constraint names and SQL grammar only: SQLite's messages never hold values
    return StoreError(f"{where} refused: {text}")


def _of_postgresql(state: str, where: str) -> StoreError:
    if not state:
        return StoreUnavailable(f"{where} cannot be reached; check that the server runs and its address")
    if state == "42P01":
        return SchemaTooOld(f"{where} has no tables of this release; run `nurt db upgrade`")
    for known in (state, state[:2]):
        if known in _POSTGRESQL:
            return StoreUnavailable(_POSTGRESQL[known].format(where=where))
    return StoreError(f"{where} refused: SQLSTATE {state}")
