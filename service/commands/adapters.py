"""``nurt adapters``: which gateways are understood, and how to name them in the settings."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["adapters"]


def adapters(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Say all of one adapter.", show_default=False)
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Write docs/adapters.md.")] = False,  # noqa: FBT002  an option
) -> None:
    """List the adapters: what real gateways publish and we read.

    **Examples**

        nurt adapters

        nurt adapters esphome_pulse
    """
    from service.adapter_cards import card_lines, list_lines, page

    if markdown:
        typer.echo(page(), nl=False)
        return
    for line in card_lines(name) if name else list_lines():
        typer.echo(line)
