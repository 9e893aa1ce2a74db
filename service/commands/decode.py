"""``nurt decode``: telegrams from the command line or standard input, for people or for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from metering.ports import Clock
    from service.asked import Given
    from service.decode_lines import Answer

__all__ = ["decode"]


_CHUNK = 1 << 16

_Lines = Iterable[Sequence[bytes]]
_Read = TypeVar("_Read")


class Format(StrEnum):
    """Who reads the answer."""

    TEXT = "text"
    JSON = "json"
    WMBUSMETERS = "wmbusmeters"


def decode(  # noqa: PLR0913  a command has its options
    telegrams: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HEX",
            help="Telegrams in hexadecimal; none: standard input, one a line.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str,
        typer.Option(metavar="HEX", help="Key of 32 hexadecimal digits, for telegrams that bring none."),
    ] = "",
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "--driver",
            metavar="NAME",
            help="Meter model (nurt models lists them) instead of the one found by the meter's identity.",
        ),
    ] = "",
    style: Annotated[
        Format,
        typer.Option(
            "--format",
            help="text explains every byte; json gives one line a telegram; wmbusmeters gives the flat JSON "
            "known from there.",
        ),
    ] = Format.TEXT,
    at: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Time of reception for wmbusmeters, ISO 8601, UTC if it says no zone; else the time now.",
        ),
    ] = "",
    *,
    require_encryption: Annotated[
        bool,
        typer.Option(
            "--require-encryption",
            help="Call it an error (not_encrypted) if a telegram comes in clear although its key is given.",
        ),
    ] = False,
    why_not: Annotated[
        bool,
        typer.Option("--why-not", help="For telegrams that fail: try what could help, and say what did."),
    ] = False,
) -> None:
    """Decode Wireless M-Bus and wired M-Bus telegrams.

    A telegram is hexadecimal (blanks, 0x, | and _ do not matter), a line of rtl_wmbus or of a CUL, or
    {"telegram": HEX, "key": HEX or null, "model": NAME}. Hexadecimal that several frames fill exactly is so
    many telegrams. Exit code 0: all decoded; 1: at least one was not.

    **Examples**

        nurt decode 2E44...

        nurt decode --key 000102030405060708090A0B0C0D0E0F 2E44...

        nurt decode --why-not 2E44...

        rtl_wmbus | nurt decode --format json | jq .fields
    """
    from service.asked import Given, key_of, model_of

    given = Given(_option("--key", key_of, key), _option("--model", model_of, model), require_encryption)
    clock = _option("--at", _clock, at)
    come = [[line.encode(errors="replace") for line in telegrams]] if telegrams else _standard_input()
    if why_not:
        good = _write_advice(come, given, as_json=style is not Format.TEXT)
    elif style is Format.TEXT:
        good = _write_text(come, given)
    else:
        good = _write_lines(come, given, clock if style is Format.WMBUSMETERS else None)
    raise typer.Exit(0 if good else 1)


def _option(name: str, read: Callable[[str], _Read], text: str) -> _Read:
    try:
        return read(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint=name) from None


def _clock(text: str) -> Clock:
    """Give the machine's clock, or one that stands at the time said."""
    from metering.clock import FixedClock, SystemClock

    if not text:
        return SystemClock()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!a} is not a time like 2026-01-02T03:04:05Z") from None
    return FixedClock(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


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


def _write_lines(come: _Lines, given: Given, clock: Clock | None) -> bool:
    """Write JSON; the flat one if there is a clock to say when a telegram came."""
    from service.decode_stream import DecodeStream

    stream = DecodeStream(given, clock)
    out, good = sys.stdout.buffer, True
    for lines in come:
        for line in lines:
            text, well = stream.answer(line)
            out.write(text)
            good = good and well
        out.flush()
    return good


def _answers(come: _Lines, given: Given) -> Iterator[Answer]:
    """Answer line by line, the full way; blank lines are no telegrams."""
    from decoders.shipped_layouts import shipped_layouts
    from service.asked import read_line
    from service.decode_lines import answer, decoding

    using = decoding(shipped_layouts())
    for lines in come:
        for line in lines:
            text = line.decode(errors="replace")
            if text.strip():
                yield from (answer(asked, using) for asked in read_line(text, given))


def _write_text(come: _Lines, given: Given) -> bool:
    from service.explain import console, explain

    out = console()
    good = True
    for number, told in enumerate(_answers(come, given)):
        if number:
            out.print()
        explain(told, out)
        good = good and told.trouble is None
    return good


def _write_advice(come: _Lines, given: Given, *, as_json: bool) -> bool:
    from service.advice import json_advice, text_advice
    from service.explain import console

    out = console()
    good = True
    for told in _answers(come, given):
        if as_json:
            sys.stdout.buffer.write(json_advice(told))
            sys.stdout.buffer.flush()
        else:
            out.print(text_advice(told))
        good = good and told.trouble is None
    return good
