"""A gateway is there if it was heard lately, whatever was kept of what it said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from metering.gateway import Condition, condition
from metering.ports import GatewayRow

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
JUST, LONG = NOW - timedelta(minutes=1), NOW - timedelta(hours=9)


@pytest.mark.parametrize(
    ("online", "state_at", "last_heard", "alive_at", "how"),
    [
        (None, None, None, None, Condition.UNKNOWN),
        (True, JUST, None, None, Condition.ONLINE),
        (True, LONG, None, None, Condition.SILENT),  # a kept message, or one that went without goodbye
        (True, LONG, JUST, None, Condition.ONLINE),
        (True, LONG, LONG, JUST, Condition.ONLINE),
        (None, None, LONG, None, Condition.SILENT),
        (False, JUST, LONG, LONG, Condition.OFFLINE),
        (False, LONG, LONG, None, Condition.OFFLINE),
        (False, LONG, JUST, None, Condition.ONLINE),  # it came back and did not say so
    ],
)
def test_the_newest_sign_counts(online, state_at, last_heard, alive_at, how):
    row = GatewayRow("roof", online, state_at, last_heard, 0, {}, alive_at)
    assert condition(row, NOW) is how
