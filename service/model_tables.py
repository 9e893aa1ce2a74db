"""Meter models on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from decoders.model import Model
from service.model_facts import described, identities, provenance, shown_fields

__all__ = ["in_short", "one_in_full"]

_SHOWN = 4
"""Identities in the list; the rest is counted."""


def in_short(models: Sequence[Model]) -> Table:
    """List models, one a line."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("model", "media", "meters"):
        table.add_column(column, overflow="fold")
    table.add_column("fields", justify="right")
    for model in models:
        known = identities(model.detect)
        more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
        table.add_row(
            model.name,
            ", ".join(model.media),
            ", ".join(known[:_SHOWN]) + more,
            str(len(shown_fields(model))),
        )
    return table


def one_in_full(model: Model) -> Iterator[RenderableType]:
    """Tell everything about one model."""
    yield Text(model.name, "bold").append(f"  {model.group}: {', '.join(model.media)}", "default")
    for title, text in _facts(model):
        yield Text(f"{title}: ", "bright_black").append(text, "default")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="fold", style="bold")
    table.add_column(overflow="fold")
    for field in shown_fields(model):
        table.add_row(field.name, described(field))
    yield table


def _facts(model: Model) -> Iterator[tuple[str, str]]:
    if model.aliases:
        yield "also", ", ".join(model.aliases)
    yield "meters", ", ".join(identities(model.detect)) or "only if named"
    if model.hook:
        yield "payload of its own", f"decoders/hooks/{model.hook}.py"
    if model.layouts:
        yield "compact frames", ", ".join(f"{layout.signature:04X}" for layout in model.layouts)
    for remark in model.remarks:
        yield "remark", remark
    yield "provenance", provenance(model)
