"""``nurt decode``: telegrams from the command line or standard input, for people or for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from service.decode_lines import Answer

__all__ = ["decode"]


class Format(StrEnum):
    """Who reads the answer."""

    TEXT = "text"
    JSON = "json"


def decode(
    telegrams: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HEX",
            help="Telegrams in hexadecimal; none: standard input, one a line.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="Key of 32 hexadecimal digits, for telegrams that bring none."),
    ] = None,
    style: Annotated[
        Format, typer.Option("--format", help="text explains every byte; json gives one line a telegram.")
    ] = Format.TEXT,
) -> None:
    """Decode Wireless M-Bus and wired M-Bus telegrams.

    A telegram is hexadecimal (blanks, 0x, | and _ do not matter), a line of rtl_wmbus, or
    {"telegram": HEX, "key": HEX or null}. Exit code 0: all decoded; 1: at least one was not.

    **Examples**

        nurt decode 2E44...

        nurt decode --key 000102030405060708090A0B0C0D0E0F 2E44...

        rtl_wmbus | nurt decode --format json | jq .fields
    """
    from service.decode_lines import answer, key_of, read_line

    try:
        given = key_of(key) if key else None
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--key") from None
    lines = telegrams or _standard_input(skip_blank=style is Format.TEXT)
    answers = (answer(asked) for line in lines for asked in read_line(line, given))
    good = _write_json(answers) if style is Format.JSON else _write_text(answers)
    raise typer.Exit(0 if good else 1)


def _standard_input(*, skip_blank: bool) -> Iterator[str]:
    """Give lines as they come, so that a program can ask and wait for the answer."""
    if sys.stdin.isatty():
        typer.echo("Telegrams in hexadecimal, one a line; Ctrl-D ends.", err=True)
    for raw in iter(sys.stdin.buffer.readline, b""):
        if raw.strip() or not skip_blank:
            yield raw.decode("utf-8", errors="replace")


def _write_json(answers: Iterable[Answer]) -> bool:
    from service.decode_lines import json_line

    good = True
    for given in answers:
        sys.stdout.buffer.write(json_line(given))
        sys.stdout.buffer.flush()
        good = good and given.trouble is None
    return good


def _write_text(answers: Iterable[Answer]) -> bool:
    from service.explain import console, explain

    out = console()
    good = True
    for number, given in enumerate(answers):
        if number:
            out.print()
        explain(given, out)
        good = good and given.trouble is None
    return good
