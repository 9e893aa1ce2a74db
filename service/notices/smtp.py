"""Notices by mail (RFC 5321, STARTTLS RFC 3207)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import Literal

from service.notices.port import Message, NotSent

__all__ = ["SmtpChannel", "mail_of"]

TIMEOUT_S = 30.0
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class SmtpChannel:
    """A mail server that takes our mail.

    Attributes:
        host: its name.
        port: its TCP port.
        security: STARTTLS, TLS from the first byte, or none.
        sender: address mail comes from.
        to: addresses it goes to.
        user: name to log in with, if it asks for one.
        password: never shown.
        ca_file: certificates to trust; the system's if not set.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    to: Sequence[str]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    @property
    def name(self) -> str:
        """Name of the channel."""
        return "smtp"

    def send(self, message: Message) -> None:
        """Hand a mail over to the server.

        Raises:
            NotSent: the server cannot be reached, or does not take it.
        """
        try:
            with self._connected() as server:
                if self.user and self.password is not None:
                    server.login(self.user, self.password)
                server.send_message(mail_of(message, self.sender, self.to))
        except (OSError, smtplib.SMTPException) as wrong:
            raise NotSent(f"{self.host}:{self.port}: {_said(wrong)}") from None

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=self._trusted())
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        if self.security == "starttls":
            try:
                server.starttls(context=self._trusted())
            except BaseException:
                server.close()
                raise
        return server

    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)


def mail_of(message: Message, sender: str, to: Sequence[str]) -> EmailMessage:
    """Make the mail; its Message-ID is made of the key, so that a repetition can be told."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Subject"] = " ".join(message.title.split())
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<nurt.{message.key.replace(':', '.')}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _said(wrong: Exception) -> str:
    """Say what went wrong, as the server put it; what we sent is not in it."""
    if isinstance(wrong, smtplib.SMTPAuthenticationError):
        return f"the server does not take our name or password ({wrong.smtp_code})"
    if isinstance(wrong, smtplib.SMTPResponseException):
        said = wrong.smtp_error
        text = said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
        return f"{wrong.smtp_code} {text}"[:_SHOWN]
    return (str(wrong) or type(wrong).__name__)[:_SHOWN]
