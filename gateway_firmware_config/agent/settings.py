"""The agent's settings: ``agent.toml``, names, defaults, limits."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gateway_firmware_config.agent.framings import RECEIVERS
from gateway_firmware_config.agent.moment import ClockKind
from gateway_firmware_config.broker_login import BrokerLogin
from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.uplink import GATEWAY_NAME

__all__ = [
    "AgentSettings",
    "BrokerSettings",
    "ClockSettings",
    "ReceiverSettings",
    "SelectSettings",
    "SpoolSettings",
    "WiredSettings",
]

_SERIAL_DIGITS = 8
_BAUDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


def _name(text: str) -> str:
    if not GATEWAY_NAME.fullmatch(text):
        raise ValueError("a name is made of A-Z a-z 0-9 _ - (at most 64)")
    return text


def _kind(text: str) -> str:
    if text not in RECEIVERS:
        raise ValueError(f"no such kind of receiver; there are: {', '.join(RECEIVERS)}")
    return text


def _meter(text: str) -> str:
    try:
        return str(MeterId.parse(text))
    except InvalidValue as wrong:
        raise ValueError(str(wrong)) from wrong


def _meter_or_serial(text: str) -> str:
    serial = text.strip().upper()
    if len(serial) == _SERIAL_DIGITS and set(serial) <= set("0123456789ABCDEF"):
        return serial
    return _meter(text)


def _maker(text: str) -> str:
    if len(text) != 3 or not text.isascii() or not text.isalpha():
        raise ValueError("a manufacturer is three letters, like KAM")
    return text.upper()


def _baud(number: int) -> int:
    if number not in _BAUDS:
        raise ValueError(f"no such baud rate; there are: {', '.join(map(str, _BAUDS))}")
    return number


Name = Annotated[str, AfterValidator(_name)]
Baud = Annotated[int, AfterValidator(_baud)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class GatewaySettings(_Section):
    """Who this gateway is."""

    name: Name = Field(description="as the service knows it")
    data: Path = Field(default=Path("/var/lib/nurt-agent"), description="folder of the spool")


class BrokerSettings(BrokerLogin, _Section):
    """Where to publish."""

    username: str | None = Field(default=None, description="the gateway's own name to log in with")
    keepalive_s: int = Field(default=60, description="seconds between signs of life", ge=5, le=3600)
    reconnect_max_s: int = Field(default=60, description="longest pause before connecting again", ge=1)
    needs_subscriber: bool = Field(
        default=True, description="keep what the broker takes while nobody subscribes to it"
    )
    publish_every_s: float = Field(
        default=1.0, description="seconds telegrams are collected for one message", ge=0.05, le=86_400
    )
    gzip: bool = Field(default=False, description="pack messages, for an uplink that is paid by the byte")


class SpoolSettings(_Section):
    """How much is kept while the broker is away."""

    max_mb: int = Field(default=200, description="size of the spool at most", ge=1, le=100_000)
    max_days: int = Field(default=90, description="age of what is kept at most", ge=1, le=3650)


class ClockSettings(_Section):
    """Who keeps this machine's clock."""

    source: ClockKind = Field(
        default="auto", description="auto asks the kernel whether the network has set it"
    )
    wait_s: int = Field(
        default=900, description="how long what cannot be dated waits for the clock to become right", ge=0
    )


class SelectSettings(_Section):
    """What is passed on."""

    meters: tuple[Annotated[str, AfterValidator(_meter_or_serial)], ...] = Field(
        default=(), description="meter ids or serials"
    )
    manufacturers: tuple[Annotated[str, AfterValidator(_maker)], ...] = Field(
        default=(), description="three-letter codes"
    )
    interval_s: int = Field(
        default=0, description="at most one telegram of a kind per meter in so many seconds", ge=0, le=86_400
    )


class ReceiverSettings(_Section):
    """One receiver on a serial port, or a program that receives."""

    name: Name = Field(description="for people")
    kind: Annotated[str, AfterValidator(_kind)] = Field(
        description="what it is; nurt gateway probe finds out"
    )
    port: str | None = Field(default=None, description="serial port, best below /dev/serial/by-id")
    command: tuple[str, ...] = Field(default=(), description="program and arguments, instead of a port")
    baud: Baud | None = Field(default=None, description="the usual one of its kind if not set")
    mode: Literal["T1", "C1", "S1"] | None = Field(default=None, description="radio mode it listens to")
    rssi: bool | None = Field(default=None, description="whether it appends the signal strength")
    silent_minutes: float = Field(
        default=30, description="longest silence that is believed; 0 = any", ge=0, le=100_000
    )
    litres_per_pulse: dict[Name, Decimal] = Field(default_factory=dict, description="by channel")

    @model_validator(mode="after")
    def _one_line(self) -> Self:
        if (self.port is None) == (not self.command):
            raise ValueError("a receiver has either a port or a command")
        if any(weight <= 0 or not weight.is_finite() for weight in self.litres_per_pulse.values()):
            raise ValueError("litres_per_pulse must be positive")
        return self


class WiredSettings(_Section):
    """One wired M-Bus line behind a level converter."""

    name: Name = Field(description="for people")
    port: str = Field(description="serial port, best below /dev/serial/by-id", min_length=1)
    bauds: tuple[Baud, ...] = Field(default=(2400,), description="tried in this order", min_length=1)
    every_minutes: float = Field(default=15, description="from one round to the next", ge=0.01, le=100_000)
    meters: tuple[Annotated[str, AfterValidator(_meter)], ...] = Field(
        default=(), description="asked by identity (secondary address)"
    )
    addresses: tuple[Annotated[int, Field(ge=0, le=250)], ...] = Field(
        default=(), description="asked by primary address"
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.meters and not self.addresses:
            raise ValueError("nobody to ask: give meters or addresses")
        return self


class OrderSettings(_Section):
    """Whose orders over MQTT are obeyed."""

    public_key: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = Field(
        default="", description="the operator's key, 64 hexadecimal digits; nobody's orders if not set"
    )
    trial_s: int = Field(
        default=300, description="seconds new settings have to reach the broker", ge=5, le=86_400
    )


class LogSettings(_Section):
    """What is said while running, on standard error."""

    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal, json elsewhere"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least that is said"
    )


class AgentSettings(_Section):
    """All settings of the agent."""

    gateway: GatewaySettings
    broker: BrokerSettings
    spool: SpoolSettings = SpoolSettings()
    clock: ClockSettings = ClockSettings()
    select: SelectSettings = SelectSettings()
    receiver: tuple[ReceiverSettings, ...] = ()
    wired: tuple[WiredSettings, ...] = ()
    orders: OrderSettings = OrderSettings()
    logs: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [*(one.name for one in self.receiver), *(one.name for one in self.wired)]
        if not names:
            raise ValueError("nothing to listen to: give at least one [[receiver]] or [[wired]]")
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two receivers are called {twice}")
        return self
