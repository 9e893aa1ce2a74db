"""``nurt gateway order-key``, ``push``, ``rollout``: orders to gateways."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metering.clock import SystemClock
from metering.errors import SettingsError, TelemetryError

if TYPE_CHECKING:
    from gateway_firmware_config.agent.client import Broker
    from gateway_firmware_config.fleet import Fleet
    from service.fleet_orders import Operator

__all__ = ["broker_of", "order_key", "push", "rollout"]

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
SigningKey = Annotated[Path, typer.Option(help="The private key, made by nurt gateway order-key.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Gateways; all if none is given.")
]
_FLEET = Path("gateways.toml")


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
    names: Names = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="The private key, made by nurt gateway order-key; for our agent.", show_default=False
        ),
    ] = None,
    config: FleetFile = _FLEET,
    password_file: PasswordFile = None,
    ca_file: Authority = None,
) -> None:
    """Tell gateways what gateways.toml says, all at once, where their firmware takes it over MQTT.

    Our agent gets its settings signed, under a new revision; it tries them and goes back by itself if it
    cannot reach the broker with them. Tasmota and Shelly get plain commands for their counters. nurt gateway
    rollout tells some agents first.

    **Examples**

        nurt gateway push roof --key orders.key --password-file service.password

        nurt gateway push tas1 uni --password-file service.password
    """
    from service.fleet_orders import commanded, obedient

    commands = commanded(config, names or ())
    agents = [name for name in names or () if name not in {name for name, _, _ in commands}]
    if agents or not names:
        chosen = obedient(config, agents)
        if key is None:
            raise SettingsError(f"{', '.join(chosen)}: orders are signed; say with which --key")
        with _operator(key, config, password_file, ca_file) as operator:
            for name in chosen:
                typer.echo(f"{name}: told revision {operator.tell(name)}")
    if commands:
        _send(commands, config, password_file, ca_file)


def _send(
    commands: list[tuple[str, str, str]], config: Path, password_file: Path | None, ca_file: Path | None
) -> None:
    from gateway_firmware_config.agent.errand import Errand
    from service.gateway_files import load_fleet

    with Errand(broker_of(load_fleet(config), password_file, ca_file)) as errand:
        for name, topic, message in commands:
            errand.send(topic, message.encode())
            typer.echo(f"{name}: sent to {topic}; nobody says whether it listened")


def rollout(  # noqa: PLR0913  one parameter for each option
    key: SigningKey,
    names: Names = None,
    config: FleetFile = _FLEET,
    password_file: PasswordFile = None,
    ca_file: Authority = None,
    *,
    first: Annotated[int, typer.Option(help="Gateways that try the settings first.", min=1)] = 1,
    batch: Annotated[
        int, typer.Option(help="Gateways in each later stage; 0 = all the rest at once.", min=0)
    ] = 0,
    take_s: Annotated[
        float, typer.Option("--take", help="Seconds an online gateway may need to take them.", min=1)
    ] = 600,
    well_s: Annotated[
        float, typer.Option("--well", help="Seconds it must stay well with them.", min=0)
    ] = 120,
) -> None:
    """Tell gateways new settings in stages: some first, the rest when those stayed well; stop at a failure.

    A gateway is well when it reported the revision, is online, said how it is, and none of its receivers is
    in trouble that was not before. Those that are away are told and take it when they come back. Break it
    off and run it again whenever you like: gateways that have their settings are not told again.

    **Examples**

        nurt gateway rollout --key orders.key --password-file service.password

        nurt gateway rollout --key orders.key --first 2 --batch 10 --well 600
    """
    import time

    from service.fleet_orders import obedient
    from service.fleet_rollout import Pace, roll_out

    chosen = obedient(config, names or ())
    pace = Pace(first, batch, take_s, well_s)
    with _operator(key, config, password_file, ca_file) as operator:
        for line in roll_out(operator, chosen, pace, clock=time.monotonic, sleep=time.sleep):
            typer.echo(f"{SystemClock().now():%H:%M:%S}  {line}")


@contextmanager
def _operator(
    key: Path, config: Path, password_file: Path | None, ca_file: Path | None
) -> Iterator[Operator]:
    from gateway_firmware_config.agent.errand import Errand
    from gateway_firmware_config.orders import private_key
    from service.fleet_orders import Operator
    from service.gateway_files import load_fleet

    signing = private_key(_bytes(key))
    with Errand(broker_of(load_fleet(config), password_file, ca_file)) as errand:
        yield Operator(errand, config, signing)


def broker_of(fleet: Fleet, password_file: Path | None, ca_file: Path | None) -> Broker:
    """Give the broker gateways.toml names, as the service logs in there.

    Raises:
        TelemetryError: the password file cannot be read.
    """
    from gateway_firmware_config.agent.client import Broker, TlsFiles

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
