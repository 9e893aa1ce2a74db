"""``nurt run``, ``nurt ingest``, ``nurt serve``: the running service, whole or in parts."""

from __future__ import annotations

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


def run(config: Config = None, port: Port = None, upgrade: Upgrade = False) -> None:  # noqa: FBT002  an option
    """Take telegrams from the broker and serve the pages, in one process.

    Without a settings file: SQLite in ./data, the broker at localhost:1883, pages at http://127.0.0.1:8000/.
    A broker that is not there yet is waited for. Ctrl-C ends it within 5 seconds; a second one at once.

    **Examples**

        nurt run

        nurt run --config /etc/nurt/nurt.toml --upgrade
    """
    _start(config, port, ingest=True, web=True, upgrade=upgrade)


def ingest(config: Config = None, upgrade: Upgrade = False) -> None:  # noqa: FBT002  an option
    """Take telegrams from the broker, without pages.

    Several of these share the load when each has its own [mqtt] client_id and all the same shared_group.

    **Examples**

        NURT_MQTT__CLIENT_ID=nurt-2 nurt ingest
    """
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
