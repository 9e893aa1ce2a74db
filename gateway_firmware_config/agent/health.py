"""What a gateway says of itself every minute, on ``amr/1/<gw>/health``."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gateway_firmware_config.agent.courier import Courier
from gateway_firmware_config.agent.intake import Intake
from gateway_firmware_config.agent.listening import Condition
from gateway_firmware_config.agent.moment import Moment, rfc3339
from gateway_firmware_config.agent.spool import Spool

__all__ = ["Health"]

_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_MEMORY = Path("/proc/self/statm")
_MINUTE_MS = 60_000


class Health:
    """Makes the messages; remembers the counters of the last one to give rates per minute."""

    def __init__(
        self, spool: Spool, intake: Intake, courier: Courier, receivers: Mapping[str, Condition], folder: Path
    ) -> None:
        self._spool = spool
        self._intake = intake
        self._courier = courier
        self._receivers = receivers
        self._folder = folder
        self._before: tuple[int, dict[str, int]] | None = None

    def message(self, now: Moment) -> bytes:
        """Say how the gateway is.

        Raises:
            StoreUnavailable: the spool cannot be read.
        """
        shed = self._spool.shed_so_far
        counts = {
            "heard": self._intake.counts["heard"],
            "forwarded": self._courier.delivered,
            "shed": sum(shed.values()),
        }
        said = {
            "v": 1,
            "boot": self._spool.boot,
            "ts": rfc3339(now.at_ms),
            "ts_src": now.source.value,
            "firmware": f"nurt {version('nurt')}",
            "uptime_s": now.uptime_ms // 1000,
            **self._queue(now),
            **counts,
            "shed_because": shed,
            "left_out": self._intake.counts["left_out"],
            "thinned": self._intake.counts["thinned"],
            "not_taken": self._courier.refused,
            "per_minute": self._rates(now, counts),
            "receivers": {name: _receiver(one) for name, one in self._receivers.items()},
            **_machine(self._folder),
        }
        return json.dumps(said, separators=(",", ":")).encode()

    def _queue(self, now: Moment) -> dict[str, Any]:
        oldest_ms = self._spool.oldest_ms
        age_s = None if oldest_ms is None else max(0, now.at_ms - oldest_ms) // 1000
        return {"queue": self._spool.depth, "queue_oldest_s": age_s}

    def _rates(self, now: Moment, counts: dict[str, int]) -> dict[str, float] | None:
        before, self._before = self._before, (now.uptime_ms, counts)
        if before is None or now.uptime_ms <= before[0]:
            return None
        minutes = (now.uptime_ms - before[0]) / _MINUTE_MS
        return {name: round((count - before[1][name]) / minutes, 1) for name, count in counts.items()}


def _receiver(one: Condition) -> dict[str, Any]:
    return {
        "open": one.open,
        "trouble": one.trouble or None,
        "heard": one.heard,
        "silent_s": round(time.monotonic() - one.heard_at),
        "faults": dict(one.faults),
        "noise_bytes": one.noise,
        "restarts": one.restarts,
    }


def _machine(folder: Path) -> dict[str, Any]:
    return {
        "disk_free_mb": shutil.disk_usage(folder).free // 1_000_000,
        "memory_mb": _memory_mb(),
        "temperature_c": _temperature_c(),
    }


def _memory_mb() -> int | None:
    """Give the memory in use; the kernel's peak (getrusage) would be that of whoever started us."""
    try:
        pages = int(_MEMORY.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def _temperature_c() -> float | None:
    try:
        return int(_TEMPERATURE.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None
