"""Python's collector of cycles rests while thousands of objects are made.

A batch of telegrams, or a year of readings, is some ten thousand objects that hold no cycles: reference
counts free them. The collector would walk them over and over, a sixth of the work on a batch and half of
that on a year, and find nothing.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_rests"]

_lock = threading.Lock()
_resting = 0


@contextmanager
def collector_rests() -> Iterator[None]:
    """Let the collector rest; when the last block of all threads ends, it goes on as before."""
    global _resting  # noqa: PLW0603  the collector is one for the whole process, so is this count
    with _lock:
        was_on = gc.isenabled() or bool(_resting)
        _resting += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _resting -= 1
            if was_on and not _resting:
                gc.enable()
