"""``nurt decode``: telegrams from the command line or standard input, for people or for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from service.decode_lines import Answer

__all__ = ["decode"]


_CHUNK = 1 << 16


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
    come = [[line.encode(errors="replace") for line in telegrams]] if telegrams else _standard_input()
    if style is Format.JSON:
        raise typer.Exit(0 if _write_json(come, given) else 1)
    lines = (line.decode(errors="replace") for lines in come for line in lines if line.strip() or telegrams)
    answers = (answer(asked) for line in lines for asked in read_line(line, given))
    raise typer.Exit(0 if _write_text(answers) else 1)


def _standard_input() -> Iterator[Sequence[bytes]]:
    """Give the lines that have come: one where a program asks and waits, many where they pour in."""
    if sys.stdin.isatty():
        typer.echo("Telegrams in hexadecimal, one a line; Ctrl-D ends.", err=True)
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), _CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        yield lines
    if rest:
        yield [rest]


def _write_json(come: Iterable[Sequence[bytes]], key: bytes | None) -> bool:
    from service.decode_stream import DecodeStream

    stream = DecodeStream(key)
    out, good = sys.stdout.buffer, True
    for lines in come:
        for line in lines:
            text, well = stream.answer(line)
            out.write(text)
            good = good and well
        out.flush()
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
