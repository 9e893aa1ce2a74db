"""Settings of the anomaly scan and of whom it tells."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from metering.errors import SettingsError
from service.settings_topics import Section

__all__ = ["AnomalySettings", "NoticeSettings", "secret_of"]


def _no_newlines(address: str) -> str:
    if any(ord(sign) < 32 for sign in address) or "@" not in address:
        raise ValueError("an address like water@example.org")
    return address


Address = Annotated[str, AfterValidator(_no_newlines)]


class AnomalySettings(Section):
    """How the readings in the store are judged."""

    every_minutes: int = Field(
        default=60, description="minutes between two scans of nurt run; 0 = never", ge=0, le=10_080
    )
    history_days: int = Field(
        default=120, description="days of readings the state of a meter is rebuilt from", ge=30, le=730
    )
    notify_per_day: int = Field(
        default=50, description="findings of tier notify told a day; the rest is kept and shown", ge=0
    )
    dispatch_per_day: int = Field(
        default=10, description="findings of tier dispatch told a day; the rest is kept and shown", ge=0
    )
    water_per_m3: Decimal | None = Field(
        default=None, description="price of a cubic metre of water, for the money lost so far", gt=0
    )
    holidays: list[date] = Field(
        default=[], description="public holidays, on which districts use water as on Sundays"
    )
    currency: str = Field(default="EUR", description="its currency", min_length=1, max_length=8)


class NoticeSettings(Section):
    """Whom findings are told."""

    language: Literal["en", "pl", "ro"] = Field(default="en", description="language of the notices")
    link: str = Field(default="", description="address of the pages, for links in notices")
    smtp_host: str | None = Field(default=None, description="mail server; no mail if not set")
    smtp_port: int = Field(default=587, description="its TCP port", ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="starttls, tls, or none on a machine of our own"
    )
    smtp_ca_file: Path | None = Field(
        default=None, description="certificates to trust; the system's if not set"
    )
    smtp_user: str | None = Field(default=None, description="name to log in with")
    smtp_password_file: Path | None = Field(
        default=None, description="file with the password on its first line"
    )
    sender: Address | None = Field(default=None, description="address the mail comes from")
    to: list[Address] = Field(default=[], description="addresses the mail goes to")
    webhook_url: str | None = Field(
        default=None,
        description="address that findings are posted to",
        pattern=r"^https?://[^\s]+$",
        repr=False,
    )
    webhook_secret_file: Path | None = Field(
        default=None, description="file with the secret the posts are signed with, on its first line"
    )
    digest_hour: int = Field(
        default=7, description="local hour from which the day's suspects are told; -1 = never", ge=-1, le=23
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.smtp_host and not (self.sender and self.to):
            raise ValueError("smtp_host needs sender and to")
        if (self.smtp_user is None) != (self.smtp_password_file is None):
            raise ValueError("smtp_user and smtp_password_file belong together")
        if self.webhook_url and not self.webhook_secret_file:
            raise ValueError("webhook_url needs webhook_secret_file")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError("a password is sent over starttls or tls only")
        return self


def secret_of(path: Path, name: str) -> str:
    """Read a secret from the first line of a file.

    Raises:
        SettingsError: it cannot be read or is empty.
    """
    try:
        secret = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as wrong:
        reason = getattr(wrong, "strerror", None) or "not UTF-8 text"
        raise SettingsError(f"notices.{name} {path} cannot be read: {reason}") from wrong
    if not secret:
        raise SettingsError(f"notices.{name} {path} is empty")
    return secret
