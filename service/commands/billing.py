"""``nurt billing``: validated reads for the billing system."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Validated reads for the billing system.")


@app.callback()
def _group() -> None:
    """Validated reads for the billing system."""


class Format(StrEnum):
    """Who reads the list."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


@app.command()
def rules(
    style: Annotated[
        Format, typer.Option("--format", help="markdown is the page docs/billing-rules.md.")
    ] = Format.TEXT,
) -> None:
    """List the validation rules: meaning, severity, quality code, settings.

    **Examples**

        nurt billing rules

        nurt billing rules --format json | jq '.[] | select(.severity == "fail")'
    """
    import orjson

    from service.billing_rules import as_data, lines, markdown

    if style is Format.JSON:
        option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        sys.stdout.buffer.write(orjson.dumps(as_data(), option=option))
    elif style is Format.MARKDOWN:
        sys.stdout.write(markdown())
    else:
        for line in lines():
            typer.echo(line)
