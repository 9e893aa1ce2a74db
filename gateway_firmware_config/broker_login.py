"""How a program logs in at an MQTT broker: settings the agent and the service have in common."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, Field, SecretStr, model_validator

from metering.errors import SettingsError

__all__ = ["BrokerLogin"]


class BrokerLogin(BaseModel):
    """Where the broker is, who we are there, and how the connection is encrypted."""

    table: ClassVar[str] = "broker"
    """Name of the table these settings stand in, for sentences."""

    host: str = Field(description="broker's name or address", min_length=1)
    port: int | None = Field(default=None, description="1883, or 8883 with TLS, if not set", ge=1, le=65535)
    username: str | None = Field(default=None, description="name to log in with")
    password: SecretStr | None = Field(default=None, description="better in password_file")
    password_file: Path | None = Field(default=None, description="file with the password on its first line")
    tls: bool = Field(default=False, description="encrypt the connection")
    ca_file: Path | None = Field(default=None, description="certificates to trust; the system's if not set")
    cert_file: Path | None = Field(default=None, description="our certificate, if the broker asks for one")
    key_file: Path | None = Field(default=None, description="its private key")

    @model_validator(mode="after")
    def _login_fits(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file are both set; keep one")
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("ca_file, cert_file and key_file need tls = true")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        return self

    @property
    def broker_port(self) -> int:
        """TCP port."""
        return self.port or (8883 if self.tls else 1883)

    def secret(self) -> str | None:
        """Give the password from where it is kept.

        Raises:
            SettingsError: the password file cannot be read.
        """
        if self.password_file is None:
            return self.password.get_secret_value() if self.password else None
        try:
            return self.password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as wrong:
            reason = getattr(wrong, "strerror", None) or "not UTF-8 text"
            raise SettingsError(
                f"{self.table}.password_file {self.password_file} cannot be read: {reason}"
            ) from wrong
