"""Elvaco CMe3100, report template 4001: wired M-Bus telegrams as text rows.

::

    <base>/ecmXv1.0/CMe3100/4001/<serial number>/<meter id>
    serial-number;device-identification;created;value-data-count;mbus-raw-value
    00000161;05047168;2009-12-17 00:00:00;00;08147268710405ac48...

``mbus-raw-value`` is C, A, CI and data; the long frame (``68 L L 68 ... CS 16``) is built around it again.
``created`` is the gateway's local time and names no zone: it counts only if the route says ``zone``.
Without it, the newest row of each device is taken as of now, and older rows of the same message are
refused: nobody could tell when they were true.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from decoders.wmbus import wired
from ingest.adapters.card import Adapter, Card, Options
from ingest.adapters.lines import gateway_name
from ingest.adapters.objects import reception_of, refuse
from ingest.adapters.times import dated
from ingest.items import Delivery, Item, Said, Unreadable
from metering.errors import InvalidValue
from metering.uplink import ClockSource, FrameUplink, Reception

__all__ = ["CARD", "HEADER", "make"]

HEADER = "serial-number;device-identification;created;value-data-count;mbus-raw-value"
"""The first line of every report."""

_COLUMNS = HEADER.count(";") + 1


def make(options: Options) -> Adapter:
    """Give the adapter for gateways whose clock shows ``options.zone``."""
    return lambda delivery, name: _read(delivery, name, options.zone)


def _read(delivery: Delivery, name: str, zone: ZoneInfo | None) -> Sequence[Item]:
    gateway = gateway_name(name)
    if gateway is None:
        return refuse(delivery, "bad_topic", f"topic level {name[:80]!a} cannot name a gateway")
    lines = delivery.payload.decode("latin-1").split("\n")  # each row keeps its own bytes
    if lines[0].strip() != HEADER:
        return refuse(delivery, "unknown_format", f"the report does not begin with {HEADER}", gateway)
    rows = [line.strip() for line in lines[1:] if line.strip()]
    if not rows:
        return refuse(delivery, "no_value", "a report without rows", gateway)
    newest = _newest(rows)
    reception = reception_of(delivery, gateway)
    said = [(row, _row(row, reception, zone, newest)) for row in rows]
    return [Item(gateway, one, row.encode("latin-1"), delivery) for row, one in said]


def _newest(rows: Sequence[str]) -> dict[str, str]:
    """Give the latest ``created`` of each device; the text sorts as the time does."""
    newest: dict[str, str] = {}
    for _, device, created, *_ in _split(rows):
        newest[device] = max(created, newest.get(device, ""))
    return newest


def _split(rows: Sequence[str]) -> Iterator[list[str]]:
    return (cells for row in rows if len(cells := row.split(";")) == _COLUMNS)


def _row(row: str, reception: Reception, zone: ZoneInfo | None, newest: dict[str, str]) -> Said:
    cells = row.split(";")
    if len(cells) != _COLUMNS:
        return Unreadable("bad_line", f"{row[:64]!a} has {len(cells)} columns, not {_COLUMNS}")
    _, device, created, _, raw = cells
    try:
        frame = wired.encode(bytes.fromhex(raw))
    except (ValueError, InvalidValue):
        return Unreadable("bad_hex", f"mbus-raw-value {raw[:64]!a} is not a telegram in hexadecimal")
    if zone is None and created != newest[device]:
        return Unreadable("bad_time", f"created {created[:20]!a} names no zone; set zone on the route")
    return FrameUplink(reception if zone is None else _created(reception, created, zone), frame)


def _created(reception: Reception, created: str, zone: ZoneInfo) -> Reception:
    """A report is a spool: its rows were read at ``created``, however late they come."""
    try:
        local = datetime.strptime(created, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        return reception
    return dated(dataclasses.replace(reception, history=True), local, ClockSource.RTC)


CARD = Card(
    name="elvaco",
    says="Elvaco CMe3100, MQTT report template 4001: wired telegrams in rows; a base topic may go before.",
    topics=("ecmXv1.0/CMe3100/4001/+/+",),
    example=(
        "ecmXv1.0/CMe3100/4001/0016123456/12345678",
        HEADER + "\n00000161;12345678;2026-01-02 03:00:00;00;08007278563412430401070100000004131e1e0000",
    ),
    options=("zone",),
    make=make,
)
