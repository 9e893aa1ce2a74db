"""``nurt billing``: validated reads for the billing system."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from service.commands import (
    billing_batches,
    billing_close,
    billing_documents,
    billing_orders,
    billing_people,
    billing_proof,
    billing_queue,
    billing_receiver,
    billing_rounds,
    billing_send,
)

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


_SET_UP = "Set up: whom, for what"
_CLOSE = "Close periods, and how they stand"
_ASK = "What waits for a person"
_PEOPLE = "Readers and customers"
_PROVE = "Between closings, and what proves a bill"
_SEND = "Hand-over to the billing system"
_COMMANDS: tuple[tuple[str, str, Callable[..., None]], ...] = (
    ("import", _SET_UP, billing_people.import_),
    ("rules", _SET_UP, rules),
    ("preview", _CLOSE, billing_proof.preview),
    ("close", _CLOSE, billing_close.close),
    ("review", _CLOSE, billing_close.review),
    ("status", _CLOSE, billing_close.status),
    ("exceptions", _ASK, billing_queue.exceptions),
    ("accept", _ASK, billing_queue.accept),
    ("reject", _ASK, billing_queue.reject),
    ("edit", _ASK, billing_queue.edit),
    ("estimate", _ASK, billing_queue.estimate),
    ("reader", _ASK, billing_queue.reader),
    ("agree", _ASK, billing_queue.agree),
    ("orders", _PEOPLE, billing_orders.orders),
    ("order", _PEOPLE, billing_orders.order),
    ("withdraw", _PEOPLE, billing_orders.withdraw),
    ("visits", _PEOPLE, billing_people.visits),
    ("visited", _PEOPLE, billing_people.visited),
    ("self-reading", _PEOPLE, billing_people.self_reading),
    ("round", _PROVE, billing_rounds.round_),
    ("checks", _PROVE, billing_rounds.checks),
    ("evidence", _PROVE, billing_proof.evidence),
    ("reconcile", _PROVE, billing_proof.reconcile),
    ("send", _SEND, billing_send.send),
    ("dead", _SEND, billing_send.dead),
    ("replay", _SEND, billing_send.replay),
    ("drop", _SEND, billing_send.drop),
    ("pause", _SEND, billing_send.pause),
    ("resume", _SEND, billing_send.resume),
    ("batches", _SEND, billing_batches.batches),
    ("take-in", _SEND, billing_documents.take_in),
    ("reference-receiver", _SEND, billing_receiver.reference_receiver),
)
"""In the order in which somebody new needs them."""

for _name, _panel, _command in _COMMANDS:
    app.command(_name, rich_help_panel=_panel)(_command)
