"""The counter states of one batch: whose they are, and the index they stand for.

A counter that says less than before was reset, or forgot its last pulses with the power. Its count goes on
from where it was: from then on what it lost is added (:class:`~metering.device.PulseReset`). So a reset is
neither consumption nor backflow; the pulses it did not see are missing, and no more. The registration of
the input stays as the operator wrote it, and one that begins later forgets the resets before it.

States may come late: with several workers two messages of a gateway may change places. One between two
others is taken if it fits there. One next to a reset tells more of it: how far the counter had come, or that
it began again earlier; the pulses seen so are added to all that came later. One that would make the index
fall is refused otherwise, since it can only be true if a reset happened that nobody has seen. Without a clock
of the gateway's own a fall within seconds is no reset but two messages that changed places. A counter that
keeps falling counts differences, not pulses (Tasmota SetOption79), and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ingest.books import Books
from ingest.registers import pulse_reading
from metering.device import PulseReset, PulseState
from metering.meter import PulseInput
from metering.ports import Outcome, Transaction
from metering.reading import Reading, Register, Way, exact
from metering.uplink import BadUplink, PulseUplink

__all__ = ["take_pulses"]

_VOLUME = Register("volume")
_MOST_RESETS = 3
"""In a day; a device that restarts more often is broken, or counts differences."""
_DAY = timedelta(days=1)
_AROUND = timedelta(days=7)
"""How far from a late state its neighbours are looked for."""
_UNSURE = timedelta(seconds=30)
"""So long after a state a lower one is not believed to come after it, if only our own clocks say so."""
_MOST_RAISED = 5000
"""Later readings that are raised when a late state tells more of a reset; beyond, it is refused."""
_TICK = timedelta(microseconds=1)


def take_pulses(uplinks: Mapping[int, PulseUplink], books: Books, transaction: Transaction) -> None:
    """Settle every counter state of a batch, in the order they were heard; ``uplinks`` by place."""
    if not uplinks:
        return
    counters = _Counters(uplinks.values(), transaction)
    for place, uplink in sorted(uplinks.items(), key=lambda pair: (pair[1].reception.heard_at, pair[0])):
        wired = counters.wired(uplink)
        if wired is None:
            books.nobodys(place)
            continue
        try:
            reading = counters.take(uplink, wired)
        except BadUplink as bad:
            books.quarantine(place, bad.reason, str(bad))
            continue
        books.settle(place, Outcome.STORED)
        books.remember(place)
        books.keep([reading])
    counters.close()


class _Counters:
    """The pulse inputs of a batch, as registered and as they stood."""

    def __init__(self, uplinks: Iterable[PulseUplink], transaction: Transaction) -> None:
        asked = {_input(one) for one in uplinks}
        self._transaction = transaction
        self._inputs = transaction.registry.pulse_inputs(asked)
        self._states = dict(transaction.devices.pulse_states(asked))
        self._changed: dict[tuple[str, str], PulseState] = {}
        self._taken: list[Reading] = []

    def wired(self, uplink: PulseUplink) -> PulseInput | None:
        """Give the registration that holds for a counter state."""
        at = uplink.reception.heard_at
        known = self._inputs.get(_input(uplink), ())
        return next((one for one in known if _holds(one, at)), None)

    def take(self, uplink: PulseUplink, wired: PulseInput) -> Reading:
        """Give the reading of a counter state.

        Raises:
            BadUplink: ``pulse_weight_differs``, ``counter_reset``, ``out_of_order``, ``deltas``.
        """
        _demand_weight(uplink, wired)
        reading = self._reading(uplink, wired)
        self._taken.append(reading)
        return reading

    def _reading(self, uplink: PulseUplink, wired: PulseInput) -> Reading:
        state = self._states.get(_input(uplink))
        if state is not None and uplink.reception.heard_at < state.at:
            return self._late(uplink, wired, state)
        if state is None or not _holds(wired, state.at):
            state = PulseState(uplink.total, uplink.reception.heard_at, state.resets if state else ())
        state = _advanced(uplink, state)
        reading = _read(uplink, wired, state)
        self._states[_input(uplink)] = self._changed[_input(uplink)] = state
        return reading

    def close(self) -> None:
        """Remember how the inputs stand."""
        self._transaction.devices.put_pulse_states(self._changed)

    def _late(self, uplink: PulseUplink, wired: PulseInput, state: PulseState) -> Reading:
        """Read a state that was heard before the newest one: it must lie between its neighbours."""
        at, since = uplink.reception.heard_at, wired.valid_from
        before, after = self._neighbours(wired, at, state.at)
        reset = _reset_next(uplink, state, before, after)
        if reset is not None and not self._stored_at(wired, at):
            state = self._told_more(uplink, wired, state, reset)
            return _read(uplink, wired, state)
        reading = _read(uplink, wired, state)
        newest = state.count(state.total, state.at, since)
        if _holds(wired, state.at) and state.count(uplink.total, at, since) > newest:
            raise _out_of_order(uplink, "more than the counter said later")
        if before is not None and reading.value < before.value:
            raise _out_of_order(uplink, f"below {before.value} m3, the index of {before.measured_at:%F %T}")
        if after is not None and reading.value > after.value:
            raise _out_of_order(uplink, f"above {after.value} m3, the index of {after.measured_at:%F %T}")
        return reading

    def _told_more(
        self, uplink: PulseUplink, wired: PulseInput, state: PulseState, reset: PulseReset
    ) -> PulseState:
        """Mend what is known of a reset, and raise all that came since by the pulses it did not know of."""
        earlier, later = _mended(uplink, reset)
        more = sum(one.lost for one in (*earlier, later)) - reset.lost
        self._raise(uplink, wired, reset.at, more)
        resets = [one for one in state.resets if one.at != reset.at]
        state = replace(state, resets=tuple(sorted([*resets, *earlier, later], key=lambda one: one.at)))
        self._states[_input(uplink)] = self._changed[_input(uplink)] = state
        return state

    def _stored_at(self, wired: PulseInput, at: datetime) -> bool:
        """Whether something was said at this very time already: then nobody knows which came first."""
        return bool(self._transaction.readings.series(wired.meter, _VOLUME, at, at + _TICK, limit=1))

    def _raise(self, uplink: PulseUplink, wired: PulseInput, since: datetime, pulses: int) -> None:
        readings = self._transaction.readings
        until = wired.valid_to or datetime.max.replace(tzinfo=since.tzinfo)
        found = readings.series(wired.meter, _VOLUME, since, until, limit=_MOST_RAISED + 1)
        if len(found) > _MOST_RAISED:
            raise _out_of_order(uplink, f"more than {_MOST_RAISED} states came since")
        low = [one for one in found if one.way is Way.PULSE] if pulses else []
        more = wired.litres_per_pulse * pulses / 1000
        readings.remove(low)
        readings.add([replace(one, value=exact(one.value + more)) for one in low])

    def _neighbours(
        self, wired: PulseInput, at: datetime, newest: datetime
    ) -> tuple[Reading | None, Reading | None]:
        """Give the pulse readings of a registration around a time, those of this batch among them."""
        around = max(wired.valid_from, at - _AROUND), min(newest, at + _AROUND) + _TICK
        stored = self._transaction.readings.series(wired.meter, _VOLUME, *around)
        known = [one for one in (*stored, *self._taken) if one.meter == wired.meter and one.way is Way.PULSE]
        known = [one for one in known if _holds(wired, one.measured_at)]
        before = [one for one in known if one.measured_at < at]
        after = [one for one in known if one.measured_at > at]
        return max(before, key=_order, default=None), min(after, key=_order, default=None)


def _order(reading: Reading) -> tuple[datetime, Decimal]:
    return reading.measured_at, reading.value


def _input(uplink: PulseUplink) -> tuple[str, str]:
    return uplink.reception.gateway, uplink.channel


def _holds(wired: PulseInput, at: datetime) -> bool:
    return wired.valid_from <= at and (wired.valid_to is None or at < wired.valid_to)


def _demand_weight(uplink: PulseUplink, wired: PulseInput) -> None:
    stated = uplink.litres_per_pulse
    if stated is not None and stated != wired.litres_per_pulse:
        sentence = f"the gateway says {stated} litres per pulse, the registry {wired.litres_per_pulse}"
        raise BadUplink("pulse_weight_differs", sentence)


def _advanced(uplink: PulseUplink, state: PulseState) -> PulseState:
    """Give how an input stands after a state newer than all before."""
    at, lost = uplink.reception.heard_at, state.total - uplink.total
    if lost <= 0:
        return PulseState(uplink.total, at, state.resets)
    if at == state.at or (not uplink.reception.clock.trusted and _unsure(uplink, state)):
        raise _out_of_order(uplink, "below what the counter said, and no later than that for all we know")
    if sum(reset.at > at - _DAY and reset.lost > 0 for reset in state.resets) >= _MOST_RESETS:
        sentence = f"input {uplink.channel} fell to {uplink.total}, again: does it send differences?"
        raise BadUplink("deltas", sentence)
    return PulseState(uplink.total, at, (*state.resets, PulseReset(at, uplink.total, lost)))


def _unsure(uplink: PulseUplink, state: PulseState) -> bool:
    """Whether a state may be older than the last one, for all our own clock tells."""
    return uplink.reception.redelivered or uplink.reception.heard_at - state.at < _UNSURE


def _reset_next(
    uplink: PulseUplink, state: PulseState, before: Reading | None, after: Reading | None
) -> PulseReset | None:
    """Give the reset a late state tells more of; ``None`` if it is next to none, or tells nothing.

    It is the last known state before the reset, or the first one behind it.
    """
    if before is None or after is None:
        return None
    if uplink.reception.redelivered and not uplink.reception.clock.trusted:
        return None
    reset = next((one for one in state.resets if one.at == after.measured_at and one.lost > 0), None)
    if reset is None or reset.total < uplink.total < reset.total + reset.lost:
        return None
    return reset


def _mended(uplink: PulseUplink, reset: PulseReset) -> tuple[Sequence[PulseReset], PulseReset]:
    """Give a reset as a late state next to it shows it: an earlier one if it was earlier, and itself.

    One that was none stays, with nothing lost.
    """
    at, total, last = uplink.reception.heard_at, uplink.total, reset.total + reset.lost
    if total >= last:
        return (), replace(reset, lost=total - reset.total)
    return (PulseReset(at, total, last - total),), replace(reset, lost=0)


def _read(uplink: PulseUplink, wired: PulseInput, state: PulseState) -> Reading:
    count = state.count(uplink.total, uplink.reception.heard_at, wired.valid_from)
    reading = pulse_reading(replace(uplink, total=count), wired)
    if reading is None:
        sentence = (
            f"counter of input {uplink.channel} is at {uplink.total}, below {wired.start_count} where the "
            f"registry has it start: it was reset or exchanged"
        )
        raise BadUplink("counter_reset", sentence)
    return reading


def _out_of_order(uplink: PulseUplink, why: str) -> BadUplink:
    return BadUplink("out_of_order", f"input {uplink.channel} at {uplink.total}: {why}")
