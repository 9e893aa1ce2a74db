"""The agent as `nurt gateway run` runs it, under a wall clock a test steps: `--config FILE`.

`clock.json` beside the settings holds the offset to the machine's clock in seconds, and whether a time
service has set it: `{"offset_s": -3600, "set": true}`. The steady clock stays the machine's.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

from gateway_firmware_config.agent import moment
from gateway_firmware_config.agent.agent import run_agent
from metering.clock import SystemClock
from service.gateway_files import load_agent_settings
from service.logs import set_up_logs


class SteppedClock:
    """The machine's clock, off by what the file says."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return SystemClock().now() + timedelta(seconds=self.said()["offset_s"])

    def said(self) -> dict:
        return json.loads(self._file.read_text())


if __name__ == "__main__":
    config = Path(sys.argv[sys.argv.index("--config") + 1])
    settings = load_agent_settings(config)
    set_up_logs(style="json", level="info")
    clock, ended = SteppedClock(config.with_name("clock.json")), threading.Event()
    moment.kernel_clock_is_set = lambda: bool(clock.said()["set"])
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    run_agent(settings, clock, ended)
