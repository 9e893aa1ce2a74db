"""``nurt``: the command line. Errors are one clear sentence; no traceback ever reaches a person.

Exit codes: 0 done, 1 not done (the sentence says why), 2 the command line itself was wrong.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from metering.errors import ImportRefused, TelemetryError
from service.commands import (
    anomaly,
    billing,
    config,
    customers,
    database,
    demo,
    districts,
    findings,
    gateway,
    keys,
    meters,
    operators,
    run,
    workers,
)
from service.commands.adapters import adapters
from service.commands.check import check
from service.commands.coverage import coverage
from service.commands.decode import decode
from service.commands.listen import listen
from service.commands.models import models
from service.commands.replay import replay
from service.commands.scan import scan

__all__ = ["app", "main"]

_SHOWN_FAULTS = 50

app = typer.Typer(
    name="nurt",
    help="Meter telemetry for water utilities: Wireless M-Bus and pulses over MQTT into exact readings.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run.run)
app.command()(run.ingest)
app.command()(run.serve)
app.command()(decode)
app.command()(check)
app.command()(adapters)
app.command()(listen)
app.command()(models)
app.command()(replay)
app.command()(coverage)
app.command()(scan)
app.command()(demo.demo)
app.add_typer(anomaly.app, name="anomaly")
app.add_typer(findings.app, name="findings")
app.add_typer(districts.app, name="districts")
app.add_typer(billing.app, name="billing")
app.add_typer(customers.app, name="customers")
app.add_typer(operators.app, name="operators")
app.add_typer(meters.app, name="meters")
app.add_typer(keys.app, name="keys")
app.add_typer(database.app, name="db")
app.add_typer(workers.app, name="workers")
app.add_typer(config.app, name="config")
app.add_typer(gateway.app, name="gateway")


def _tell_version(asked: bool) -> None:  # noqa: FBT001  Typer calls it so
    if asked:
        typer.echo(f"nurt {version('nurt')}")
        raise typer.Exit


@app.callback()
def _front(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which release this is."),
    ] = False,
) -> None:
    """See the help of the application."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; always ends the process.

    This is the one handler of the command line: what is raised on purpose becomes a sentence, anything
    else a note where its traceback was kept.
    """
    try:
        app(args=arguments, prog_name="nurt")
    except ImportRefused as told:
        _complain(_refusal(told))
    except TelemetryError as told:
        _complain(str(told))
    except Exception as unexpected:  # noqa: BLE001  the last resort: a person never sees a traceback
        _complain(_kept(unexpected))
    sys.exit(1)


def _complain(sentence: str) -> None:
    typer.echo(f"nurt: {sentence}", err=True)


def _refusal(told: ImportRefused) -> str:
    shown = [f"  {fault}" for fault in told.faults[:_SHOWN_FAULTS]]
    more = len(told.faults) - len(shown)
    return "\n".join([str(told), *shown, *([f"  and {more} more"] if more else [])])


def _kept(unexpected: Exception) -> str:
    """Write the traceback where a person can find it and send it."""
    with tempfile.NamedTemporaryFile("w", prefix="nurt-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(unexpected)))
    kind = type(unexpected).__name__
    return f"something went wrong that should not have ({kind}); please report it with {log.name}"


if __name__ == "__main__":
    main()
