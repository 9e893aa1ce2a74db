"""The gateways there are, as the operator writes them down: ``gateways.toml``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gateway_firmware_config.profile import Profile, profile_names, profile_of
from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.uplink import GATEWAY_NAME

__all__ = ["BrokerPlan", "Fleet", "GatewayPlan", "option_faults"]

_BREAKS_QUOTES = frozenset("\"'\\`$%{}#;,")


def _known(name: str) -> str:
    if name not in profile_names():
        raise ValueError(f"no such profile; there are: {', '.join(profile_names())}")
    return name


def _plain(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or set(text) & _BREAKS_QUOTES or " " in text:
        raise ValueError("a plain name or address: no blanks, quotes, or signs that mean something in a file")
    return text


def _meter(said: object) -> MeterId:
    try:
        return said if isinstance(said, MeterId) else MeterId.parse(str(said))
    except InvalidValue as wrong:
        raise ValueError(str(wrong)) from wrong


def _gateway_names(gateways: dict[str, GatewayPlan]) -> dict[str, GatewayPlan]:
    for name in gateways:
        if not GATEWAY_NAME.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is not a gateway name of A-Z a-z 0-9 _ - (at most 64)")
    return gateways


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class BrokerPlan(_Section):
    """The broker as gateways reach it, and where its own files lie."""

    host: Annotated[str, AfterValidator(_plain)] = Field(description="name or address")
    port: int | None = Field(
        default=None, description="8883 with TLS, 1883 without, if not set", ge=1, le=65535
    )
    tls: bool = Field(default=True, description="encrypt the connections")
    service: Annotated[str, AfterValidator(_plain)] = Field(
        default="nurt", description="name the service logs in with; it may read everything"
    )
    folder: Path = Field(
        default=Path("/etc/mosquitto/nurt"), description="where certificates, passwords and ACL lie there"
    )

    @property
    def tcp_port(self) -> int:
        """TCP port."""
        return self.port or (8883 if self.tls else 1883)


class GatewayPlan(_Section):
    """One gateway."""

    profile: Annotated[str, AfterValidator(_known)] = Field(description="what it is")
    revision: int = Field(default=1, description="of the settings it was last told", ge=1)
    meters: tuple[Annotated[MeterId, BeforeValidator(_meter)], ...] = Field(
        default=(), description="meters it is told of"
    )
    options: dict[str, Any] = Field(default_factory=dict, description="of its profile")


class Fleet(_Section):
    """All gateways of a utility and their broker."""

    broker: BrokerPlan
    gateway: Annotated[dict[str, GatewayPlan], AfterValidator(_gateway_names)] = Field(default_factory=dict)


def option_faults(fleet: Fleet) -> Iterator[tuple[tuple[str, ...], str]]:
    """Say which options are unknown or wrong, and which names a firmware does not take: where, and what."""
    for name, gateway in fleet.gateway.items():
        profile = profile_of(gateway.profile)
        if not profile.gateway_name.fullmatch(name):
            pattern = profile.gateway_name.pattern
            yield ("gateway", name), f"{profile.name} takes no such name; its pattern is {pattern}"
        for option, known in profile.options.items():
            if known.required and option not in gateway.options:
                yield ("gateway", name), f"{profile.name} needs the option {option}: {known.says}"
        for option, value in gateway.options.items():
            if fault := _option_fault(profile, option, value):
                yield ("gateway", name, "options", option), fault


def _option_fault(profile: Profile, name: str, value: object) -> str | None:
    option = profile.options.get(name)
    if option is None:
        close = difflib.get_close_matches(name, profile.options, n=1)
        known = (
            f"did you mean {close[0]}?" if close else f"known here: {', '.join(profile.options) or 'none'}"
        )
        return f"unknown option {name} of {profile.name}; {known}"
    texts = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(text, str) and (not text.isprintable() or set(text) & set("\"'\\`")) for text in texts):
        return f"{name} must not hold quotes, backslashes or line ends"
    fault = option.fault(value)
    return f"{name}: {fault}" if fault else None
