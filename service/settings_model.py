"""The settings there are: names, defaults, limits. Where they are said: ``service.settings``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway_firmware_config.broker_login import BrokerLogin
from ingest.routes import CONTRACT_ROUTES
from service.anomaly_settings import AnomalySettings, NoticeSettings
from service.billing_files import FilesSettings
from service.billing_settings import BillingSettings
from service.customers.settings import CustomerSettings
from service.settings_series import SeriesSettings
from service.settings_topics import Section, TopicRule, known_zone

__all__ = [
    "PREFIX",
    "AnomalySettings",
    "GatewaySettings",
    "IngestSettings",
    "LogSettings",
    "MqttSettings",
    "NoticeSettings",
    "SeriesSettings",
    "Settings",
    "StoreSettings",
    "TopicRule",
    "WebSettings",
]

PREFIX = "NURT_"
"""How the names of our environment variables begin."""

Port = Annotated[int, Field(ge=1, le=65535)]
FreePort = Annotated[int, Field(ge=0, le=65535)]


def _not_empty(rules: tuple[TopicRule, ...]) -> tuple[TopicRule, ...]:
    if not rules:
        raise ValueError("at least one topic to listen to")
    return rules


class StoreSettings(Section):
    """Where everything is kept."""

    data: Path = Field(default=Path("data"), description="folder of the database and the master key")
    url: str | None = Field(
        default=None, description="database; SQLite in the data folder if not set", repr=False
    )
    master_key_file: Path | None = Field(default=None, description="master.key in the data folder if not set")
    telegrams_months: int | None = Field(
        default=None, description="whole months telegrams are kept; for ever if not set", ge=1, le=1200
    )
    readings_months: int | None = Field(
        default=None, description="whole months readings are kept; for ever if not set", ge=1, le=1200
    )

    @model_validator(mode="after")
    def _readings_stay_longer(self) -> Self:
        """Telegrams kept longer than their readings would give rise to them again."""
        kept = self.readings_months
        if kept is not None and (self.telegrams_months is None or self.telegrams_months > kept):
            raise ValueError("readings_months needs telegrams_months, and no more of them")
        return self

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the database. May hold a password: never log it."""
        return self.url or f"sqlite:///{self.data / 'nurt.db'}"

    @property
    def master_key(self) -> Path:
        """The file the meter keys are encrypted under."""
        return self.master_key_file or self.data / "master.key"

    @property
    def next_master_key(self) -> Path:
        """The file they move to while the master key is being rotated."""
        return self.master_key.with_name(f"{self.master_key.name}.next")


class MqttSettings(BrokerLogin, Section):
    """The broker and what we subscribe to."""

    table = "mqtt"

    host: str = Field(default="localhost", description="broker's name or address", min_length=1)
    client_id: str = Field(
        default="nurt", description="the broker keeps our session under this name", min_length=1
    )
    protocol: Annotated[Literal["5", "3.1.1"], BeforeValidator(str)] = Field(
        default="5", description='MQTT version: 5 or "3.1.1"'
    )
    keepalive_s: int = Field(default=60, description="seconds between signs of life", ge=5, le=65535)
    session_expiry_s: int = Field(
        default=604_800,
        description="seconds the broker keeps messages while we are away",
        ge=0,
        le=0xFFFFFFFF,
    )
    receive_maximum: int = Field(
        default=1000, description="messages in flight before the broker must wait", ge=1, le=65535
    )
    shared_group: str | None = Field(
        default=None, description="share the load with other workers of this group"
    )
    topics: Annotated[tuple[TopicRule, ...], AfterValidator(_not_empty)] = Field(
        default=tuple(TopicRule(filter=route.topic_filter) for route in CONTRACT_ROUTES),
        description="what to listen to",
    )


class IngestSettings(Section):
    """How what comes is taken in."""

    batch_items: int = Field(default=3000, description="items per transaction at most", ge=1, le=10_000)
    batch_seconds: float = Field(
        default=0.5, description="seconds an item waits for its batch at most", gt=0, le=60
    )
    duplicate_window_s: float = Field(
        default=5.0, description="seconds within which equal telegrams are one transmission", ge=0, le=3600
    )
    zone: Annotated[str, AfterValidator(known_zone)] = Field(
        default="Europe/Warsaw", description="time zone of the utility: days, months, due dates"
    )
    foreign: Literal["count", "hold", "store"] = Field(
        default="hold",
        description="meters not registered: count, hold their telegrams some days, or store (read) them",
    )
    foreign_days: int = Field(
        default=7, description="days telegrams of meters not registered are held", ge=1, le=3650
    )
    alarm_s: float = Field(
        default=60.0,
        description="seconds something may wait to be stored before it is an alarm",
        gt=0,
        le=86_400,
    )
    machine: str = Field(
        default="",
        description="name of this machine in the client ids of workers; its own if empty",
        pattern=r"^[A-Za-z0-9_.-]{0,40}$",
    )


class GatewaySettings(Section):
    """The gateways there are."""

    file: Path | None = Field(
        default=None, description="gateways.toml, for what pages and metrics say of gateways"
    )


class WebSettings(Section):
    """Where the pages are."""

    host: str = Field(default="127.0.0.1", description="address to listen on", min_length=1)
    port: FreePort = Field(default=8000, description="TCP port; 0 takes a free one")
    login: Literal["auto", "operators", "proxy"] = Field(
        default="auto",
        description="who works with the pages: operators sign in; proxy: one in front asks who it is;"
        " auto: whoever is on this machine, elsewhere operators",
    )
    operators_file: Path | None = Field(
        default=None, description="made by nurt operators; operators in the data folder if not set"
    )
    session_hours: int = Field(default=10, description="so long one stays signed in", ge=1, le=168)
    https: bool = Field(default=False, description="the pages are reached over TLS only, which a proxy ends")
    proxy_header: str = Field(
        default="",
        description="header in which the proxy names who it is, X-Remote-User; it must take it from others",
        max_length=60,
    )


class LogSettings(Section):
    """What is said while running, on standard error."""

    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal, json elsewhere"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least that is said"
    )


class Settings(BaseSettings):
    """All settings. The defaults run on one machine with a broker beside."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
        hide_input_in_errors=True,
    )

    store: StoreSettings = StoreSettings()
    series: SeriesSettings = SeriesSettings()
    mqtt: MqttSettings = MqttSettings()
    ingest: IngestSettings = IngestSettings()
    gateways: GatewaySettings = GatewaySettings()
    anomaly: AnomalySettings = AnomalySettings()
    notices: NoticeSettings = NoticeSettings()
    billing: BillingSettings = BillingSettings()
    billing_files: FilesSettings = FilesSettings()
    customers: CustomerSettings = CustomerSettings()
    web: WebSettings = WebSettings()
    logs: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the library gives it by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  there is one file, and it is TOML
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  see mqtt.password_file
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings
