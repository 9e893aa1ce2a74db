"""``nurt run``, ``nurt ingest``, ``nurt serve``: the running service, whole or in parts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.commands.options import Config, settings_in_force

__all__ = ["ingest", "run", "serve"]

Upgrade = Annotated[bool, typer.Option("--upgrade", help="Bring an older database to this release first.")]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="TCP port of the pages; 0 takes a free one.", show_default=False),
]


Workers = Annotated[
    int | None,
    typer.Option(min=1, max=64, help="Processes that share the load; see above.", show_default=False),
]


def run(config: Config = None, port: Port = None, upgrade: Upgrade = False) -> None:  # noqa: FBT002  an option
    """Take telegrams from the broker and serve the pages, in one process.

    Without a settings file: SQLite in ./data, the broker at localhost:1883, pages at http://127.0.0.1:8000/.
    A broker that is not there yet is waited for. Ctrl-C ends it within 5 seconds; a second one at once.

    **Examples**

        nurt run

        nurt run --config /etc/nurt/nurt.toml --upgrade
    """
    _start(config, port, ingest=True, web=True, upgrade=upgrade)


def ingest(
    config: Config = None,
    upgrade: Upgrade = False,  # noqa: FBT002  an option
    workers: Workers = None,
    worker: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Take telegrams from the broker, without pages; with --workers in several processes.

    Workers share what comes, on one machine or on many, and need nothing in common but the broker (MQTT 5)
    and the database. One that dies is started again. With fewer workers than last time, what the broker kept
    for the others is taken in first. `nurt workers list` shows all there are.

    **Examples**

        nurt ingest

        nurt ingest --workers 4 --config /etc/nurt/nurt.toml
    """
    if worker is not None and workers is not None:
        _work(config, worker, workers)
    elif workers is not None:
        _start_crew(config, workers, upgrade=upgrade)
    else:
        _start(config, None, ingest=True, web=False, upgrade=upgrade)


def serve(config: Config = None, port: Port = None, upgrade: Upgrade = False) -> None:  # noqa: FBT002  an option
    """Serve the pages, without ingest.

    **Examples**

        nurt serve --port 8080
    """
    _start(config, port, ingest=False, web=True, upgrade=upgrade)


def _start(config: Path | None, port: int | None, *, ingest: bool, web: bool, upgrade: bool) -> None:
    from service.logs import set_up_logs
    from service.runner import run_service

    settings = settings_in_force(config).settings
    if port is not None:
        settings = settings.model_copy(update={"web": settings.web.model_copy(update={"port": port})})
    set_up_logs(style=settings.logs.format, level=settings.logs.level)
    run_service(settings, ingest=ingest, web=web, upgrade=upgrade, announce=typer.echo)


def _start_crew(config: Path | None, workers: int, *, upgrade: bool) -> None:
    from service.crew_runner import run_crew
    from service.logs import set_up_logs

    settings = settings_in_force(config).settings
    set_up_logs(style=settings.logs.format, level=settings.logs.level)
    named = ("--config", str(config)) if config else ()

    command = (sys.executable, "-m", "service.cli", "ingest", *named, "--workers", str(workers), "--worker")
    run_crew(settings, command, workers, upgrade=upgrade, announce=typer.echo)


def _work(config: Path | None, number: int, workers: int) -> None:
    from service.logs import set_up_logs
    from service.worker_runner import run_worker

    settings = settings_in_force(config).settings
    set_up_logs(style=settings.logs.format, level=settings.logs.level, worker=number)
    named = ("--config", str(config)) if config else ()
    run_worker(
        settings, number, workers, (sys.executable, "-m", "service.cli", "scan", *named, "--scheduled")
    )
