"""A dongle on a pseudo-terminal: speaks at real speed, byte by byte, and can be unplugged."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Callable
from pathlib import Path


class Dongle:
    """One dongle. Its port is a link that stays the same when it is plugged in again."""

    def __init__(self, port: Path, baud: int, wrap: Callable[[bytes], bytes]) -> None:
        self.port = port
        self._bytes_per_s = baud / 10
        self._wrap = wrap
        self._ends: tuple[int, int] | None = None
        self.plug_in()

    def plug_in(self) -> None:
        """Appear."""
        master, port = os.openpty()
        tty.setraw(port)
        os.set_blocking(master, False)  # a real dongle does not wait for whoever does not listen
        self._ends = (master, port)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(port))

    def unplug(self) -> None:
        """Vanish: whoever listens sees the line hang up."""
        if self._ends is not None:
            self.port.unlink(missing_ok=True)
            for end in self._ends:
                os.close(end)
            self._ends = None

    def send(self, frame: bytes) -> None:
        """Say a telegram."""
        self.say(self._wrap(frame))

    def half(self, frame: bytes) -> None:
        """Begin a telegram and stop, for longer than any device pauses."""
        whole = self._wrap(frame)
        self.say(whole[: len(whole) // 2])
        time.sleep(1.3)

    def say(self, data: bytes) -> None:
        """Put bytes on the line one by one, as fast as the line is."""
        assert self._ends is not None
        began = time.perf_counter()
        for number, byte in enumerate(data):
            while time.perf_counter() - began < number / self._bytes_per_s:
                time.sleep(0.0001)
            try:
                os.write(self._ends[0], bytes((byte,)))
            except BlockingIOError:
                pass  # nobody has listened for a while: lost, as on the air
            except OSError:
                return
