"""``nurt billing send | dead | replay | drop | pause | resume``: what leaves for the billing system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from metering.outbox import Outbox
    from metering.store import SqlStore
    from service.settings_model import Settings

__all__ = ["dead", "drop", "pause", "replay", "resume", "send"]

Key = Annotated[str, typer.Argument(metavar="KEY", help="br:..., or all.")]


def send(
    config: Config = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to go on for messages that come due meanwhile.")
    ] = 0,
) -> None:
    """Send what waits and is due, and fetch what came back. `nurt run` does it by itself.

    **Examples**

        nurt billing send

        nurt billing send --wait 30
    """
    from service.billing_sending import send_now
    from service.logs import set_up_logs

    with _opened(config) as (settings, store):
        set_up_logs(style="console", level="warning")
        said = send_now(settings, store, seconds=wait)
    typer.echo(f"{said.settled} answers settled, {said.documents} documents fetched")
    if said.left:
        typer.echo(f"{said.left} messages wait still; nurt billing status says for what")


def dead(config: Config = None) -> None:
    """List messages the billing system refused, or that were tried too often: each with what it said.

    **Examples**

        nurt billing dead
    """
    from metering.outbox import OutboxState
    from service.text_table import text_table

    with _opened(config) as (settings, store), store.reading() as tx:
        items = tx.outbox.items(settings.billing.target, [OutboxState.DEAD], limit=1000)
    if not items:
        typer.echo("No message is dead.")
    rows = [{"key": one.key, "attempts": one.attempt, "what it said": one.error} for one in items]
    for line in text_table(rows):
        typer.echo(line)


def replay(key: Key, config: Config = None) -> None:
    """Send a dead message again, from its first attempt on.

    **Examples**

        nurt billing replay br:utility:SP1%2Fvolume:2026-09-01..2026-10-01:1

        nurt billing replay all
    """
    from metering.clock import SystemClock

    with _opened(config) as (settings, store), store.writing() as tx:
        target, now = settings.billing.target, SystemClock().now()
        done = sum(tx.outbox.replay(target, one, now) for one in _dead(tx.outbox, target, key))
    typer.echo(f"{done} messages are sent again")


def drop(
    key: Key,
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    config: Config = None,
) -> None:
    """Give up a dead message, so that those behind it leave.

    **Examples**

        nurt billing drop br:utility:SP1%2Fvolume:2026-09-01..2026-10-01:1 --reason "booked by hand"
    """
    from metering.clock import SystemClock

    with _opened(config) as (settings, store), store.writing() as tx:
        target, now = settings.billing.target, SystemClock().now()
        done = sum(tx.outbox.drop(target, one, reason, now) for one in _dead(tx.outbox, target, key))
    typer.echo(f"{done} messages are given up")


def pause(reason: Annotated[str, typer.Option(help="Why, for the record.")], config: Config = None) -> None:
    """Send nothing more until `nurt billing resume`; nothing is lost.

    **Examples**

        nurt billing pause --reason "month-end close over there"
    """
    from metering.clock import SystemClock

    with _opened(config) as (settings, store), store.writing() as tx:
        tx.outbox.pause(settings.billing.target, reason, SystemClock().now())
    typer.echo("Paused.")


def resume(config: Config = None) -> None:
    """Send again after a pause.

    **Examples**

        nurt billing resume
    """
    with _opened(config) as (settings, store), store.writing() as tx:
        was = tx.outbox.resume(settings.billing.target)
    typer.echo("Sending again." if was else "It was not paused.")


@contextmanager
def _opened(config: Config) -> Iterator[tuple[Settings, SqlStore]]:
    from metering.clock import SystemClock
    from service.database import prepared_store

    settings = settings_in_force(config).settings
    store = prepared_store(settings.store, SystemClock())
    try:
        yield settings, store
    finally:
        store.close()


def _dead(outbox: Outbox, target: str, key: str) -> list[str]:
    from metering.errors import InvalidValue
    from metering.outbox import OutboxState

    if key == "all":
        return [one.key for one in outbox.items(target, [OutboxState.DEAD], limit=100_000)]
    item = outbox.item(target, key)
    if item is None or item.state is not OutboxState.DEAD:
        stands = "there is none" if item is None else f"it is {item.state.value}"
        raise InvalidValue(f"{key} is no dead message for {target}: {stands}")
    return [key]
