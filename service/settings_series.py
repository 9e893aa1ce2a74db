"""Settings of the series store: InfluxDB or VictoriaMetrics beside the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from metering.errors import InvalidValue, SettingsError
from service.settings_topics import Section

__all__ = ["SeriesSettings"]


def _address(url: str | None) -> str | None:
    from metering.store.series.address import check_url  # the store's own rule, without its client

    try:
        return url if url is None else check_url(url)
    except InvalidValue as wrong:
        raise ValueError(str(wrong)) from None


class SeriesSettings(Section):
    """Dense series in a store of their own as well; the database keeps everything else, and them too."""

    kind: Literal["influxdb", "victoria-metrics"] | None = Field(
        default=None, description="influxdb or victoria-metrics; none if not set"
    )
    url: Annotated[str | None, AfterValidator(_address)] = Field(
        default=None, description="its address, http://localhost:8086, without login"
    )
    database: str = Field(
        default="nurt", description="database (InfluxDB 1.x, 3.x) or bucket (2.x)", min_length=1
    )
    org: str = Field(default="", description="organisation, InfluxDB 2.x")
    write_api: Literal["v1", "v2"] = Field(default="v2", description="v1 for InfluxDB before 1.8")
    username: str = Field(default="", description="name to log in with; empty if the secret is a token")
    password: SecretStr | None = Field(default=None, description="or token; better in password_file")
    password_file: Path | None = Field(
        default=None, description="file with the password or token on its first line"
    )
    ca_file: Path | None = Field(default=None, description="certificates to trust; the system's if not set")
    batch: int = Field(default=5000, description="points per request at most", ge=1, le=100_000)
    gzip: bool = Field(default=True, description="pack what is sent")
    timeout_s: float = Field(default=10.0, description="seconds a request may take", gt=0, le=300)
    removal: Literal["delete", "mark"] = Field(
        default="delete",
        description="what becomes of points that change: delete, or mark as gone (InfluxDB 3.x)",
    )
    read: bool = Field(default=False, description="pages read series from it (InfluxDB only)")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind is not None and self.url is None:
            raise ValueError("url is missing: where is the series store?")
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file are both set; keep one")
        if self.read and self.kind != "influxdb":
            raise ValueError('read = true needs kind = "influxdb"')
        if self.kind == "victoria-metrics" and self.write_api == "v1":
            raise ValueError('write_api = "v1" is for InfluxDB only')
        return self

    def secret(self) -> str:
        """Give the password or token from where it is kept; empty if there is none.

        Raises:
            SettingsError: the password file cannot be read.
        """
        if self.password_file is None:
            return self.password.get_secret_value() if self.password else ""
        try:
            return self.password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as wrong:
            reason = getattr(wrong, "strerror", None) or "not UTF-8 text"
            raise SettingsError(
                f"series.password_file {self.password_file} cannot be read: {reason}"
            ) from wrong
