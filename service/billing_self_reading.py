"""Customers' states, judged and kept: what was typed, by whom, what came of it, when it was taken over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from billing_bridge.boundary import Boundary
from billing_bridge.judge import newest
from billing_bridge.record import opened
from billing_bridge.self_reading import (
    Answer,
    Channel,
    Entered,
    Known,
    SelfReading,
    enter,
)
from metering.billing import ReadState
from metering.billing_customers import ToldState
from metering.consumption import IndexPoint, Limits, Segment, joined
from metering.errors import InvalidValue
from metering.meter import Installation
from metering.ports import Clock, Store, Transaction
from metering.reading import Register
from service.settings_model import Settings

__all__ = ["SelfReadings", "Taken"]

_VISITS = frozenset({"visit", "reader"})
_SILENT = timedelta(days=400)
"""How long a meter may be silent and still be asked what it said last."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an entry.

    Attributes:
        entry: as it was judged.
        meter_label: whose dial, for people.
        window: id of the window it belongs to.
        number: of the state as it is kept.
    """

    entry: Entered
    meter_label: str
    window: str
    number: int


class SelfReadings:
    """States of one utility's customers."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        """Prepare; nothing is read."""
        self._store = store
        self._zone = ZoneInfo(settings.ingest.zone)
        self._window = settings.billing.self_reading_window()
        self._rules = settings.billing.self_reading_rules(settings.ingest.zone)
        utility = settings.billing.utility(settings.ingest.zone)
        self._register, self._near = utility.register, utility.arbitration.radio
        self._clock = clock

    def window(self) -> tuple[str, bool]:
        """Give the id of the window that is open, or of the next one, and whether it is open now."""
        today = self._clock.now().astimezone(self._zone).date()
        first, last = self._window.days(today)
        return f"{first.isoformat()}..{last.isoformat()}", first <= today <= last

    def enter(  # noqa: PLR0913  an entry, in full
        self,
        service_point: str,
        typed: str,
        *,
        by: str,
        channel: Channel,
        photo: str = "",
        at: datetime | None = None,
    ) -> Taken:
        """Judge what a customer typed or told, and keep it, whatever comes of it.

        Args:
            service_point: whose dial.
            typed: the state, as typed.
            by: who entered it: the customer's code, or the clerk who took the call.
            channel: by which way.
            photo: reference of a photo.
            at: when the dial was read, UTC; now if not said.

        Raises:
            InvalidValue: no meter hangs there, or the time lies ahead.
        """
        now = self._clock.now()
        read_at = at or now
        if read_at > now:
            raise InvalidValue("a state cannot be from the future")
        window, _open = self.window()
        with self._store.writing() as tx:
            hung = _hanging(tx, service_point, read_at)
            known = self._known(tx, hung, read_at)
            before = tx.customers.states_at(service_point, window)
            so_far = SelfReading(
                tuple(_entered(one) for one in before if one.channel not in _VISITS),
                next(
                    (one.accepted_at for one in before if one.accepted_at and one.channel not in _VISITS),
                    None,
                ),
            )
            entry = Entered(typed[:200], read_at, by, channel, photo=photo)
            judged = enter(so_far, entry, known, self._window, self._rules).entries[-1]
            (number,) = tx.customers.add_states([self._state(hung, judged, window, now)])
            meter = tx.registry.meters([hung.meter]).get(hung.meter)
        return Taken(judged, (meter.label if meter else "") or hung.meter.serial, window, number)

    def accept(self, number: int) -> bool:
        """Take a state over: from now on it counts for the bill and cannot be edited.

        Of several entries of one window the last one received counts. Gives whether it was taken.
        """
        with self._store.writing() as tx:
            return tx.customers.accept_state(number, self._clock.now())

    def accept_due(self) -> int:
        """Take over the newest received state of every window that is closed. Gives how many."""
        window, is_open = self.window()
        with self._store.writing() as tx:
            waiting = [one for one in tx.customers.waiting_states() if not (is_open and one.window == window)]
            newest_of = {
                (one.service_point, one.window): one.number for one in waiting if one.channel not in _VISITS
            }
            return sum(tx.customers.accept_state(one, self._clock.now()) for one in newest_of.values())

    def history(self, service_point: str) -> Sequence[ToldState]:
        """Give everything told at a service point, refused entries too: evidence in a complaint."""
        with self._store.reading() as tx:
            return tx.customers.states_at(service_point)

    def _state(self, hung: Installation, judged: Entered, window: str, now: datetime) -> ToldState:
        return ToldState(
            meter=hung.meter,
            service_point=hung.service_point,
            register=self._register.key,
            read_at=judged.at,
            value=judged.value,
            typed=judged.text,
            channel=judged.channel.value,
            by=judged.by,
            entered_at=now,
            answer=judged.answer.value,
            reference=judged.photo,
            told=orjson.dumps(dict(judged.told or {}), default=str).decode(),
            window=window,
        )

    def _known(self, tx: Transaction, hung: Installation, at: datetime) -> Known:
        facts = tx.customers.meter_facts([hung.meter]).get(hung.meter)
        booked, usual = _booked(tx, hung, at)
        sent = _sent(tx, hung, self._register, at)
        base = (booked.index, booked.at) if booked else None
        if sent is not None and sent.at < at - self._near:
            # silent since: what it sent last is where the customer's state goes on from
            base, sent = max(base or (sent.value, sent.at), (sent.value, sent.at)), None
        return Known(
            zone=self._zone,
            booked=base[0] if base else None,
            booked_at=base[1] if base else None,
            sent=sent.value if sent else None,
            usual_m3_per_day=usual,
            digits=facts.digits if facts else None,
        )


def _hanging(tx: Transaction, service_point: str, at: datetime) -> Installation:
    for one in tx.billing.installed_at([service_point]).get(service_point, ()):
        if one.valid_from <= at and (one.valid_to is None or at < one.valid_to):
            return one
    raise InvalidValue(f"no meter hangs at service point {service_point[:60]!r}")


def _booked(tx: Transaction, hung: Installation, at: datetime) -> tuple[Boundary | None, Decimal | None]:
    """Give the last booked index of the meter, and what is usual there."""
    since = at - timedelta(days=800)
    reads = tx.billing.reads_at([hung.service_point], since, at).get(hung.service_point, ())
    billed = [opened(one) for one in newest(reads, ReadState.BILLED).values()]
    closings = [part.closing for one in billed for part in one.segments if part.meter == hung.meter]
    last = max(closings, key=lambda one: one.at, default=None)
    days = sum((one.period.end - one.period.start for one in billed), timedelta(0))
    used = sum((one.gross_m3 for one in billed), Decimal(0))
    usual = used / Decimal(max(days // timedelta(days=1), 1)) if billed else None
    return last, usual


def _sent(tx: Transaction, hung: Installation, register: Register, at: datetime) -> IndexPoint | None:
    """Give the last index the meter sent, of reads that its line believes."""
    since = at - _SILENT
    points = tx.billing.index_points([hung.meter], register, since, at).get(hung.meter, ())
    lines = joined([Segment(points, Limits.of_water_m3(), hung.valid_from, hung.valid_to)]).lines
    return lines[-1][-1] if lines else None


def _entered(state: ToldState) -> Entered:
    told: dict[str, Any] = orjson.loads(state.told)
    channel = Channel(state.channel)
    answer = Answer(state.answer)
    return Entered(state.typed, state.read_at, state.by, channel, answer, state.value, told, state.reference)
