"""Plans -> files. The same plan gives the same bytes; what a template leaves open is an error."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import jinja2

from gateway_firmware_config.fleet import BrokerPlan, Fleet, GatewayPlan
from gateway_firmware_config.profile import Profile, ProfileFile, Route, profile_of, profiles_folder
from metering.errors import InvalidValue
from metering.meter import MeterId

__all__ = ["Rendered", "render_broker", "render_gateway", "render_push"]

Keys = Mapping[MeterId, str]
"""Meter keys in hexadecimal: never log or print."""

_NO_KEYS: Keys = MappingProxyType({})
_IDS = uuid.uuid5(uuid.NAMESPACE_DNS, "chirpstack.nurt.invalid")
"""Where identifiers come from that must be the same at every rendering."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One file: its text, and the rights it needs."""

    text: str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class _Named:
    """A gateway as templates see it."""

    name: str
    meters: tuple[MeterId, ...]


def render_gateway(
    name: str, gateway: GatewayPlan, broker: BrokerPlan, keys: Keys = _NO_KEYS
) -> Mapping[str, Rendered]:
    """Give the files of one gateway, by path.

    Where the firmware keeps the broker's password in a file, that file has a placeholder for it.

    Args:
        name: of the gateway.
        gateway: what is said of it.
        broker: where it publishes.
        keys: of meters, for firmware that decrypts; only if an operator asked for them.
    """
    profile, values = profile_of(gateway.profile), _values(name, gateway, broker, keys)
    found = {}
    for file in profile.files:
        for path, more in _paths(file, name, gateway):
            text = _environment(profile.name).get_template(_filled(file.template, name, gateway))
            found[path] = Rendered(text.render(values | more), _mode(file, secret=bool(keys)))
    return found


def render_push(name: str, gateway: GatewayPlan, broker: BrokerPlan) -> list[tuple[str, str]]:
    """Give the commands a running gateway can be sent over MQTT: topic and message of each.

    They hold no password: a broker keeps what passes through it in its logs, if it is told to.
    """
    profile, values = profile_of(gateway.profile), _values(name, gateway, broker, _NO_KEYS)
    return [
        (
            _filled(topic, name, gateway),
            _environment(profile.name).get_template(template).render(values).strip(),
        )
        for topic, template in profile.push
    ]


def _values(name: str, gateway: GatewayPlan, broker: BrokerPlan, keys: Keys) -> dict[str, Any]:
    profile = profile_of(gateway.profile)
    return {
        "gateway": _Named(name, gateway.meters),
        "broker": broker,
        "options": _options(profile, gateway),
        "board": _board(profile, gateway),
        "keys": keys,
        "password": f"PASSWORD-OF-{name}",
    }


def _options(profile: Profile, gateway: GatewayPlan) -> dict[str, Any]:
    return {key: option.default for key, option in profile.options.items()} | gateway.options


def _board(profile: Profile, gateway: GatewayPlan) -> Mapping[str, Any]:
    return profile.boards.get(str(_options(profile, gateway).get(profile.chooser)), {})


def _filled(text: str, name: str, gateway: GatewayPlan) -> str:
    """Put in names and options where ``{...}`` stands for them."""
    profile = profile_of(gateway.profile)
    for key, value in {**_board(profile, gateway), **_options(profile, gateway), "gateway": name}.items():
        text = text.replace(f"{{{key}}}", str(value))
    return text


def _paths(file: ProfileFile, name: str, gateway: GatewayPlan) -> Iterator[tuple[str, dict[str, object]]]:
    path = _filled(file.path, name, gateway)
    if file.each_meter:
        for meter in gateway.meters:
            yield path.replace("{meter}", str(meter)), {"meter": meter}
    else:
        yield path, {}


def _mode(file: ProfileFile, *, secret: bool) -> int:
    return 0o600 if file.secret or (file.keys and secret) else 0o755 if file.executable else 0o644


def render_broker(fleet: Fleet) -> Mapping[str, Rendered]:
    """Give Mosquitto's listener and ACL for all gateways, and the service's topics, by path.

    Raises:
        InvalidValue: a gateway has the service's name.
    """
    users = {name: list(_rights(name, gateway)) for name, gateway in sorted(fleet.gateway.items())}
    if fleet.broker.service in users:
        raise InvalidValue(f"a gateway has the name the service logs in with: {fleet.broker.service}")
    routes = {
        route.filter: route
        for name, gateway in sorted(fleet.gateway.items())
        for route in _routes(name, gateway)
    }
    values = {"broker": fleet.broker, "users": users, "routes": routes.values()}
    environment = _environment("")
    return {
        path: Rendered(environment.get_template(f"{path}.j2").render(values), mode)
        for path, mode in (("nurt.conf", 0o644), ("acl", 0o600), ("topics.toml", 0o644))
    }


def _rights(name: str, gateway: GatewayPlan) -> Iterator[tuple[str, str]]:
    profile = profile_of(gateway.profile)
    for right, filters in (("write", profile.writes), ("read", profile.reads)):
        for one in filters:
            yield right, _filled(one, name, gateway)


def _routes(name: str, gateway: GatewayPlan) -> Iterator[Route]:
    for one in profile_of(gateway.profile).routes:
        said = (one.filter, one.adapter, one.gateway, one.codec, one.unit)
        yield Route(*(_filled(text, name, gateway) for text in said))


@cache
def _environment(profile: str) -> jinja2.Environment:
    """Give the templates of a profile, and those profiles share; of the broker for an empty name."""
    broker = files("gateway_firmware_config") / "broker"
    folders = [profiles_folder() / profile, profiles_folder()] if profile else [broker]
    environment = jinja2.Environment(  # noqa: S701  settings files, not HTML; what goes in is plain (fleet)
        loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["uuid"] = lambda text: str(uuid.uuid5(_IDS, text))
    return environment
