"""What the meters say: records out of the dial, wrapped and encrypted as each kind of meter does it.

Sources: EN 13757-3 (records), EN 13757-4 (extended link layer), EN 13757-7 and OMS Vol. 2 (security modes
5 and 7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from decoders.build import EllSpec, build
from decoders.wmbus.encode import record
from metering.reading import Function
from service.demo.town import PULSE_LITRES, ZONE, Dial, House, Kind

__all__ = ["Transmitter", "pulse_total"]

_INT8, _INT16, _INT32, _BCD8 = 0x1, 0x2, 0x4, 0xC
_VOLUME, _FORWARD, _BACKWARD = b"\x13", b"\x93\x3b", b"\x93\x3c"
_FLOW, _WATER_TEMPERATURE, _ROOM_TEMPERATURE = b"\x3b", b"\x59", b"\x67"
_DATE, _DATETIME = b"\x6c", b"\x6d"
_FABRICATION_NUMBER, _ERROR_FLAGS, _BATTERY_DAYS = b"\x78", b"\xfd\x17", b"\xfd\x74"
_KAMSTRUP_STATUS = b"\xff\x20"

_SND_NR = 0x44
_ELL_SYNCHRONOUS = 0x20
_SESSION_ENCRYPTED = 1 << 29
_FIRST_MONTH, _MONTHS = 8, 12
"""Storage numbers of the month-end indices: 8 = newest to 19 = oldest."""


class Transmitter:
    """The radio of one meter: numbers its telegrams and encrypts with the meter's own key."""

    def __init__(self, house: House, seed: int) -> None:
        self._house = house
        self._sent = Random(f"{seed}/access/{house.number}").randrange(256)

    def frame(self, moment: datetime) -> bytes:
        """Give the next telegram, with the dial as it stands at that moment; no link-layer checksums."""
        self._sent += 1
        house = self._house
        payload = _PAYLOADS[house.model.kind](house, moment)
        if house.model.kind is Kind.LINK:
            return self._link_encrypted(payload)
        if house.model.kind is Kind.AUTHENTICATED:
            return self._authenticated(payload)
        return build(
            house.meter,
            payload,
            control=_SND_NR,
            header="short",
            access=self._sent % 256,
            mode=5,
            key=house.key,
        )

    def _authenticated(self, payload: bytes) -> bytes:
        return build(
            self._house.meter,
            payload,
            control=_SND_NR,
            header="short",
            access=self._sent % 256,
            mode=7,
            key=self._house.key,
            counter=self._sent,
            ell=EllSpec(ci=0x8C, cc=_ELL_SYNCHRONOUS, access=self._sent % 256),
        )

    def _link_encrypted(self, payload: bytes) -> bytes:
        # Every telegram its own session number: a repeated one would repeat the key stream.
        session = _SESSION_ENCRYPTED | self._sent
        return build(
            self._house.meter,
            payload,
            control=_SND_NR,
            header="none",
            key=self._house.key,
            ell=EllSpec(ci=0x8D, cc=_ELL_SYNCHRONOUS, access=self._sent % 256, session=session),
        )


def pulse_total(house: House, moment: datetime) -> int:
    """Pulses a mechanical meter has given since it was installed."""
    return house.dial.litres(moment) // PULSE_LITRES - house.dial.start_litres // PULSE_LITRES


def _target(house: House, moment: datetime) -> bytes:
    due = _month_begin(moment)
    return b"".join(
        (
            _volume(house.dial, moment),
            _volume(house.dial, due, storage=1),
            record(_DATE, due.date(), field=_INT16, storage=1),
            _flow(house.dial, moment),
            record(_ERROR_FLAGS, Decimal(0), field=_INT16),
        )
    )


def _flow_only(house: House, moment: datetime) -> bytes:
    return _volume(house.dial, moment) + _flow(house.dial, moment)


def _both_directions(house: House, moment: datetime) -> bytes:
    dial = house.dial
    clock = moment.astimezone(ZONE).replace(second=0, microsecond=0, tzinfo=None)
    water = Decimal("11.40") if dial.flow_l_h(moment) else Decimal("18.60")
    return b"".join(
        (
            record(_DATETIME, clock, field=_INT32),
            _volume(dial, moment),
            record(_FORWARD, _m3(dial.litres(moment)), field=_INT32),
            record(_BACKWARD, Decimal(0), field=_INT32),
            _flow(dial, moment),
            record(_WATER_TEMPERATURE, water, field=_INT16),
            record(_BATTERY_DAYS, Decimal(3650) * 86400, field=_INT16),
        )
    )


def _link(house: House, moment: datetime) -> bytes:
    return b"".join(
        (
            record(_KAMSTRUP_STATUS, Decimal(0), field=_INT16),
            _volume(house.dial, moment),
            _volume(house.dial, _month_begin(moment), storage=1),
            record(b"\x5b", Decimal(9), field=_INT8, function=Function.MINIMUM, storage=1),
            record(_ROOM_TEMPERATURE, Decimal(17), field=_INT8, function=Function.MINIMUM, storage=1),
        )
    )


def _months(house: House, moment: datetime) -> bytes:
    ends = [_month_begin(moment)]
    while len(ends) < _MONTHS:
        ends.append(_month_begin(ends[-1] - timedelta(days=1)))
    return b"".join(
        (
            record(_FABRICATION_NUMBER, house.meter.serial, field=_BCD8),
            _volume(house.dial, moment),
            record(_DATE, ends[0].date(), field=_INT16, storage=_FIRST_MONTH),
            *(_volume(house.dial, end, storage=_FIRST_MONTH + age) for age, end in enumerate(ends)),
        )
    )


_PAYLOADS: Mapping[Kind, Callable[[House, datetime], bytes]] = {
    Kind.TARGET: _target,
    Kind.FLOW: _flow_only,
    Kind.AUTHENTICATED: _both_directions,
    Kind.LINK: _link,
    Kind.MONTHS: _months,
}


def _volume(dial: Dial, moment: datetime, storage: int = 0) -> bytes:
    return record(_VOLUME, _m3(dial.litres(moment)), field=_INT32, storage=storage)


def _flow(dial: Dial, moment: datetime) -> bytes:
    return record(_FLOW, _m3(dial.flow_l_h(moment)), field=_INT16)


def _m3(litres: int) -> Decimal:
    return Decimal(litres).scaleb(-3)


def _month_begin(moment: datetime) -> datetime:
    """Give the local midnight that began the month of a moment."""
    return moment.astimezone(ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
