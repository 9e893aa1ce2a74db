"""``nurt gateway order-key``, ``push``: orders to gateways."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metering.errors import SettingsError, TelemetryError

if TYPE_CHECKING:
    from gateway_firmware_config.agent.mqtt import Broker
    from gateway_firmware_config.fleet import Fleet

__all__ = ["AGENT", "agents_of", "broker_of", "order_key", "push"]

FleetFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The gateways there are, gateways.toml.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="The service's password at the broker.", show_default=False),
]
Authority = Annotated[
    Path | None, typer.Option("--ca-file", help="Certificates to trust.", show_default=False)
]
_FLEET = Path("gateways.toml")
AGENT = "agent"
"""The profile of gateways that take orders."""


def order_key(
    file: Annotated[Path, typer.Option(help="Where the private key is written; must not be there yet.")],
) -> None:
    """Make the key orders are signed with; prints the public key, for gateways to know it by.

    **Examples**

        nurt gateway order-key --file orders.key
    """
    from gateway_firmware_config.orders import new_key, private_key, public_text

    pem = new_key()
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_bytes(pem)
    except OSError as wrong:
        raise SettingsError(f"{file} cannot be made: {wrong.strerror}") from wrong
    typer.echo(public_text(private_key(pem)))


def push(
    key: Annotated[Path, typer.Option(help="The private key, made by nurt gateway order-key.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Gateways; all if none is given.")
    ] = None,
    config: FleetFile = _FLEET,
    password_file: PasswordFile = None,
    ca_file: Authority = None,
) -> None:
    """Tell gateways with our agent the settings gateways.toml says, signed, under a new revision.

    A gateway tries them and goes back by itself if it cannot reach the broker with them. Push to a few first,
    and see what they report: nurt gateway status.

    **Examples**

        nurt gateway push roof --key orders.key --password-file service.password
    """
    from gateway_firmware_config.agent.mqtt import Errand
    from gateway_firmware_config.orders import Order, private_key, signed
    from gateway_firmware_config.rendering import render_gateway
    from metering.clock import SystemClock
    from metering.uplink import UplinkTopic
    from service.gateway_files import load_fleet

    fleet = load_fleet(config)
    chosen = names or agents_of(fleet)
    if missing := [name for name in chosen if name not in agents_of(fleet)]:
        raise SettingsError(f"{config}: no gateway with profile {AGENT} called {', '.join(missing)}")
    signing, rev = private_key(_bytes(key)), int(SystemClock().now().timestamp())
    with Errand(broker_of(fleet, password_file, ca_file)) as errand:
        for name in chosen:
            text = render_gateway(name, fleet.gateway[name], fleet.broker)["agent.toml"].text
            errand.keep(str(UplinkTopic(name, "cfg/desired")), signed(Order(name, rev, text), signing))
            typer.echo(f"{name}: told revision {rev}")


def agents_of(fleet: Fleet) -> list[str]:
    """Give the gateways that take orders."""
    return [name for name, gateway in fleet.gateway.items() if gateway.profile == AGENT]


def broker_of(fleet: Fleet, password_file: Path | None, ca_file: Path | None) -> Broker:
    """Give the broker gateways.toml names, as the service logs in there.

    Raises:
        TelemetryError: the password file cannot be read.
    """
    from gateway_firmware_config.agent.mqtt import Broker, TlsFiles

    said = fleet.broker
    password = _bytes(password_file).decode(errors="replace").partition("\n")[0] if password_file else None
    return Broker(
        host=said.host,
        port=said.tcp_port,
        client_id=f"nurt-orders-{secrets.token_hex(4)}",
        username=said.service if password else None,
        password=password,
        tls=TlsFiles(str(ca_file) if ca_file else None) if said.tls else None,
    )


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as wrong:
        raise TelemetryError(f"{file} cannot be read: {wrong.strerror}") from wrong
