"""``nurt gateway``: the agent that runs on a box with receivers, and what it takes to set one up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metering.errors import SettingsError
from service.commands import gateway_orders, gateway_registry, gateway_render, gateway_status
from service.fleet_folder import write_files

if TYPE_CHECKING:
    from gateway_firmware_config.agent.settings import AgentSettings
    from gateway_firmware_config.fleet import Fleet

__all__ = ["app"]

app = typer.Typer(help="Gateways: the agent that hears, spools and publishes.", no_args_is_help=True)

AgentConfig = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The agent's settings file.")
]
_DEFAULT = Path("agent.toml")

app.command()(gateway_render.render)
app.command()(gateway_render.diff)
app.command()(gateway_render.profiles)
app.command()(gateway_registry.add)
app.command("list")(gateway_registry.list_)
app.command()(gateway_registry.remove)
app.command("rotate-password")(gateway_registry.rotate_password)
app.command("order-key")(gateway_orders.order_key)
app.command()(gateway_orders.push)
app.command()(gateway_orders.rollout)
app.command()(gateway_status.status)


@app.command()
def run(config: AgentConfig = _DEFAULT) -> None:
    """Listen to the receivers, spool what they hear, publish it.

    Nothing that was spooled is lost when the broker is away or the power fails. Ctrl-C ends it in order.

    **Examples**

        nurt gateway run --config /etc/nurt-agent/agent.toml
    """
    from service.gateway_files import load_agent_settings
    from service.logs import set_up_logs

    settings = load_agent_settings(config)
    _need_serial()
    from gateway_firmware_config.agent.agent import run_agent
    from metering.clock import SystemClock

    set_up_logs(style=settings.logs.format, level=settings.logs.level)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    if settings.orders.public_key:
        _run_under_orders(settings, ended)
    else:
        run_agent(settings, SystemClock(), ended)


def _run_under_orders(installed: AgentSettings, ended: threading.Event) -> None:
    """Run with the settings in force, again and again as orders change them."""
    from gateway_firmware_config.agent.agent import run_agent
    from gateway_firmware_config.agent.obedience import Obedience
    from metering.clock import SystemClock

    obedience = Obedience(installed)
    again = True
    while again:
        try:
            again = run_agent(obedience.settings(), SystemClock(), ended, obedience)
        except SettingsError as wrong:
            if not obedience.give_up(str(wrong)):
                raise


@app.command()
def check(config: AgentConfig = _DEFAULT) -> None:
    """Check the agent's settings; exit code 1 if something is wrong, told with file and line.

    **Examples**

        nurt gateway check --config agent.toml
    """
    from service.gateway_files import load_agent_settings

    settings = load_agent_settings(config)
    settings.broker.secret()
    typer.echo(f"{config}: good")


@app.command()
def probe(
    ports: Annotated[
        list[str] | None, typer.Argument(metavar="[PORT]...", help="Serial ports; all if none is given.")
    ] = None,
    *,
    listen_s: Annotated[
        float, typer.Option("--listen", help="Seconds to listen at each speed.", min=0, max=3600)
    ] = 5.0,
) -> None:
    """Find out which receivers hang on the serial ports; prints what belongs into agent.toml.

    Devices that can be asked are asked first; the others are listened for. Stop the agent before.

    **Examples**

        nurt gateway probe

        nurt gateway probe /dev/ttyUSB0 --listen 60
    """
    _need_serial()
    found = [_tell(number, port, listen_s) for number, port in enumerate(ports or _ports(), 1)]
    if not all(found):
        raise typer.Exit(1)


@app.command()
def bundle(  # noqa: PLR0913  one parameter for each option
    name: Annotated[str, typer.Argument(help="The gateway's name.")],
    broker: Annotated[
        str | None,
        typer.Option(
            metavar="HOST[:PORT]",
            help="Broker as the gateway reaches it; else as gateways.toml says.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(help="Folder to write to; else one of its name.", file_okay=False, show_default=False),
    ] = None,
    *,
    config: Annotated[
        Path, typer.Option("--config", "-c", metavar="FILE", help="gateways.toml, without --broker.")
    ] = Path("gateways.toml"),
    tls: Annotated[bool, typer.Option(help="Encrypt the connection, with --broker.")] = True,
    receiver: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND:PORT", help="A receiver, im871a:/dev/ttyUSB0; repeatable."),
    ] = None,
) -> None:
    """Write what installs the agent on a box: settings, systemd unit, install script.

    Put the nurt-*.whl file beside them and run install.sh there as root. The broker's password is asked for
    by install.sh; it is in none of these files.

    **Examples**

        nurt gateway bundle roof

        nurt gateway bundle roof --broker mqtt.example.org --receiver im871a:/dev/ttyUSB0 --to roof
    """
    from gateway_firmware_config.rendering import render_gateway
    from service.gateway_files import load_fleet

    if broker is None and receiver:
        raise SettingsError(f"--receiver goes with --broker; receivers of {name} stand in {config}")
    fleet = load_fleet(config) if broker is None else _fleet_of(name, broker, receiver or (), tls=tls)
    plan = fleet.gateway.get(name)
    if plan is None or plan.profile != "agent":
        raise SettingsError(f"{config}: no gateway with profile agent called {name}; say --broker, or add it")
    made, folder = render_gateway(name, plan, fleet.broker), to or Path(name)
    write_files(made, folder)
    typer.echo(f"{folder}: {', '.join(sorted(made))}")


def _fleet_of(name: str, broker: str, receivers: Sequence[str], *, tls: bool) -> Fleet:
    """Give a gateway that stands in no file."""
    from gateway_firmware_config.agent.framings import RECEIVERS
    from gateway_firmware_config.fleet import BrokerPlan, Fleet, GatewayPlan

    for one in receivers:
        if one.partition(":")[0] not in RECEIVERS or not one.partition(":")[2]:
            raise SettingsError(f"--receiver {one}: expected KIND:PORT with one of {', '.join(RECEIVERS)}")
    host, _, port = broker.partition(":")
    if port and not port.isdecimal():
        raise SettingsError(f"--broker {broker}: {port} is not a TCP port")
    options = {"receivers": list(receivers)} if receivers else {}
    try:
        where = BrokerPlan(host=host, port=int(port) if port else None, tls=tls)
        return Fleet(broker=where, gateway={name: GatewayPlan(profile="agent", options=options)})
    except ValueError as wrong:
        raise SettingsError(f"{name} at {broker}: {_first_words(wrong)}") from wrong


def _first_words(wrong: ValueError) -> str:
    """Say what pydantic found wrong first, without its form."""
    from pydantic import ValidationError

    if isinstance(wrong, ValidationError):
        return wrong.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
    return str(wrong)


def _ports() -> list[str]:
    from serial.tools import list_ports

    found = sorted(port.device for port in list_ports.comports())
    if not found:
        raise SettingsError("this machine has no serial ports")
    return found


def _tell(number: int, port: str, listen_s: float) -> bool:
    """Print what hangs on a port as it is written in the settings; false if nothing was recognised."""
    from gateway_firmware_config.agent.lines import LineLost, OpenLine, serial_line
    from gateway_firmware_config.agent.probe import probe

    def line(baud: int) -> OpenLine:
        return serial_line(port, baud)

    try:
        found = probe(line, listen_s)
    except LineLost as lost:
        typer.echo(f"# {lost}", err=True)
        return False
    if found is None:
        typer.echo(f"# {port}: nothing recognised", err=True)
        return False
    typer.echo(
        f"# {port}: {found.said}\n"
        f'[[receiver]]\nname = "{found.kind}-{number}"\nkind = "{found.kind}"\n'
        f'port = "{port}"\nbaud = {found.baud}\n'
    )
    return True


def _need_serial() -> None:
    """Raise SettingsError if what the agent needs beyond the rest is not installed."""
    try:
        import serial  # noqa: F401  only to see whether it is there
    except ModuleNotFoundError as missing:
        raise SettingsError("the agent needs pyserial: pip install 'nurt[gateway]'") from missing
