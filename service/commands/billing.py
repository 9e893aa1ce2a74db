"""``nurt billing``: validated reads for the billing system."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from service.commands import (
    billing_batches,
    billing_close,
    billing_documents,
    billing_people,
    billing_proof,
    billing_queue,
    billing_receiver,
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


for _command in (
    billing_close.close,
    billing_close.review,
    billing_close.status,
    billing_queue.exceptions,
    billing_queue.accept,
    billing_queue.reject,
    billing_queue.edit,
    billing_queue.estimate,
    billing_queue.reader,
    billing_queue.agree,
    billing_send.send,
    billing_send.dead,
    billing_send.replay,
    billing_send.drop,
    billing_send.pause,
    billing_send.resume,
    billing_batches.batches,
    billing_people.self_reading,
    billing_people.visits,
    billing_people.visited,
    billing_proof.evidence,
    billing_proof.reconcile,
    billing_proof.preview,
    billing_receiver.reference_receiver,
):
    app.command(_command.__name__.replace("_", "-"))(_command)
app.command("import")(billing_people.import_)
app.command("take-in")(billing_documents.take_in)
