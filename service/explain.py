"""A telegram explained to people: what every byte means, then the fields with their units.

Fits 80 columns; colours only on a terminal and never when ``NO_COLOR`` is set (Rich sees to both).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from decoders.errors import CODES
from decoders.meaning import fields
from decoders.media import medium
from decoders.model import Model
from decoders.shipped_layouts import shipped_layouts
from decoders.telegram import Telegram, Value
from decoders.trace import Span, Trace, Understanding, trace
from service.asked import Trouble
from service.decode_lines import Answer

__all__ = ["console", "explain", "printable", "told_trouble"]

_LAYERS = {
    "link": ("Link layer", "cyan"),
    "extended link": ("Extended link layer", "blue"),
    "authentication": ("Authentication and fragmentation layer", "magenta"),
    "transport": ("Transport layer", "green"),
    "application": ("Application layer", "yellow"),
    "receiver": ("Added by the receiver", "bright_black"),
}

_MARKS = {
    Understanding.FULL: Text(" "),
    Understanding.PARTLY: Text("~", "yellow"),
    Understanding.NOT: Text("?", "red"),
}

_NAMED = 3

_UNITS = {
    "m3": "m³",
    "m3h": "m³/h",
    "kg": "kg",
    "kgh": "kg/h",
    "kwh": "kWh",
    "gj": "GJ",
    "mcal": "Mcal",
    "kw": "kW",
    "mjh": "MJ/h",
    "kvar": "kvar",
    "kvarh": "kvarh",
    "kva": "kVA",
    "kvah": "kVAh",
    "c": "°C",
    "f": "°F",
    "rh": "%",
    "pct": "%",
    "bar": "bar",
    "v": "V",
    "a": "A",
    "hz": "Hz",
    "dbm": "dBm",
    "s": "s",
    "h": "h",
    "d": "d",
    "month": "months",
    "y": "years",
}
"""Suffix of a field's name to the unit as people write it."""


def console() -> Console:
    """Make a console on standard output that leaves our text as it is."""
    return Console(highlight=False, markup=False, emoji=False)


def explain(given: Answer, out: Console) -> None:
    """Print one telegram, or why a line holds none."""
    if not given.asked.frame:
        out.print(*told_trouble(given.trouble), sep="\n")
        return
    traced = trace(given.asked.frame, given.asked.keys, shipped_layouts(), given.model)
    if telegram := given.telegram:
        out.print(_title(telegram, given.model))
    for _, spans in groupby(traced.spans, key=lambda span: span.layer):
        out.print(*_layer(list(spans)), sep="\n")
    out.print(_coverage(traced))
    if given.telegram and given.telegram.records:
        out.print(Text("Fields", "bold"), _fields(given.telegram, given.model), sep="\n")
    if given.trouble:
        out.print(*told_trouble(given.trouble), sep="\n")


def _title(telegram: Telegram, model: Model | None) -> Text:
    title = Text(str(telegram.meter), "bold").append(f"  {medium(telegram.meter)}", "default")
    if model:
        title.append(f"  model {model.name}", "default")
    if telegram.sender != telegram.meter:
        title.append(f"  heard through {telegram.sender}", "default")
    return title.append(f"  {_security(telegram)}", "default")


def _security(telegram: Telegram) -> str:
    security = telegram.security
    if security.link:
        kind = "AES-CTR in the link"
    elif security.mode:
        kind = f"security mode {security.mode}"
    else:
        return "not encrypted"
    if not security.encrypted:
        return f"{kind}, arrived decrypted"
    return f"{kind}, {'decrypted with the key' if security.verified else 'not decrypted'}"


def _layer(spans: list[Span]) -> tuple[Text, Table]:
    name, colour = _LAYERS.get(spans[0].layer, (spans[0].layer, "white"))
    decrypted = "  (shown decrypted)" if any(span.plain is not None for span in spans) else ""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(justify="right", width=4, style="bright_black")
    table.add_column(width=23, style=colour)
    table.add_column(width=1)
    table.add_column(width=23)
    table.add_column(overflow="fold")
    for span in spans:
        table.add_row(
            str(span.offset),
            (span.raw if span.plain is None else span.plain).hex(" "),
            _MARKS[span.understanding],
            printable(span.meaning),
            _value(span),
        )
    return Text(name, f"bold {colour}").append(decrypted, "default"), table


def _value(span: Span) -> Text:
    """Tell what the bytes say, and the fields read from them; of many, the first."""
    text = Text(printable(span.value))
    if span.fields:
        more = f" and {len(span.fields) - _NAMED} more" if len(span.fields) > _NAMED else ""
        text.append(f" = {', '.join(map(printable, span.fields[:_NAMED]))}{more}", "bold")
    return text


def _coverage(traced: Trace) -> Text:
    counts = {one: traced.count(one) for one in Understanding}
    said = Text(f"{len(traced.frame)} bytes: {counts[Understanding.FULL]} understood", "bright_black")
    for one, word in ((Understanding.PARTLY, "partly"), (Understanding.NOT, "not understood")):
        if counts[one]:
            said.append(f", {counts[one]} {word} (").append_text(_MARKS[one]).append(")")
    return said


def _fields(telegram: Telegram, model: Model | None) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(max_width=44, overflow="fold")
    table.add_column(justify="right", overflow="fold", style="bold")
    table.add_column(width=6)
    for name, value in fields(telegram, model).items():
        unit = _UNITS.get(name.rpartition("_")[2], "") if isinstance(value, Decimal) else ""
        table.add_row(printable(name), _shown(value), unit)
    return table


def _shown(value: Value) -> str:
    if value is None:
        return "no value"
    return format(value, "f") if isinstance(value, Decimal) else printable(str(value))


def told_trouble(trouble: Trouble | None) -> Iterator[Text]:
    """Say what stood in the way, in lines."""
    if trouble:
        place = "" if trouble.offset is None else f" (byte {trouble.offset})"
        yield Text(f"{trouble.code}: ", "bold red").append(printable(trouble.message), "red").append(place)
        if (known := CODES.get(trouble.code)) and known != trouble.message:
            yield Text(f"  {known}", "bright_black")


def printable(text: str) -> str:
    """Keep a meter's text from steering the terminal."""
    return "".join(_harmless(text))


def _harmless(text: str) -> Iterator[str]:
    for sign in text:
        yield sign if sign.isprintable() else f"\\x{ord(sign):02x}"
