"""Files for the billing system: settings, and what leaves and fetches them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Literal, Self
from zoneinfo import ZoneInfo

import structlog
from pydantic import Field, model_validator

from billing_bridge.duration import read_duration
from billing_bridge.export.batch import Form
from billing_bridge.export.batch_relay import BatchRelay
from billing_bridge.export.cim_form import CimForm
from billing_bridge.export.columns import SHIPPED, Template, read_template, shipped_template
from billing_bridge.export.csv_form import CsvForm
from billing_bridge.export.drop import Drop, FolderDrop
from billing_bridge.export.sftp import SftpDrop, SftpPlace, host_key
from metering.errors import SettingsError
from metering.ports import Clock, Store
from service.settings_topics import Section

__all__ = ["FileSender", "FilesSettings", "file_sender"]

_log = structlog.get_logger(__name__)


class FilesSettings(Section):
    """How reads are handed over as files, in a folder here or over SFTP."""

    outgoing: str | None = Field(
        default=None, description="folder where files are left; turns hand-over by files on"
    )
    incoming: str | None = Field(default=None, description="folder where answers are found; else the same")
    form: Literal["csv", "cim"] = Field(default="csv", description="csv by template, or IEC 61968-9 XML")
    template: str = Field(default="plain", description="columns of csv: plain, sap, or a file.toml")
    every: str = Field(default="1 h", description="no new file sooner after the last one")
    most: int = Field(default=20_000, description="reads in a file at most", ge=1, le=1_000_000)
    host: str | None = Field(default=None, description="SFTP server; else the folders are of this machine")
    port: int = Field(default=22, description="of the SFTP server", ge=1, le=65535)
    user: str = Field(default="nurt", description="to log in as", min_length=1)
    host_key: str = Field(default="", description="of the server, as ssh-keyscan prints it")
    key_file: Path | None = Field(default=None, description="private key to log in with")
    password_file: Path | None = Field(default=None, description="file with the password, if there is no key")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        read_duration(self.every)
        if self.host is not None:
            host_key(self.host_key)
            if self.key_file is None and self.password_file is None:
                raise ValueError("host needs key_file or password_file to log in with")
        return self

    def batch_form(self, zone: ZoneInfo) -> Form:
        """Give what the files look like.

        Raises:
            SettingsError: the template cannot be read.
            InvalidValue: the template says something that cannot be; with its file and line.
        """
        return CimForm() if self.form == "cim" else CsvForm(self._template(), zone)

    def drop(self) -> Drop:
        """Give where they are left.

        Raises:
            SettingsError: the password cannot be read.
        """
        outgoing = self.outgoing or "."
        incoming = self.incoming or outgoing
        if self.host is None:
            return FolderDrop(Path(outgoing), Path(incoming))
        return SftpDrop(
            SftpPlace(
                host=self.host,
                port=self.port,
                user=self.user,
                known_key=self.host_key,
                outgoing=PurePosixPath(outgoing),
                incoming=PurePosixPath(incoming),
                key_file=self.key_file,
                password=None if self.key_file else self._password(),
            )
        )

    def _template(self) -> Template:
        if self.template in SHIPPED:
            return shipped_template(self.template)
        return read_template(_text(Path(self.template), "template"), self.template)

    def _password(self) -> str | None:
        return _text(self.password_file, "password_file").strip() if self.password_file else None


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        reason = getattr(wrong, "strerror", None) or "not UTF-8 text"
        raise SettingsError(f"billing_files.{name} {path} cannot be read: {reason}") from wrong


class FileSender:
    """Leaves files and takes their answers."""

    def __init__(self, relay: BatchRelay, drop: Drop) -> None:
        self._relay = relay
        self._drop = drop
        self._told: set[str] = set()

    def run_once(self) -> int:
        """Do one round; gives how many answers were settled. What a person should know is logged once."""
        done = self._relay.run_once()
        told = [*done.told, *(_late(batch.file) for batch in self._relay.overdue())]
        for sentence in told:
            if sentence not in self._told:
                _log.warning("billing.files", told=sentence)
        self._told = set(told)
        return done.accepted + done.refused

    def close(self) -> None:
        """Let go of connections."""
        self._drop.close()


def _late(file: str) -> str:
    return (
        f"{file} was not answered for 24 h; ask the billing system. It stays as it is and is never made anew"
    )


def file_sender(
    settings: FilesSettings, target: str, store: Store, clock: Clock, zone: ZoneInfo
) -> FileSender:
    """Make what hands over by files.

    Raises:
        SettingsError: a file named in the settings cannot be read.
        InvalidValue: what the template says cannot be.
    """
    drop = settings.drop()
    relay = BatchRelay(
        store=store,
        target=target,
        form=settings.batch_form(zone),
        drop=drop,
        clock=clock,
        every=read_duration(settings.every),
        most=settings.most,
    )
    return FileSender(relay, drop)
