"""Messages without an adapter of their own, read as their route describes them (see ``mapping.py``).

One row gives one item with all its values. A row that lacks one of them, or says a number or a time nobody
can read, is refused whole: half a row would look like a whole one.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ingest.adapters.card import Adapter, Card, Options
from ingest.adapters.json_items import elements
from ingest.adapters.lines import gateway_name
from ingest.adapters.mapping import UNITS, FieldMap, FieldValue
from ingest.adapters.objects import number, reception_of, refuse, shown
from ingest.adapters.times import dated, rfc3339, unix
from ingest.items import Delivery, Item, Said, Unreadable
from metering.errors import InvalidValue
from metering.reading import Register
from metering.uplink import BadUplink, ClockSource, MeterValue, Reception, ValueUplink

__all__ = ["CARD", "make"]

_LONGEST_DEVICE = 64

Look = Callable[[str], object]
"""Gives what stands at a path or in a column of a row; ``None`` if nothing does."""

_Row = tuple[Look, bytes]


def make(options: Options) -> Adapter:
    """Give the adapter for messages ``options.fields`` describes.

    Raises:
        InvalidValue: nothing is described, or local times without their zone.
    """
    if options.fields is None:
        raise InvalidValue("a field_map route needs fields: where its messages say what")
    fields = options.fields
    if fields.time and fields.time_format not in {"rfc3339", "unix"} and options.zone is None:
        raise InvalidValue("local times need a zone")
    reader = _Reader(fields, options.zone)
    return reader.read


class _Reader:
    """Reads messages by one field map."""

    def __init__(self, fields: FieldMap, zone: ZoneInfo | None) -> None:
        self._fields = fields
        self._zone = zone

    def read(self, delivery: Delivery, name: str) -> Sequence[Item]:
        gateway = gateway_name(name)
        if gateway is None:
            return refuse(delivery, "bad_topic", f"topic level {name[:80]!a} cannot name a gateway")
        try:
            rows = list((_csv_rows if self._fields.format == "csv" else _json_rows)(delivery, self._fields))
        except BadUplink as bad:
            return refuse(delivery, bad.reason, str(bad), gateway)
        if not rows:
            return refuse(delivery, "no_value", "a message without rows", gateway)
        reception = reception_of(delivery, gateway)
        return [Item(gateway, self._said(look, reception), source, delivery) for look, source in rows]

    def _said(self, look: Look, reception: Reception) -> Said:
        try:
            values = tuple(_value(one, look) for one in self._fields.values)
            return ValueUplink(self._heard(look, reception), self._device(look), values)
        except BadUplink as bad:
            return Unreadable(bad.reason, str(bad))

    def _device(self, look: Look) -> str:
        said = self._fields.fixed_device or look(self._fields.device)
        device = str(said).strip() if isinstance(said, str | int) and not isinstance(said, bool) else ""
        if 0 < len(device) <= _LONGEST_DEVICE:
            return device
        raise BadUplink("bad_field", f"{self._fields.device} is {shown(said)}: expected a device's name")

    def _heard(self, look: Look, reception: Reception) -> Reception:
        """Date a row. A message is a spool: its rows were true when they say, however late they come."""
        if not self._fields.time:
            return reception
        said = look(self._fields.time)
        moment = self._moment(said)
        heard = dated(dataclasses.replace(reception, history=True), moment, ClockSource.RTC)
        if moment is None or heard.clock is ClockSource.NONE:
            raise BadUplink("bad_time", f"{self._fields.time} is {shown(said)}: not a time that can be true")
        return heard

    def _moment(self, said: object) -> datetime | None:
        form = self._fields.time_format
        if form == "unix":
            return unix(int(said) if isinstance(said, str) and said.isdecimal() and said.isascii() else said)
        if not isinstance(said, str):
            return None
        if form == "rfc3339":
            return rfc3339(said)
        try:
            return datetime.strptime(said.strip(), form).replace(tzinfo=self._zone)
        except ValueError:
            return None


def _value(one: FieldValue, look: Look) -> MeterValue:
    unit, factor = UNITS[one.unit]
    said = look(one.at)
    return MeterValue(
        Register.parse(one.register),
        number(said.strip() if isinstance(said, str) else said, one.at) * factor,
        unit,
    )


# --- rows ----------------------------------------------------------------------------------------


def _json_rows(delivery: Delivery, fields: FieldMap) -> Iterator[_Row]:
    for value, source in elements(delivery.payload):
        found = _at(value, fields.rows) if fields.rows else value
        for row in found if isinstance(found, list) else [found]:
            yield _json_look(row), source


def _json_look(row: object) -> Look:
    return lambda path: _at(row, path)


def _at(value: Any, path: str) -> Any:
    """Follow a path of keys and places, ``data.0.total``."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and step.isascii() and len(step) < 10:
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def _csv_rows(delivery: Delivery, fields: FieldMap) -> Iterator[_Row]:
    """Give the lines; a cell with a line break in it is not understood."""
    try:
        lines = [line for line in delivery.payload.decode("utf-8-sig").split("\n") if line.strip()]
    except UnicodeDecodeError as wrong:
        raise BadUplink("bad_line", f"not UTF-8 at byte {wrong.start}") from None
    header = [name.strip() for name in _cells(lines.pop(0), fields)] if fields.header and lines else []
    for line in lines:
        row = _cells(line.rstrip("\r"), fields)
        cells: dict[str, str] = {str(place): cell for place, cell in enumerate(row, 1)}
        cells |= dict(zip(header, row, strict=False))
        yield _csv_look(cells), line.encode()


def _cells(line: str, fields: FieldMap) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=fields.separator), [])
    except csv.Error as wrong:
        raise BadUplink("bad_line", f"not CSV: {wrong}") from None


def _csv_look(cells: Mapping[str, str]) -> Look:
    return cells.get


CARD = Card(
    name="field_map",
    says="Anything else in JSON or CSV: the route says where the device, the time and the values stand.",
    topics=("plant/+/values",),
    example=(
        "plant/north/values",
        '{"data": [{"serial": "A-17", "at": "02.01.2026 04:00", "m3": 7.71, "flow": "12"}]}',
    ),
    options=("fields", "zone"),
    sample=Options(
        zone=ZoneInfo("Europe/Warsaw"),
        fields=FieldMap(
            rows="data",
            device="serial",
            time="at",
            time_format="%d.%m.%Y %H:%M",
            values=(FieldValue("m3", "volume", "m3"), FieldValue("flow", "volume_flow", "L/h")),
        ),
    ),
    make=make,
)
