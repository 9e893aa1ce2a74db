"""``nurt models``: which meters are known, and what is read from them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from decoders.model import Model

__all__ = ["models"]


class Format(StrEnum):
    """Who reads the list."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def models(
    name: Annotated[str, typer.Argument(metavar="NAME", help="One model in full.", show_default=False)] = "",
    style: Annotated[
        Format, typer.Option("--format", help="markdown is the page docs/meters.md.")
    ] = Format.TEXT,
) -> None:
    """List the meter models, or tell one in full: media, identities, fields, provenance.

    **Examples**

        nurt models

        nurt models kamwater

        nurt models --format json | jq '.[].name'
    """
    from decoders.models import by_name
    from decoders.models import models as all_models

    found = list(all_models().values())
    if name:
        one = by_name(name)
        if one is None:
            raise typer.BadParameter(f"{name[:40]!a} is not a meter model of this release", param_hint="NAME")
        found = [one]
    _write(found, style, in_full=bool(name))


def _write(found: Sequence[Model], style: Format, *, in_full: bool) -> None:
    import orjson

    from service.explain import console
    from service.model_facts import as_data, markdown
    from service.model_tables import in_short, one_in_full

    if style is Format.JSON:
        option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        sys.stdout.buffer.write(orjson.dumps([as_data(model) for model in found], option=option))
    elif style is Format.MARKDOWN:
        sys.stdout.write(markdown(found))
    elif in_full:
        console().print(*one_in_full(found[0]), sep="\n")
    else:
        console().print(in_short(found))
