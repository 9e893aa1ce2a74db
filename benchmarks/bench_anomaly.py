"""The anomaly scan at fleet scale: one hourly tick of a million meters, state, a month scanned again."""

from __future__ import annotations

from collections.abc import Iterator

from figures import Figure

from benchmarks.anomaly.fleet import measure


def figures() -> Iterator[Figure]:
    """Measure on made-up use, on one core."""
    found = measure()
    yield Figure(
        "hourly tick, leak bank, 1,000,000 meters", found.tick_s, "s", "CPU time, one core; target <= 1.5"
    )
    yield Figure("detector state", found.bytes_per_meter, "bytes/meter", "target <= 160")
    month = found.month_s / found.month_meters * 100_000
    yield Figure(
        "a month of hours of 100,000 meters, all detectors",
        month,
        "s",
        f"CPU time, one core, from {found.month_meters:,} meters in proportion; target <= 120 on two",
    )
