"""An operator at the broker: sees how gateways are, and tells them settings."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gateway_firmware_config.orders import Order, signed
from gateway_firmware_config.rendering import render_gateway, render_push
from metering.clock import SystemClock
from metering.errors import SettingsError
from metering.uplink import UplinkTopic
from service.fleet_folder import write_whole
from service.fleet_heard import LEAVES, heard_status
from service.fleet_source import AGENT, Plans, plans_of
from service.fleet_status import GatewayStatus
from service.fleet_text import with_revision
from service.gateway_files import load_fleet
from service.toml_file import read_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from gateway_firmware_config.agent.errand import Errand

__all__ = ["Operator", "commanded", "obedient"]

_KEPT_S = 1.0
"""Within so many seconds a broker has sent what it keeps."""


def obedient(file: Path, names: Sequence[str] = ()) -> list[str]:
    """Give the gateways that take orders: those named, or all of ``gateways.toml``.

    Raises:
        SettingsError: the file is wrong, or a named gateway takes no orders.
    """
    fleet = load_fleet(file)
    agents = [name for name, one in fleet.gateway.items() if one.profile == AGENT]
    if missing := [name for name in names if name not in agents]:
        raise SettingsError(f"{file}: no gateway with profile {AGENT} called {', '.join(missing)}")
    deaf = [name for name in names or agents if not fleet.gateway[name].options.get("orders_key")]
    if names and deaf:
        raise SettingsError(
            f"{file}: {deaf[0]} obeys nobody: give it options.orders_key, which nurt gateway order-key prints"
        )
    if not agents or len(deaf) == len(agents):
        raise SettingsError(f"{file}: no gateway here takes orders (profile {AGENT} with options.orders_key)")
    return [name for name in names or agents if name not in deaf]


def commanded(file: Path, names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Give what is sent to named gateways whose firmware takes plain commands: name, topic, message.

    Raises:
        SettingsError: the file is wrong, or there is no such gateway.
    """
    fleet = load_fleet(file)
    if missing := [name for name in names if name not in fleet.gateway]:
        raise SettingsError(f"{file}: no gateway {missing[0]}; there are: {', '.join(fleet.gateway)}")
    return [
        (name, topic, message)
        for name in names
        for topic, message in render_push(name, fleet.gateway[name], fleet.broker)
    ]


class Operator:
    """Sees and tells, over one connection.

    Args:
        errand: the connection.
        file: ``gateways.toml``; revisions are written there.
        key: orders are signed with it.
    """

    def __init__(self, errand: Errand, file: Path, key: Ed25519PrivateKey) -> None:
        self._errand = errand
        self._file = file
        self._key = key
        self._clock = SystemClock()
        self._fleet = load_fleet(file)
        self._plans: Plans = plans_of(self._fleet)
        self._seen: dict[str, bytes] = {}
        self._health: Counter[str] = Counter()
        errand.listen([f"amr/1/+/{leaf}" for leaf in LEAVES])
        time.sleep(_KEPT_S)

    def look(self) -> dict[str, GatewayStatus]:
        """Give how all gateways are now, by name."""
        for topic, payload in self._errand.news():
            self._seen[topic] = payload
            self._health[topic] += 1
        return {one.name: one for one in heard_status(self._seen, self._clock.now(), self._plans)}

    def health_messages(self, name: str) -> int:
        """Give how many health messages of a gateway have come."""
        return self._health[str(UplinkTopic(name, "health"))]

    def tell(self, name: str) -> int:
        """Tell a gateway what gateways.toml says, under the next revision; gives the revision.

        Raises:
            TelemetryError: the broker does not take it; the revision is used up then.
            SettingsError: gateways.toml cannot be written.
        """
        now = self.look().get(name)
        known = (now.told, now.in_force, now.refused) if now else ()
        rev = max(self._fleet.gateway[name].revision, *known, 0) + 1
        write_whole(self._file, with_revision(read_text(self._file), name, rev, self._file), 0o644)
        text = render_gateway(name, self._fleet.gateway[name], self._fleet.broker)["agent.toml"].text
        self._errand.keep(str(UplinkTopic(name, "cfg/desired")), signed(Order(name, rev, text), self._key))
        return rev
