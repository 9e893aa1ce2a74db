"""``nurt listen``: live, what arrives on a topic and how it would be read."""

from __future__ import annotations

from typing import Annotated

import typer

from service.commands.options import Config, settings_in_force

__all__ = ["listen"]


def listen(  # noqa: PLR0913, PLR0917  the options of a command
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="MQTT topic filter, such as wmbus/+/telegram.")
    ],
    adapter: Annotated[
        str, typer.Option(metavar="NAME", help="Read with this adapter, whatever the settings say.")
    ] = "",
    codec: Annotated[str, typer.Option(help="With --adapter: what LoRaWAN devices send.")] = "",
    unit: Annotated[str, typer.Option(help="With --adapter: what a sensor counts (pulses, L, m3).")] = "",
    count: Annotated[int, typer.Option(min=0, help="End after so many messages; 0 never ends.")] = 0,
    config: Config = None,
) -> None:
    """Show live what arrives, by which adapter it would be read and what comes out. Stores nothing.

    A session of its own at QoS 0 beside the running service: it takes nothing from it and leaves nothing
    behind. If there is a database, its registry and keys are used: a telegram is told as stored (with its
    values), held, foreign or unreadable, as ingest would end it. Ctrl-C ends it.

    **Examples**

        nurt listen 'wmbus/+/telegram'

        nurt listen 'zigbee2mqtt/+' --adapter zigbee2mqtt --unit L
    """
    from ingest.adapters import Options
    from metering.errors import InvalidValue
    from service.listening import Listener, hear
    from service.listening_store import Known
    from service.taking_in import rules_of

    if (codec or unit) and not adapter:
        raise typer.BadParameter("--codec and --unit belong to --adapter")
    settings = settings_in_force(config).settings
    known, why = Known.of(settings.store, rules_of(settings.ingest))
    try:
        routes = [rule.route() for rule in settings.mqtt.topics]
        listener = Listener(topic, routes, adapter, Options(codec=codec, unit=unit), known=known)
    except InvalidValue as wrong:
        raise typer.BadParameter(str(wrong)) from None
    typer.echo(
        f"Listening to {topic} at {settings.mqtt.host}:{settings.mqtt.broker_port}; Ctrl-C ends.", err=True
    )
    if known is None:
        typer.echo(f"No registry and no keys: {why}. Encrypted telegrams are told as such.", err=True)
    try:
        for line in hear(settings.mqtt, listener, count):
            typer.echo(line)
    finally:
        if known is not None:
            known.close()
