"""When a process is to end: signals, heard in the main thread."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["LOOK_S", "ended_by_signals", "wait_for"]

LOOK_S = 0.1
"""Seconds between two looks whether to end."""


@contextmanager
def ended_by_signals(*, patient: bool = False) -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set; the second signal meets the default and ends at once.

    A patient one ignores the second: systemd tells the whole crew, and so does the parent.
    """
    ended = threading.Event()

    def end(_number: int, _frame: object) -> None:
        if not patient:
            for number in before:
                signal.signal(number, signal.SIG_DFL)
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for(ended: threading.Event) -> None:
    """Wait in short sleeps: a signal that comes just before a long wait begins would go unnoticed in it.

    Nor may the handler, which runs in this thread, find the event's own lock taken by it.
    """
    while not ended.is_set():
        time.sleep(LOOK_S)
