"""``nurt gateway status``: how the gateways are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.commands.gateway_orders import broker_of
from service.text_table import text_table

if TYPE_CHECKING:
    from service.fleet_source import Plans
    from service.fleet_status import GatewayStatus

__all__ = ["status"]

_FLEET = Path("gateways.toml")


def status(  # noqa: PLR0913  one parameter for each option
    config: Annotated[
        Path, typer.Option("--config", "-c", metavar="FILE", help="gateways.toml, if there is one.")
    ] = _FLEET,
    service: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Settings of the service; else as nurt run finds them.", show_default=False
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    check: Annotated[bool, typer.Option(help="Exit code 1 if somebody should look at a gateway.")] = False,
    broker: Annotated[
        bool, typer.Option("--broker", help="Ask the broker of gateways.toml, not the service's store.")
    ] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", help="Seconds to listen there; 65 hears everybody.", min=0.1)
    ] = 2.0,
    password_file: Annotated[
        Path | None, typer.Option(help="The service's password there.", show_default=False)
    ] = None,
    ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust.", show_default=False)] = None,
) -> None:
    """Show how the gateways are: there or not, what they hear, which settings they use, what waits there.

    Read success is the share of the registered meters it heard in the last three days that were read. Drift
    says how a gateway's settings differ from what they should be: not told, waiting, refused.

    **Examples**

        nurt gateway status

        nurt gateway status --check --json

        nurt gateway status --broker --wait 65 --password-file service.password
    """
    from service.fleet_source import FleetSource

    plans = FleetSource(config if broker or config.exists() else None).plans()
    fleet = (
        _from_broker(plans, config, wait_s, password_file, ca_file) if broker else _from_store(plans, service)
    )
    if plans.trouble:
        typer.echo(f"nurt: {plans.trouble}", err=True)
    if as_json:
        typer.echo(json.dumps([_row(one) for one in fleet]))
    else:
        typer.echo("\n".join(_lines(fleet)))
    if check and any(one.alarming for one in fleet):
        raise typer.Exit(1)


def _from_store(plans: Plans, service: Path | None) -> Sequence[GatewayStatus]:
    from metering.clock import SystemClock
    from service.commands.options import settings_in_force
    from service.database import prepared_store
    from service.fleet_status import read_status

    clock = SystemClock()
    store = prepared_store(settings_in_force(service).settings.store, clock)
    try:
        with store.reading() as view:
            return read_status(view, clock.now(), plans)
    finally:
        store.close()


def _from_broker(
    plans: Plans, config: Path, wait_s: float, password_file: Path | None, ca_file: Path | None
) -> Sequence[GatewayStatus]:
    from gateway_firmware_config.agent.errand import Errand
    from metering.clock import SystemClock
    from service.fleet_heard import LEAVES, heard_status
    from service.gateway_files import load_fleet

    with Errand(broker_of(load_fleet(config), password_file, ca_file)) as errand:
        seen = errand.seen([f"amr/1/+/{leaf}" for leaf in LEAVES], wait_s)
    return heard_status(seen, SystemClock().now(), plans)


def _row(one: GatewayStatus) -> dict[str, Any]:
    """Give everything, for machines."""
    return {
        "gateway": one.name,
        "profile": one.profile,
        "board": one.board,
        "state": one.condition,
        "last_heard": _utc(one.last_heard),
        "meters": one.meters,
        "meters_read": one.read,
        "read_share": one.share,
        "firmware": one.firmware,
        "planned": one.planned,
        "told": one.told,
        "in_force": one.in_force,
        "drift": one.drift,
        "error": one.error,
        "queue": one.queue,
        "queue_oldest_s": one.queue_oldest_s,
        "per_minute": one.per_minute,
        "troubles": dict(one.troubles),
        "registered": one.registered,
        "alarming": one.alarming,
    }


def _lines(fleet: Sequence[GatewayStatus]) -> list[str]:
    """Give the table, and below it what does not fit into one."""
    if not fleet:
        return ["no gateway is planned, and none was ever heard"]
    below = [
        f"{one.name}: refused revision {one.told}: {one.error}" for one in fleet if one.error and one.drift
    ]
    below += [f"{one.name}: {name}: {trouble}" for one in fleet for name, trouble in one.troubles.items()]
    return [*text_table([_cells(one) for one in fleet]), *([""] if below else []), *below]


def _cells(one: GatewayStatus) -> dict[str, object]:
    return {
        "gateway": one.name,
        "profile": one.profile,
        "state": one.condition,
        "last_heard_UTC": f"{one.last_heard:%Y-%m-%d %H:%M:%S}" if one.last_heard else None,
        "meters": one.meters,
        "read": f"{one.share:.1%}" if one.share is not None else None,
        "firmware": one.firmware,
        "revision": one.in_force or ("installed" if one.reports else None),
        "drift": f"{one.drift} ({one.told})" if one.drift else "no" if one.told else None,
        "queue": one.queue,
    }


def _utc(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
