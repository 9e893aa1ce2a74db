"""Shelly Gen2+ inputs of type ``count`` (Plus Uni): ``<id>/events/rpc``.

::

    {"src":"shellyplusuni-...","method":"NotifyStatus",
     "params":{"ts":1754010420.05,"input:2":{"counts":{"total":41,"xtotal":4.1}}}}
    {"id":1,"src":"...","result":{"id":2,"counts":{"total":41}}}            (answer to Input.GetStatus)

Updates are partial: one without ``counts.total`` says nothing of the counter. ``total`` is taken, never
``xtotal``, which is a formula somebody typed. ``ts`` is UTC; null before the clock is set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.adapters.card import Card, without_options
from ingest.adapters.objects import Fields, inside, read_objects, shown, whole
from ingest.adapters.times import dated, unix
from ingest.items import Delivery, Item, Said
from metering.uplink import BadUplink, ClockSource, PulseUplink, Reception

__all__ = ["CARD", "METHODS", "read"]

METHODS = ("NotifyStatus", "NotifyFullStatus")
"""Notifications that carry the state of inputs."""

_INPUT = re.compile(r"input:([0-9]{1,3})", re.ASCII)


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a notification or an answer."""
    return read_objects(delivery, name, _message)


def _message(fields: Fields, reception: Reception) -> Sequence[Said]:
    if fields.get("method") in METHODS:
        return list(_inputs(inside(fields, "params"), reception))
    if "result" in fields:
        return list(_answer(inside(fields, "result"), reception))
    if "method" in fields:
        return []  # NotifyEvent and the like: a button, not a counter
    raise BadUplink("unknown_format", "neither a notification nor an answer of a Shelly device")


def _inputs(params: Fields, reception: Reception) -> Iterator[Said]:
    heard = dated(reception, unix(params.get("ts")), ClockSource.NTP)
    for key in params:
        if match := _INPUT.fullmatch(key):
            yield from _total(match[1], inside(params, key), heard)


def _answer(result: Fields, reception: Reception) -> Iterator[Said]:
    if "id" in result:
        yield from _total(str(whole(result["id"], "id")), result, reception)
        return
    yield from _inputs(result, reception)  # Shelly.GetStatus: all components, no ts


def _total(channel: str, state: Fields, heard: Reception) -> Iterator[PulseUplink]:
    counts = state.get("counts")
    if isinstance(counts, dict) and "total" in counts:
        yield PulseUplink(heard, channel, whole(counts["total"], "counts.total"))
    elif counts is not None and not isinstance(counts, dict):
        raise BadUplink("bad_field", f"counts is {shown(counts)}: expected an object")


CARD = Card(
    name="shelly",
    says="Shelly Gen2 and later: counting inputs, from notifications and answers.",
    topics=("+/events/rpc",),
    example=(
        "shellyplusuni-a0b1c2d3e4f5/events/rpc",
        (
            '{"src": "shellyplusuni-a0b1c2d3e4f5", "dst": "x/events", "method": "NotifyStatus", "params": '
            '{"ts": 1767323045.05, "input:2": {"counts": {"by_minute": [0, 0, 0], "minute_ts": 1767323040, '
            '"total": 41, "xtotal": 4.1}}}}'
        ),
    ),
    make=without_options(read),
)
