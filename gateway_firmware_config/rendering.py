"""Plans -> files. The same plan gives the same bytes; what a template leaves open is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import jinja2

from gateway_firmware_config.fleet import BrokerPlan, Fleet, GatewayPlan
from gateway_firmware_config.profile import ProfileFile, profile_of, profiles_folder
from metering.errors import InvalidValue
from metering.meter import MeterId

__all__ = ["Rendered", "render_broker", "render_gateway"]


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


def render_gateway(name: str, gateway: GatewayPlan, broker: BrokerPlan) -> Mapping[str, Rendered]:
    """Give the files of one gateway, by path.

    Keys of meters are in none of them. Where the firmware keeps the broker's password in a file, that file
    has a placeholder for it.
    """
    profile = profile_of(gateway.profile)
    options = {key: option.default for key, option in profile.options.items()} | gateway.options
    values = {
        "gateway": _Named(name, gateway.meters),
        "broker": broker,
        "options": options,
        "board": profile.boards.get(str(options.get("board")), {}),
        "password": f"PASSWORD-OF-{name}",
    }
    found = {}
    for file in profile.files:
        for path, more in _paths(file, name, gateway):
            text = _environment(profile.name).get_template(file.template).render(values | more)
            found[path] = Rendered(text, _mode(file))
    return found


def _paths(file: ProfileFile, name: str, gateway: GatewayPlan) -> Iterator[tuple[str, dict[str, object]]]:
    if file.each_meter:
        for meter in gateway.meters:
            yield file.path.replace("{meter}", str(meter)), {"meter": meter}
    else:
        yield file.path.replace("{gateway}", name), {}


def _mode(file: ProfileFile) -> int:
    return 0o600 if file.secret else 0o755 if file.executable else 0o644


def render_broker(fleet: Fleet) -> Mapping[str, Rendered]:
    """Give Mosquitto's listener and ACL for all gateways, and the service's topics, by path.

    Raises:
        InvalidValue: a gateway has the service's name.
    """
    users = {
        name: [
            *(("write", one.replace("{gateway}", name)) for one in profile_of(gateway.profile).writes),
            *(("read", one.replace("{gateway}", name)) for one in profile_of(gateway.profile).reads),
        ]
        for name, gateway in sorted(fleet.gateway.items())
    }
    if fleet.broker.service in users:
        raise InvalidValue(f"a gateway has the name the service logs in with: {fleet.broker.service}")
    routes = {
        route.filter: route.adapter
        for _, gateway in sorted(fleet.gateway.items())
        for route in profile_of(gateway.profile).routes
    }
    values = {"broker": fleet.broker, "users": users, "routes": routes}
    environment = _environment("")
    return {
        path: Rendered(environment.get_template(f"{path}.j2").render(values), mode)
        for path, mode in (("nurt.conf", 0o644), ("acl", 0o600), ("topics.toml", 0o644))
    }


@cache
def _environment(profile: str) -> jinja2.Environment:
    folder = profiles_folder() / profile if profile else files("gateway_firmware_config") / "broker"
    return jinja2.Environment(  # noqa: S701  settings files, not HTML; what goes in is plain (fleet)
        loader=jinja2.FileSystemLoader(str(folder)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
