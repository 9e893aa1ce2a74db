"""Clocks give UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from metering.clock import FixedClock, SystemClock
from metering.errors import InvalidValue

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_system_clock_gives_aware_utc():
    clock = SystemClock()
    first, then = clock.now(), clock.now()
    assert first.tzinfo is UTC
    assert first <= then


def test_a_fixed_clock_stands_until_moved():
    clock = FixedClock(NOON.astimezone(timezone(timedelta(hours=5))))
    assert clock.now() == clock.now() == NOON
    assert clock.now().tzinfo is UTC
    clock.advance(timedelta(minutes=5))
    assert clock.now() == NOON + timedelta(minutes=5)
    clock.set(NOON)
    assert clock.now() == NOON


def test_a_clock_is_not_put_to_a_time_without_zone():
    with pytest.raises(InvalidValue, match="no zone"):
        FixedClock(NOON.replace(tzinfo=None))
    with pytest.raises(InvalidValue, match="no zone"):
        FixedClock(NOON).set(NOON.replace(tzinfo=None))
