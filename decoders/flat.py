"""The flat JSON that users of wmbusmeters know, so that their dashboards go on working.

Field names, order of precedence and the oddities are theirs: numbers have six decimals at most and no
exponent, the pattern that means "invalid" in a binary register stays a number, a date of month 0 lies in
December of the year before, and a text date is printed as its bits stand. :func:`decoders.meaning.fields` is
the sane view.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

from decoders.fields import field_name, field_value
from decoders.matching import plain
from decoders.meaning import ABSENT, Absent, in_unit, stored, tell
from decoders.media import MEDIA, medium
from decoders.model import Field, Form, Join, Model
from decoders.telegram import Record, Telegram, Value
from decoders.wmbus.profile import expand
from decoders.wmbus.raw import REAL32
from decoders.words import joined, tpl_words
from metering.meter import MeterId
from metering.reading import utc

__all__ = ["Flat", "flat"]

Flat = dict[str, Decimal | str | None]
"""Numbers are decimals without exponent, to be written as they are."""

_AUTO = "auto"
"""Name of the meter's model where there is none."""

_SIX = Decimal("0.000001")
_WIDE = Context(prec=250)


def flat(telegram: Telegram, model: Model | None, *, received_at: datetime, name: str = "") -> Flat:
    """Tell a telegram as flat JSON.

    Args:
        telegram: decoded telegram.
        model: the meter's model; ``None`` = none is known: records get names by rule.
        received_at: time of reception, with its zone.
        name: what the user calls the meter.
    """
    values = dict(tell(telegram, model, FLAT).values) if model else _by_rule(telegram)
    status = values.pop("status", ABSENT)
    told: Flat = {
        "_": "telegram",
        "media": _media(telegram.meter, model),
        "meter": model.name if model else _AUTO,
        "name": name,
        "id": telegram.meter.serial.lower(),
    }
    told.update((key, written(key, value)) for key, value in values.items())
    if status is not ABSENT:
        told["status"] = written("status", status)
    told["timestamp"] = utc(received_at).strftime("%Y-%m-%dT%H:%M:%SZ")
    return told


def _by_rule(telegram: Telegram) -> dict[str, Value]:
    """Name the records of a meter without a model; of two with one name the first counts."""
    values: dict[str, Value] = {}
    for record in expand(telegram.records):
        values.setdefault(field_name(record), _value_by_rule(record))
    values["status"] = joined(Join.TPL, (), tpl_words(telegram.status or 0, None), ())
    return values


def _value_by_rule(record: Record) -> Value:
    return record.value if isinstance(record.value, date) else field_value(record)


# --- how values are written ----------------------------------------------------------------------


def written(name: str, value: Value) -> Decimal | str | None:
    if isinstance(value, Decimal):
        return _six_decimals(value)
    if isinstance(value, datetime) and not name.endswith("_date"):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, bytes):
        return value.hex().upper()
    return value if value is None or isinstance(value, str) else str(value)


def _six_decimals(value: Decimal) -> Decimal:
    rounded = value.quantize(_SIX, rounding=ROUND_HALF_EVEN, context=_WIDE).normalize(_WIDE)
    if rounded.is_zero():
        return Decimal(0)
    exponent = rounded.as_tuple().exponent
    whole = isinstance(exponent, int) and exponent > 0
    return rounded.quantize(Decimal(1), context=_WIDE) if whole else rounded


_RESERVED = frozenset({0x1D, 0x1F, 0x22, 0x23, 0x24, 0x26, 0x27, *range(0x2A, 0x36), *range(0x38, 0x40)})


def _media(meter: MeterId, model: Model | None) -> str:
    """Name the medium; some codes have got names in the standard since that table was made.

    Where the device type says nothing, the model of a meter that measures one medium only does.
    """
    code = int(meter.device_type, 16)
    if code in _RESERVED:
        return "reserved"
    if code == 0x25:
        return "customer unit (display device)"
    known = meter.device_type in MEDIA and code != 0x14
    if known or (code > 0x3F and medium(meter) != "unknown"):
        return medium(meter)
    return model.media[0] if model and len(model.media) == 1 else "Unknown"


# --- the view ------------------------------------------------------------------------------------


class _Bits(NamedTuple):
    """The parts of a date as its bits stand."""

    year: int
    month: int
    day: int
    hour: int = 0
    minute: int = 0
    second: int | None = None

    @property
    def possible(self) -> bool:
        return self.month <= 12 and self.hour <= 23 and self.minute <= 59


class _View:
    """Data as wmbusmeters reads them."""

    def number(self, field: Field, record: Record) -> Decimal | Absent | None:
        number = stored(record, signed=not field.unsigned)
        if number is None:
            if record.told:
                return field.flat_null
            return None if record.dib[0] & 0x0F == REAL32 else ABSENT
        if field.raw:
            return number
        if record.told:
            return in_unit(field, number, record.unit)
        alone = plain(record.vib)
        return in_unit(field, alone.scale(number), alone.unit)

    def moment(self, field: Field, record: Record) -> Value | Absent:
        if record.told:
            return _as_told(field, record.value)
        bits = _bits(record.data)
        if bits is None:
            return ABSENT
        if field.form is Form.MOMENT:
            return _calendar(bits) if bits.possible else None
        return _as_it_stands(bits, field.form) if bits.possible else ""

    def nothing(self, field: Field) -> Value:
        return field.flat_null


FLAT = _View()


def _as_told(field: Field, value: Value) -> Value | Absent:
    """Tell a date that a payload reader made."""
    if field.form is Form.MOMENT or not isinstance(value, date):
        return value if field.form is Form.MOMENT or value is not None else ""
    time_of_day = value.strftime(" %H:%M") if isinstance(value, datetime) else ""
    return f"{value:%Y-%m-%d}" + (time_of_day if field.form is Form.DATETIME else "")


def _bits(data: bytes) -> _Bits | None:
    """Take types G, F and I apart by their length; other lengths hold no date."""
    if len(data) == 2:
        return _Bits(*_day(data))
    if len(data) == 4:
        return _Bits(*_day(data[2:]), data[1] & 0x1F, data[0] & 0x3F)
    if len(data) == 6:
        return _Bits(*_day(data[3:]), data[2] & 0x1F, data[1] & 0x3F, data[0] & 0x3F)
    return None


def _day(data: bytes) -> tuple[int, int, int]:
    return 2000 + (data[0] >> 5 | (data[1] & 0xF0) >> 1), data[1] & 0x0F, data[0] & 0x1F


def _calendar(bits: _Bits) -> datetime:
    """Give the point in time; month 0 is December of the year before, day 0 the last of the month before."""
    years, month = divmod(bits.month - 1, 12)
    first = datetime(bits.year + years, month + 1, 1, bits.hour, bits.minute)  # noqa: DTZ001  meter-local
    return first + timedelta(days=bits.day - 1)


def _as_it_stands(bits: _Bits, form: Form) -> str:
    day = f"{bits.year:04}-{bits.month:02}-{bits.day:02}"
    if form is Form.DATE:
        return day
    seconds = "" if bits.second is None else f":{bits.second:02}"
    return f"{day} {bits.hour:02}:{bits.minute:02}{seconds}"
