"""A series store filled again from the SQL store: all readings, or those that differ."""

from __future__ import annotations

from collections.abc import Callable, Collection

from metering.store.series.lines import Key, points_of
from metering.store.series.target import SeriesTarget
from metering.store.sql.series_queue import SeriesQueue

__all__ = ["refill", "send_again"]

_WALK = 20_000


def refill(
    queue: SeriesQueue,
    target: SeriesTarget,
    *,
    again: bool = False,
    told: Callable[[int], None] = lambda _readings: None,
) -> int:
    """Write every reading; goes on where it was interrupted. Gives how many were written now.

    Args:
        queue: of the SQL store.
        target: the series store; what it has already stays the same.
        again: begin anew, wherever an earlier one was interrupted.
        told: given numbers of readings written.

    Raises:
        StoreError: one of them; what was written stays.
    """
    name = f"series {target.where}"
    place = None if again else queue.place(name)
    number = 0
    while True:
        with queue.turn():  # nobody deletes what is written here meanwhile
            readings, place = queue.walk(place, _WALK)
            target.write(list(points_of(readings)))
        queue.remember(name, place)
        if place is None:
            return number
        number += len(readings)
        told(len(readings))


def send_again(
    queue: SeriesQueue,
    keys: Collection[Key],
    *,
    gone: bool = False,
    told: Callable[[int], None] = lambda _keys: None,
) -> None:
    """Queue up what stands at some keys; whoever drains the queue writes it.

    Args:
        queue: of the SQL store.
        keys: where.
        gone: what stands there in the series store is removed first. VictoriaMetrics loses all that only it
            has of the register.
        told: given numbers of keys.
    """
    ordered = list(keys)
    for start in range(0, len(ordered), _WALK):
        some = ordered[start : start + _WALK]
        queue.ask(some, gone=gone)
        told(len(some))
