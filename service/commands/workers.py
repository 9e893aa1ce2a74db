"""``nurt workers``: who takes telegrams in, and sessions at the broker that nobody uses any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ingest.roster import Member

__all__ = ["app"]

app = typer.Typer(help="Who takes telegrams in.", no_args_is_help=True)


@app.command("list")
def list_workers(config: Config = None) -> None:
    """List every worker whose session the broker keeps, on all machines; exit code 1 if one is missing.

    A worker that is missing keeps its share of what gateways send waiting at the broker: start it again, or
    retire it.

    **Examples**

        nurt workers list
    """
    from ingest.roster import members_of
    from metering.clock import SystemClock
    from service.database import existing_store

    clock = SystemClock()
    store = existing_store(settings_in_force(config).settings.store, clock)
    try:
        with store.reading() as view:
            members = members_of(view)
    finally:
        store.close()
    now = clock.now()
    if not members:
        typer.echo("No worker has run on this database yet.")
        return
    for line in _table(members, now):
        typer.echo(line)
    if not all(one.here(now) for one in members):
        raise typer.Exit(1)


@app.command()
def retire(
    names: Annotated[list[str], typer.Argument(help="Workers, as `nurt workers list` names them.")],
    config: Config = None,
) -> None:
    """Take in what the broker keeps for workers that will not come back, and give their sessions up.

    Run it on any machine that reaches broker and database. It refuses while the worker runs, and while nobody
    else listens. Interrupted or failed, it changes nothing and loses nothing: run it again.

    **Examples**

        nurt workers retire nurt-ingest-oldbox-1 nurt-ingest-oldbox-2
    """
    from metering.clock import SystemClock
    from service.database import open_store
    from service.logs import set_up_logs
    from service.retiring import retire_worker

    settings, clock = settings_in_force(config).settings, SystemClock()
    set_up_logs(style=settings.logs.format, level="warning")
    store = open_store(settings.store, clock)
    try:
        for name in names:
            taken = retire_worker(settings, store, clock, name)
            typer.echo(f"{name}: {taken} messages that waited are taken in; its session is given up")
    finally:
        store.close()


def _table(members: Sequence[Member], now: datetime) -> list[str]:
    rows = [("WORKER", "MACHINE", "STATE", "SEEN", "WAITING", "OLDEST", "ITEMS")]
    rows += [(one.name, one.host, _state(one, now), _ago(one, now), *_load(one, now)) for one in members]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _state(member: Member, now: datetime) -> str:
    if member.away:
        return "ended"
    if not member.here(now):
        return "missing"
    return "listening" if member.listening else "waiting for the broker"


def _load(member: Member, now: datetime) -> tuple[str, str, str]:
    if not member.here(now):
        return "", "", ""
    load = member.load
    return str(load.queue_depth), f"{load.oldest_s:.1f} s", str(load.items)


def _ago(member: Member, now: datetime) -> str:
    seconds = max(0, int((now - member.seen).total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if hours >= 48:
        return f"{hours // 24} days ago"
    return f"{hours} h ago" if hours else f"{minutes} min ago" if minutes else f"{seconds} s ago"
