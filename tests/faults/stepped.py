"""`nurt` with a clock that a file can step: seconds to add to the present."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import service.runner
from metering.clock import SystemClock
from service.cli import main

_OFFSET = Path("clock-offset")


class SteppedClock(SystemClock):
    """The present as the file says."""

    def now(self) -> datetime:
        seconds = float(_OFFSET.read_text()) if _OFFSET.exists() else 0.0
        return super().now() + timedelta(seconds=seconds)


service.runner.SystemClock = SteppedClock  # type: ignore[misc]  # that is the point
main(sys.argv[1:])
