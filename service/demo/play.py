"""The play: the town's meters transmit, first the history, then live, in step with what is booked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from metering.errors import TelemetryError
from metering.ports import Clock
from service.demo.gateways import ITEMS_PER_MESSAGE, Air, Gateway
from service.demo.schedule import HistoryPlan, LiveSchedule
from service.demo.town import Town

__all__ = ["Play", "Stalled"]

_AHEAD = 4 * ITEMS_PER_MESSAGE
"""Items of all gateways that may be published and not yet booked: enough to keep ingest busy, and booked in
far less than the five seconds after which the demo's broker forgets a delivery."""

_PATIENCE_S = 20.0
"""Longest wait without a single item booked."""

_PAUSE_S = 0.002


class Stalled(TelemetryError):
    """Ingest books nothing any more."""


class Play:
    """Lets the town transmit.

    Attributes:
        gateways: all of them.
    """

    def __init__(  # noqa: PLR0913  everything the play meets
        self,
        town: Town,
        gateways: Sequence[Gateway],
        *,
        seed: int,
        clock: Clock,
        booked: Callable[[], int],
        ended: Callable[[], bool],
    ) -> None:
        """Prepare.

        Args:
            town: who transmits.
            gateways: who hears it.
            seed: of the town.
            clock: the present, of the live part.
            booked: gives the number of items booked so far.
            ended: whether to come to an end.
        """
        self.gateways = gateways
        self._town = town
        self._seed = seed
        self._clock = clock
        self._booked = booked
        self._ended = ended
        self._air = Air(town, gateways, seed)

    @property
    def published(self) -> int:
        """Items published by all gateways."""
        return sum(gateway.published for gateway in self.gateways)

    def history(self, plan: HistoryPlan) -> Iterator[tuple[int, int]]:
        """Tell the history; gives (hours told, items published) from time to time.

        Raises:
            Stalled: ingest books nothing any more.
        """
        for moment, house in plan.transmissions(self._town.on_air):
            if self._ended():
                return
            self._air.transmit(house, moment, history=True)
            if self._publish(least=ITEMS_PER_MESSAGE):
                yield int((moment - plan.begin) / timedelta(hours=1)), self.published
        self._publish(least=1)
        self.settle()
        yield plan.hours, self.published

    def live(self, begin: datetime, *, tick_s: float = 0.25) -> Iterator[int]:
        """Transmit live from a moment on until the end; gives the items published after each tick.

        Raises:
            Stalled: ingest books nothing any more.
        """
        schedule = LiveSchedule(self._town.on_air, begin, self._seed)
        while not self._ended():
            for moment, house in schedule.until(self._clock.now()):
                self._air.transmit(house, moment, history=False)
            self._publish(least=1)
            yield self.published
            time.sleep(tick_s)

    def settle(self, patience_s: float = _PATIENCE_S) -> bool:
        """Wait until everything published is booked; false if that took too long."""
        until = time.monotonic() + patience_s
        while self._booked() < self.published:
            if time.monotonic() > until:
                return False
            time.sleep(_PAUSE_S)
        return True

    def _publish(self, least: int) -> bool:
        """Publish what each gateway heard in arrays of at least ``least``; whether any did."""
        ready = [gateway for gateway in self.gateways if gateway.waiting >= least]
        for gateway in ready:
            self._wait_for_room()
            gateway.publish()
        return bool(ready)

    def _wait_for_room(self) -> None:
        booked, since = self._booked(), time.monotonic()
        while self.published - booked > _AHEAD and not self._ended():
            time.sleep(_PAUSE_S)
            if (now_booked := self._booked()) > booked:
                booked, since = now_booked, time.monotonic()
            elif time.monotonic() - since > _PATIENCE_S:
                raise Stalled(f"nothing was booked for {_PATIENCE_S:.0f} s; is the data folder's disk full?")
