"""Telegrams and pulses -> readings and details.

When a register had its value: a telegram speaks of now, so the time it was heard counts, whatever the
meter's own clock says. A value kept in storage (last due date, end of month, ...) has the date the same
telegram gives for that storage. Meters know local time only; it is taken in the utility's zone. A local
time that happens twice is the first of the two, one that does not happen is read with the offset before the
gap (PEP 495, fold 0).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from typing import NamedTuple
from zoneinfo import ZoneInfo

from decoders import Record, Telegram
from decoders.model import Model
from ingest.local_dates import AHEAD, in_zone, plain_dates
from ingest.model_values import model_values
from ingest.quality import quality_of
from ingest.status import status_flags
from metering.meter import MeterId, PulseInput
from metering.ports import ArchivedTelegram
from metering.reading import Detail, Function, Provenance, Quality, Reading, Register, Way, exact
from metering.sheets import Line, Sheet
from metering.status import STATUS
from metering.uplink import PulseUplink, Reception

__all__ = [
    "AHEAD",
    "DECODER",
    "PartOf",
    "decoder_of",
    "in_zone",
    "plain_dates",
    "pulse_reading",
    "quality_of",
    "readings_of",
    "sheet_of",
]

DECODER = f"nurt {version('nurt')}"
"""Version of the decoding rules, kept with every reading."""

_VOLUME = Register("volume")
_UNDATED = -1
"""No storage: as of the time it was heard."""


class PartOf(NamedTuple):
    """What a telegram is a part of.

    Attributes:
        message: all the telegrams in one; what it says of dates holds for each of them.
        first: this is the first of them; what only a model tells of the message is told with it.
    """

    message: Telegram
    first: bool


def readings_of(
    telegram: Telegram,
    archived: ArchivedTelegram,
    zone: ZoneInfo,
    model: Model | None = None,
    of: PartOf | None = None,
) -> tuple[list[Reading], list[Detail]]:
    """Give the readings (numbers) and details (dates, texts, bytes) of a decoded telegram.

    Args:
        telegram: decoded.
        archived: the same telegram in the archive: its number, whose it is, when and by whom it was heard.
        zone: the utility's zone, in which meters give their dates.
        model: the meter's model; ``None`` = standard records.
        of: the message of several telegrams that it is a part of, if it is.
    """
    reception = archived.receptions[0][0]
    sheet = sheet_of(telegram, archived.meter, reception, archived.heard_at, zone, model, of)
    return sheet.readings(archived.id), sheet.details(archived.id)


def sheet_of(  # noqa: PLR0913, PLR0917  what readings_of takes, before there is an archive number
    telegram: Telegram,
    meter: MeterId,
    reception: Reception,
    heard_at: datetime,
    zone: ZoneInfo,
    model: Model | None = None,
    of: PartOf | None = None,
) -> Sheet:
    """Give the same as :func:`readings_of` before the telegram has its number.

    Args:
        telegram: decoded.
        meter: whose it is.
        reception: the first one.
        heard_at: when it was heard, UTC.
        zone: as there.
        model: as there.
        of: as there.
    """
    said = of.message if of else telegram
    numbers = [record for record in telegram.records if isinstance(record.value, Decimal)]
    bare = of is None and len(numbers) == len(telegram.records)  # no record can tell a date
    dates = {} if bare else _storage_dates(said.records, heard_at, zone)
    heard = quality_of(Function.INSTANTANEOUS, reception, dated=False)
    lines = [_line_of(one, Quality.RAW if one.storage in dates else heard) for one in numbers]
    values = [exact(one.value) for one in numbers]  # type: ignore[arg-type]  # those that are numbers
    moments = [dates.get(one.storage, heard_at) for one in numbers] if dates else []
    for line, value, storage in _told(
        telegram, model, heard, dates, said if of is None or of.first else None
    ):
        lines.append(line)
        values.append(exact(value))
        if dates:
            moments.append(dates.get(storage, heard_at))
    return Sheet(
        meter,
        tuple(lines),
        values,
        heard_at,
        moments or None,
        reception.received_at,
        Way.WIRED if telegram.wired else Way.RADIO,
        reception.gateway,
        model.name if model else None,
        decoder_of(model),
        () if bare else _texts(telegram.records),
    )


def _told(
    telegram: Telegram,
    model: Model | None,
    heard: Quality,
    dates: Mapping[int, datetime],
    message: Telegram | None,
) -> Iterator[tuple[Line, Decimal, int]]:
    """Give what no record says by itself: line, value, and the storage whose date it has."""
    if model is not None and message is not None:
        for register, number, unit, storage in model_values(message, model):
            quality = Quality.RAW if storage in dates else heard
            yield (
                _line(_one_of_its_kind(register), unit, _of_function(register.function, quality)),
                number,
                storage,
            )
    if flags := status_flags(telegram, model):
        yield _line(STATUS, "", heard), Decimal(flags.value), _UNDATED


def _texts(records: Iterable[Record]) -> list[tuple[Register, str]]:
    """Give what records say besides numbers."""
    return [
        (record.register, _text(record.value))
        for record in records
        if record.value is not None and not isinstance(record.value, Decimal)
    ]


def _text(value: bytes | str | date | time) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str) else value.isoformat()


_plain: dict[tuple[object, ...], Line] = {}
"""Lines of registers without tariff, subunit and qualifiers, as nearly all are; see :func:`_line_of`."""
_MOST_PLAIN = 4096


def _line_of(record: Record, quality: Quality) -> Line:
    """Give the line of a record, equal ones as one object: whoever asks for its number asks by object."""
    if record.tariff or record.subunit or record.qualifiers:
        return _line(_one_of_its_kind(record.register), record.unit, _of_function(record.function, quality))
    # enumerations by object: their hash is computed in Python
    function = record.function
    key = (record.quantity, id(function), record.storage, record.occurrence, record.unit, id(quality))
    known = _plain.get(key)
    if known is None:
        if len(_plain) >= _MOST_PLAIN:
            _plain.clear()
        register = _one_of_its_kind(record.register)
        known = _plain[key] = _line(register, record.unit, _of_function(function, quality))
    return known


def _of_function(function: Function, quality: Quality) -> Quality:
    """Give the quality of a value: what the meter itself marks is marked, however it was heard."""
    return Quality.METER_ERROR if function is Function.ERROR else quality


@functools.lru_cache(maxsize=4096)
def _line(register: Register, unit: str, quality: Quality) -> Line:
    """Give equal lines as one object."""
    return Line(register, unit, quality)


@functools.lru_cache(maxsize=4096)
def _one_of_its_kind(register: Register) -> Register:
    """Give equal registers as one object."""
    return register


@functools.cache
def decoder_of(model: Model | None) -> str:
    """Give the version of the rules: this release, and the revision of the model's file."""
    return f"{DECODER}/{model.revision[:8]}" if model else DECODER


def pulse_reading(uplink: PulseUplink, wired: PulseInput) -> Reading | None:
    """Give the index a counter state stands for; ``None`` below the counter's start (it was reset)."""
    index = wired.index_m3(uplink.total)
    if index is None:
        return None
    reception = uplink.reception
    return Reading(
        wired.meter,
        _VOLUME,
        index,
        "m3",
        reception.heard_at,
        reception.received_at,
        Way.PULSE,
        quality_of(Function.INSTANTANEOUS, reception, dated=False),
        Provenance(None, reception.gateway, None, DECODER),
    )


def _storage_dates(records: Iterable[Record], heard_at: datetime, zone: ZoneInfo) -> Mapping[int, datetime]:
    """Give the time of each storage that says its time: its first plain date or date and time record."""
    dates: dict[int, datetime] = {}
    for storage, said in plain_dates(records):
        moment = None if storage in dates else in_zone(said, zone)
        if moment is not None and moment <= heard_at + AHEAD:
            dates[storage] = moment
    return dates
