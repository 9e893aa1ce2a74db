"""Readings outlive their telegrams: pages and API say so, whether the database keeps the number or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from decoders.build import build
from metering.clock import FixedClock
from metering.meter import Meter, MeterId
from metering.ports import NewTelegram, TelegramState
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import memory_store
from metering.store.sql.retention import Kept, drop
from metering.uplink import ClockSource, Reception
from service.provenance import gone, is_gone, kept_of, no_longer_kept

METER = MeterId.parse("KAM-11223344-1b-16")
NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)
OLD, NEW = NOW - timedelta(days=60), NOW - timedelta(hours=1)
REMOVED = "telegram removed by retention"


def reading(at: datetime, key: str, telegram: int | None, way: Way = Way.RADIO) -> Reading:
    source = Provenance(telegram, "roof", None, "1")
    return Reading(METER, Register.parse(key), Decimal(7), "m3", at, at, way, Quality.RAW, source)


@pytest.fixture
def store():
    """Two telegrams with a register each, and a pulse; the older telegram is dropped."""
    made = memory_store(FixedClock(NOW))
    with made.writing() as tx:
        tx.registry.put_meters([Meter(METER)])
        telegrams = [
            NewTelegram(
                METER,
                build(METER, b"", access=number),
                bytes([number]) * 16,
                TelegramState.STORED,
                "",
                [(Reception("roof", at, at, ClockSource.NTP), None)],
            )
            for number, at in ((1, OLD), (2, NEW))
        ]
        first, second = tx.archive.add(telegrams)
        tx.readings.add([reading(OLD, "volume", first), reading(NEW, "volume/s1", second)])
        tx.readings.add([reading(NEW, "volume/s2", None, Way.PULSE)])
    drop(made.database, Kept(telegrams=datetime(2026, 3, 1, tzinfo=UTC)))
    yield made
    made.close()


def test_the_meter_page_says_that_a_telegram_was_removed(store, app_of):
    shown = app_of(store).get(f"/meters/{METER}").text
    assert shown.count(REMOVED) == 1
    assert '<a href="/telegrams/2">' in shown
    assert '<a href="/telegrams/1">' not in shown


def test_the_address_of_a_removed_telegram_says_why_it_is_not_there(store, app_of):
    web = app_of(store)
    for address in ("/telegrams/1", "/api/v1/telegrams/1"):
        answer = web.get(address)
        assert answer.status_code == 404
        assert "Telegram 1 is no longer kept: its retention time is over" in answer.text
    assert "There is no telegram 3." in web.get("/telegrams/3").text


def test_the_api_says_of_each_reading_whether_its_telegram_is_there(store, app_of):
    web = app_of(store)
    latest = web.get(f"/api/v1/meters/{METER}").json()["latest"]
    assert {one["register"]: (one["telegram"], one["telegram_removed"]) for one in latest} == {
        "volume": (None, True),
        "volume/s1": (2, False),
        "volume/s2": (None, False),
    }
    (row,) = web.get("/api/v1/meters").json()["meters"]
    assert row["last_index"]["telegram_removed"] is True
    since = OLD.date().isoformat()
    (old,) = web.get(f"/api/v1/meters/{METER}/readings?register=volume&from={since}").json()["readings"]
    assert old["telegram_removed"] is True


def test_a_number_of_a_telegram_that_is_gone_counts_as_gone_too(store):
    """PostgreSQL keeps it: readings and telegrams are in partitions that do not know one another."""
    old, new, pulse = reading(OLD, "volume", 1), reading(NEW, "volume", 2), reading(NEW, "x", None, Way.PULSE)
    with store.reading() as tx:
        assert kept_of([old, new, pulse], tx) == {2}
        assert [is_gone(one, {2}) for one in (old, new, pulse)] == [True, False, False]
        assert gone(old, tx) == "telegram 1 removed by retention"
        unnamed = replace(old, provenance=replace(old.provenance, telegram=None))
        assert gone(unnamed, tx) == REMOVED
        assert gone(new, tx) is gone(pulse, tx) is None
        assert no_longer_kept(3, tx) is None
