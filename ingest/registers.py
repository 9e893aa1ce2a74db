"""Telegrams and pulses -> readings and details.

When a register had its value: a telegram speaks of now, so the time it was heard counts, whatever the
meter's own clock says. A value kept in storage (last due date, end of month, ...) has the date the same
telegram gives for that storage. Meters know local time only; it is taken in the utility's zone. A local
time that happens twice is the first of the two, one that does not happen is read with the offset before the
gap (PEP 495, fold 0).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from zoneinfo import ZoneInfo

from decoders import Record, Telegram
from decoders.model import Model
from ingest.local_dates import AHEAD, in_zone, plain_dates
from ingest.model_values import model_values
from ingest.quality import quality_of
from ingest.status import status_flags
from metering.meter import PulseInput
from metering.ports import ArchivedTelegram
from metering.quick_readings import quick_provenance, quick_reading
from metering.reading import Detail, Function, Provenance, Reading, Register, Way, exact
from metering.status import STATUS
from metering.uplink import PulseUplink

__all__ = [
    "AHEAD",
    "DECODER",
    "decoder_of",
    "in_zone",
    "plain_dates",
    "pulse_reading",
    "quality_of",
    "readings_of",
]

DECODER = f"nurt {version('nurt')}"
"""Version of the decoding rules, kept with every reading."""

_VOLUME = Register("volume")


def readings_of(
    telegram: Telegram, archived: ArchivedTelegram, zone: ZoneInfo, model: Model | None = None
) -> tuple[list[Reading], list[Detail]]:
    """Give the readings (numbers) and details (dates, texts, bytes) of a decoded telegram.

    Args:
        telegram: decoded.
        archived: the same telegram in the archive: its number, whose it is, when and by whom it was heard.
        zone: the utility's zone, in which meters give their dates.
        model: the meter's model; ``None`` = standard records.
    """
    reception, heard_at = archived.receptions[0][0], archived.heard_at
    meter, received_at = archived.meter, reception.received_at
    named = model.name if model else None
    provenance = quick_provenance(archived.id, reception.gateway, named, decoder_of(model))
    way = Way.WIRED if telegram.wired else Way.RADIO
    dates = _storage_dates(telegram.records, heard_at, zone)
    readings: list[Reading] = []
    details: list[Detail] = []
    for record in telegram.records:
        value = record.value
        if isinstance(value, Decimal):
            dated = dates.get(record.storage) if dates else None
            readings.append(
                quick_reading(
                    meter,
                    _register_of(record),
                    exact(value),
                    record.unit,
                    dated or heard_at,
                    received_at,
                    way,
                    quality_of(record.function, reception, dated=dated is not None),
                    provenance,
                )
            )
        elif value is not None:
            details.append(Detail(meter, record.register, _text(value), heard_at, archived.id))
    if model is not None:
        for register, number, unit, storage in model_values(telegram, model):
            dated = dates.get(storage)
            readings.append(
                quick_reading(
                    meter,
                    register,
                    exact(number),
                    unit,
                    dated or heard_at,
                    received_at,
                    way,
                    quality_of(register.function, reception, dated=dated is not None),
                    provenance,
                )
            )
    if flags := status_flags(telegram, model):
        quality = quality_of(Function.INSTANTANEOUS, reception, dated=False)
        number = Decimal(flags.value)
        readings.append(
            quick_reading(meter, STATUS, number, "", heard_at, received_at, way, quality, provenance)
        )
    return readings, details


def _text(value: bytes | str | date | time) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str) else value.isoformat()


_plain: dict[tuple[str, int, int, int], Register] = {}
"""Registers without tariff, subunit and qualifiers, as nearly all are; see :func:`_register_of`."""
_MOST_PLAIN = 4096


def _register_of(record: Record) -> Register:
    """Give the register of a record, equal ones as one object: whoever asks for its number asks by object."""
    if record.tariff or record.subunit or record.qualifiers:
        return _one_of_its_kind(record.register)
    # an enumeration by object: its hash is computed in Python
    key = (record.quantity, id(record.function), record.storage, record.occurrence)
    known = _plain.get(key)
    if known is None:
        if len(_plain) >= _MOST_PLAIN:
            _plain.clear()
        known = _plain[key] = _one_of_its_kind(record.register)
    return known


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
