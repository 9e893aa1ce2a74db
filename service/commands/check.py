"""``nurt check``: whether everything the service needs is there, and what will soon be missing."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from service.checking.line import Line

__all__ = ["check"]


class Form(StrEnum):
    """How the lines are printed."""

    TEXT = "text"
    JSON = "json"


def check(
    config: Config = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings too make the exit code 1.")] = False,  # noqa: FBT002  an option
    form: Annotated[Form, typer.Option("--format", help="For people or for monitoring.")] = Form.TEXT,
) -> None:
    """Look at disk, database, clock, master key, workers, broker and certificates, from where it is run.

    Each line says ok, warning or fault, and what to do. It may run beside the service and takes nothing from
    it. A certificate is warned of 30 days before its end, and is a fault from 7 days on. Exit code 1 if there
    is a fault.

    **Examples**

        nurt check --config /etc/nurt/nurt.toml

        nurt check --strict --format json
    """
    from metering.clock import SystemClock
    from service.checking.everything import check_everything
    from service.logs import set_up_logs

    settings = settings_in_force(config).settings
    set_up_logs(style=settings.logs.format, level="critical")
    states = set()
    for line in check_everything(settings, SystemClock()):
        states.add(line.state.value)
        typer.echo(_json(line) if form is Form.JSON else _text(line))
    if states & ({"fault", "warning"} if strict else {"fault"}):
        raise typer.Exit(1)


_COLOURS = {"ok": "green", "warning": "yellow", "fault": "red"}


def _text(line: Line) -> str:
    state = typer.style(f"{line.state:<8}", fg=_COLOURS[line.state])
    do = f"\n{'':25}do: {line.do}" if line.do else ""
    return f"{state} {line.what:<16}{line.sentence}{do}"


def _json(line: Line) -> str:
    import json

    said = {"state": line.state.value, "what": line.what, "sentence": line.sentence, "do": line.do}
    return json.dumps(said, ensure_ascii=False)
