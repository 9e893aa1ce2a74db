"""``nurt demo``: a small town on this machine, with nothing else installed."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|min|m|h)?")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, None: 1}


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text.strip())
    if not match:
        raise typer.BadParameter("a time looks like 30s, 5min or 1h")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def demo(
    for_: Annotated[
        timedelta | None,
        typer.Option(
            "--for", metavar="TIME", parser=_span, help="End after 30s, 5min, 1h.", show_default=False
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port of the pages; 0 takes a free one.")
    ] = 8000,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,  # noqa: FBT002  an option
    seed: Annotated[int, typer.Option(help="Another number, another town.")] = 1,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the town's database here; else it goes with the demo.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Simulate a small town: meters, gateways, a broker, 30 days of history, then live. Ctrl-C ends it.

    **Examples**

        nurt demo

        nurt demo --for 30s --port 0 --no-browser
    """
    from rich.console import Console

    from service.demo.run import run_demo

    run_demo(duration=for_, port=port, open_browser=not no_browser, seed=seed, data=data, console=Console())
