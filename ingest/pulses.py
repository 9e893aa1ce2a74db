"""The counter states of one batch: whose they are, and the index they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest.books import Books
from ingest.registers import pulse_reading
from metering.meter import PulseInput
from metering.ports import Outcome, Registry
from metering.uplink import PulseUplink

__all__ = ["take_pulses"]


def take_pulses(uplinks: Mapping[int, PulseUplink], books: Books, registry: Registry) -> None:
    """Settle every counter state of a batch; ``uplinks`` by place."""
    inputs = registry.pulse_inputs({(one.reception.gateway, one.channel) for one in uplinks.values()})
    for place, uplink in uplinks.items():
        _take(place, uplink, inputs.get((uplink.reception.gateway, uplink.channel), ()), books)


def _take(place: int, uplink: PulseUplink, inputs: Sequence[PulseInput], books: Books) -> None:
    wired = next((one for one in inputs if _valid(one, uplink)), None)
    if wired is None:
        books.settle(place, Outcome.FOREIGN)
        books.remember(place)
        return
    stated = uplink.litres_per_pulse
    if stated is not None and stated != wired.litres_per_pulse:
        sentence = f"the gateway says {stated} litres per pulse, the registry {wired.litres_per_pulse}"
        books.quarantine(place, "pulse_weight_differs", sentence)
        return
    reading = pulse_reading(uplink, wired)
    if reading is None:
        sentence = (
            f"counter of input {uplink.channel} is at {uplink.total}, below {wired.start_count} where the "
            f"registry has it start: it was reset or exchanged"
        )
        books.quarantine(place, "counter_reset", sentence)
        return
    books.settle(place, Outcome.STORED)
    books.remember(place)
    books.keep([reading])


def _valid(wired: PulseInput, uplink: PulseUplink) -> bool:
    at = uplink.reception.heard_at
    return wired.valid_from <= at and (wired.valid_to is None or at < wired.valid_to)
