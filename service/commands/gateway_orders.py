"""``nurt gateway order-key``, ``push``, ``status``: orders to gateways, and how they are."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metering.errors import SettingsError, TelemetryError

if TYPE_CHECKING:
    from gateway_firmware_config.agent.mqtt import Broker
    from gateway_firmware_config.fleet import Fleet

__all__ = ["order_key", "push", "status"]

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
_AGENT = "agent"


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
    chosen = names or _agents(fleet)
    if missing := [name for name in chosen if name not in _agents(fleet)]:
        raise SettingsError(f"{config}: no gateway with profile {_AGENT} called {', '.join(missing)}")
    signing, rev = private_key(_bytes(key)), int(SystemClock().now().timestamp())
    with Errand(_broker(fleet, password_file, ca_file)) as errand:
        for name in chosen:
            text = render_gateway(name, fleet.gateway[name], fleet.broker)["agent.toml"].text
            errand.keep(str(UplinkTopic(name, "cfg/desired")), signed(Order(name, rev, text), signing))
            typer.echo(f"{name}: told revision {rev}")


def status(
    config: FleetFile = _FLEET,
    password_file: PasswordFile = None,
    ca_file: Authority = None,
    *,
    wait_s: Annotated[
        float, typer.Option("--wait", help="Seconds to listen; 65 to hear everybody's health.", min=0.1)
    ] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show how the gateways with our agent are, and whether they have the settings they were told.

    **Examples**

        nurt gateway status --wait 65
    """
    from gateway_firmware_config.agent.mqtt import Errand
    from service.gateway_files import load_fleet

    fleet = load_fleet(config)
    leaves = ("state", "health", "cfg/desired", "cfg/reported")
    with Errand(_broker(fleet, password_file, ca_file)) as errand:
        seen = errand.seen([f"amr/1/+/{leaf}" for leaf in leaves], wait_s)
    rows = [_row(name, seen) for name in _agents(fleet)]
    typer.echo(json.dumps(rows) if as_json else "\n".join(_table(rows)))


def _row(name: str, seen: Mapping[str, bytes]) -> dict[str, Any]:
    """Put together what a gateway and the broker say of it."""
    state, health, desired, reported = (
        _said(seen, name, leaf) for leaf in ("state", "health", "cfg/desired", "cfg/reported")
    )
    told, in_force = desired.get("rev", 0), reported.get("in_force", 0)
    return {
        "gateway": name,
        "state": state.get("state", "never seen"),
        "since": state.get("ts"),
        "firmware": health.get("firmware"),
        "queue": health.get("queue"),
        "heard": health.get("heard"),
        "told": told,
        "in_force": in_force,
        "drift": told != in_force,
        "error": reported.get("err"),
    }


def _said(seen: Mapping[str, bytes], name: str, leaf: str) -> dict[str, Any]:
    try:
        said = json.loads(seen.get(f"amr/1/{name}/{leaf}", b"{}") or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    columns = list(rows[0]) if rows else ["gateway"]
    lines = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(columns))]
    for line in lines:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _agents(fleet: Fleet) -> list[str]:
    return [name for name, gateway in fleet.gateway.items() if gateway.profile == _AGENT]


def _broker(fleet: Fleet, password_file: Path | None, ca_file: Path | None) -> Broker:
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
