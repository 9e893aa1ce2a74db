"""Who tried too often to sign in has to wait: by name, and by where they come from."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

__all__ = ["Throttle"]

_FREE = 5
"""Mistakes that cost nothing."""
_FIRST, _LONGEST = timedelta(seconds=10), timedelta(minutes=15)
_FORGOTTEN = timedelta(hours=1)
_MOST = 10_000
"""Names and addresses that are remembered."""


class Throttle:
    """Counts mistakes. Each one beyond five doubles the wait, up to a quarter of an hour."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._known: OrderedDict[str, tuple[int, datetime]] = OrderedDict()
        self._lock = Lock()

    def wait(self, keys: tuple[str, ...], now: datetime) -> timedelta:
        """Give how long one must wait before the next attempt; zero if not at all."""
        with self._lock:
            return max((self._wait(key, now) for key in keys), default=timedelta(0))

    def failed(self, keys: tuple[str, ...], now: datetime) -> None:
        """Count a mistake."""
        with self._lock:
            for key in keys:
                count, last = self._known.pop(key, (0, now))
                self._known[key] = (1 if now - last > _FORGOTTEN else count + 1, now)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the mistakes of a name."""
        with self._lock:
            self._known.pop(key, None)

    def _wait(self, key: str, now: datetime) -> timedelta:
        count, last = self._known.get(key, (0, now))
        if count < _FREE or now - last > _FORGOTTEN:
            return timedelta(0)
        wait = min(_FIRST * (1 << min(count - _FREE, 20)), _LONGEST)
        return max(last + wait - now, timedelta(0))
