"""What series stores hold of what the SQL store holds: the same, whatever was added, moved, removed, lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import orjson
import pytest
from series_servers import influxdb, victoria

from metering.clock import SystemClock
from metering.errors import StoreError, StoreUnavailable
from metering.reading import Register
from metering.store import SqlStore, memory_store
from metering.store.series.address import Access
from metering.store.series.comparing import compare
from metering.store.series.influx import InfluxSeries
from metering.store.series.refilling import refill, send_again
from metering.store.series.sender import Sender
from metering.store.series.store import SeriesStore
from metering.store.series.target import Removal
from metering.store.series.victoria import VictoriaSeries
from metering.store.sql.retention import Kept, drop, months_before
from metering.store.sql.series_queue import SeriesQueue

pytestmark = pytest.mark.servers


@pytest.fixture(scope="session")
def victoria_metrics(tmp_path_factory):
    with victoria(tmp_path_factory.mktemp("victoria")) as server:
        yield server


@pytest.fixture
def emptied(victoria_metrics):
    """VictoriaMetrics without series of ours; through influxdb-client and the v2 API."""
    target = VictoriaSeries(Access(victoria_metrics.url))
    target._link.request(
        "POST", "/api/v1/admin/tsdb/delete_series", body=b"match[]=%7B__name__%3D~%22reading_.*%22%7D"
    )
    yield target
    target.close()


@pytest.fixture(params=["delete", "mark", "victoria"])
def target(request):
    """InfluxDB that deletes, InfluxDB that marks as 3.x has to, VictoriaMetrics."""
    if request.param == "victoria":
        yield request.getfixturevalue("emptied")
        return
    opened = InfluxSeries(request.getfixturevalue("influx"), removal=Removal(request.param), batch=7)
    yield opened
    opened.close()


@pytest.fixture
def sql(clock):
    opened = memory_store(clock)
    yield opened
    opened.close()


@pytest.fixture
def queue(sql):
    noted = SeriesQueue(sql.database)
    noted.enable()
    return noted


def same(queue, target):
    """Whether both hold the same; VictoriaMetrics shows what it took a moment later."""
    for _ in range(40):
        found = compare(queue, target)
        if all(month.same for month in found.months) and not found.keys | found.strange:
            return [month.here.readings for month in found.months]
        time.sleep(0.1)
    raise AssertionError(found.months)


def test_what_is_added_moved_and_removed_is_the_same_on_both(sql, queue, target, make):
    sender = Sender(queue, target)
    due, flow = Register("volume", storage=1), Register("volume_flow")
    with sql.writing() as tx:
        (number,) = tx.archive.add([make.telegram(b"a", make.reception("roof", 10))])
        tx.readings.add(
            [make.reading("5", 10, telegram=number), make.reading("4", -86400 * 40, register=due)]
        )
        tx.readings.add([make.reading(value, 20) for value in ("10", "9", "9.5")])
        tx.readings.add([make.reading("-0.25", 20, register=flow, unit="m3/h")])
    assert sender.drain() == 6
    assert same(queue, target) == [1, 5]
    with sql.writing() as tx:
        tx.archive.add_receptions([(number, make.reception("cellar", 7), None)])  # 5 moves
        tx.readings.remove([make.reading("9", 20), make.reading("-0.25", 20, register=flow)])
        tx.readings.add([make.reading("8", 20)])
    assert sender.drain() > 0
    assert queue.waiting() == 0
    assert same(queue, target) == [1, 4]
    with sql.writing() as tx:  # back again
        tx.readings.remove([make.reading("8", 20)])
        tx.readings.add([make.reading("-0.25", 20, register=flow, unit="m3/h")])
    sender.drain()
    assert same(queue, target) == [1, 4]


def test_postgresql_notes_what_changes_and_lets_one_send_at_a_time(postgresql, clock, influx, make):
    """Moved, removed and added again; two senders at once, each with a connection of its own."""
    url, series = postgresql(), InfluxSeries(influx)
    stores = [SqlStore(url, clock), SqlStore(url, clock)]
    queues = [SeriesQueue(store.database) for store in stores]
    assert [queue.enable() for queue in queues] == [True, False]
    try:
        with stores[0].writing() as tx:
            (number,) = tx.archive.add([make.telegram(b"a", make.reception("roof", 10))])
            tx.readings.add([make.reading("5", 10, telegram=number)])
            tx.readings.add([make.reading(str(at), at) for at in range(60, 600)])
            tx.archive.add_receptions([(number, make.reception("cellar", 7), None)])
            tx.readings.remove([make.reading("61", 61)])
        with ThreadPoolExecutor(2) as pool:
            sent = list(pool.map(lambda queue: Sender(queue, series).drain(), queues))
        assert sum(sent) == 544  # 541 came, two went, one came back elsewhere
        assert same(queues[1], series) == [540]
        with (
            queues[0].turn(),
            pytest.raises(StoreUnavailable, match="another process"),
            queues[1]._turn.taken(0.1),
        ):
            pass
    finally:
        queues[0].disable()
        series.close()
        for store in stores:
            store.close()


def test_a_lost_series_store_is_filled_again_and_goes_on_where_it_was(sql, queue, target, make, monkeypatch):
    with sql.writing() as tx:
        tx.readings.add([make.reading(str(at), at) for at in range(100)])
        tx.readings.add([make.reading("7", 50), make.reading("8", 50)])
    queue.sent(queue.portion(queue.last(), 1000).ids)  # as if sent to one that is lost
    monkeypatch.setattr("metering.store.series.refilling._WALK", 30)
    told = []

    def interrupted(number):
        told.append(number)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refill(queue, target, told=interrupted)
    before = sum(told)
    assert before + refill(queue, target) == 102
    assert same(queue, target) == [102]
    assert refill(queue, target) == 102  # again changes nothing
    assert same(queue, target) == [102]


def test_what_differs_is_found_reading_by_reading_and_sent_or_removed(sql, queue, target, make):
    with sql.writing() as tx:
        tx.readings.add([make.reading(str(at), at) for at in range(50)])
    Sender(queue, target).drain()
    assert same(queue, target) == [50]
    queue.disable()
    with sql.writing() as tx:
        tx.readings.add([make.reading("3.5", 99)])
        tx.readings.remove([make.reading("7", 7)])
    queue.enable()
    (month,) = compare(queue, target).months
    assert (month.month, month.here.readings, month.there.readings, month.differing) == ("2026-03", 50, 50, 2)
    assert not month.same
    found = compare(queue, target)
    assert [key.measured_at for key in (*found.keys, *found.strange)] == [make.at(99), make.at(7)]
    send_again(queue, found.keys)
    Sender(queue, target).drain()
    (month,) = compare(queue, target).months
    assert (month.here.readings, month.there.readings, month.differing) == (50, 51, 1)
    send_again(queue, found.strange, gone=True)
    Sender(queue, target).drain()
    assert same(queue, target) == [50]


def test_months_that_go_by_retention_stay_in_the_series_store(sql, queue, target, make):
    """They are not compared any more, and what is sent again leaves them alone."""
    with sql.writing() as tx:
        tx.readings.add([make.reading(str(at), at * 86400) for at in range(-60, 1)])
    Sender(queue, target).drain()
    assert sum(same(queue, target)) == 61
    kept = months_before(make.noon, 1)
    drop(sql.database, Kept(kept, kept))
    assert queue.waiting() == 0
    assert same(queue, target) == [28, 1]
    send_again(queue, compare(queue, target).keys)
    Sender(queue, target).drain()
    assert sum(len(list(target.kept(day))) for day in target.days()) == 61


def test_too_much_that_differs_is_counted_only(sql, queue, target, make, monkeypatch):
    with sql.writing() as tx:
        tx.readings.add([make.reading(str(at), at) for at in range(50)])
    monkeypatch.setattr("metering.store.series.comparing._MOST", 10)
    found = compare(queue, target)
    assert (found.whole, found.keys, found.months[0].differing) == (False, set(), 50)


def test_victoria_metrics_has_what_was_written_exactly(emptied, sql, queue, make, victoria_metrics):
    """Numbers of 53 bits as they are; the largest index of any water meter is far below."""
    values = ["99999999.999999", "0.001", str(2**53), "-1.5"]
    with sql.writing() as tx:
        tx.readings.add([make.reading(value, at) for at, value in enumerate(values)])
    Sender(queue, emptied).drain()
    same(queue, emptied)
    (line,) = victoria_metrics.get("/api/v1/export?match[]=reading_scaled").splitlines()
    said = orjson.loads(line)
    assert said["metric"] == {
        "__name__": "reading_scaled",
        "meter": str(make.meter),
        "register": "volume",
        "unit": "m3",
    }
    assert said["values"] == [99999999999999, 1000, 2**53, -1500000]
    assert said["timestamps"] == [1772366400000 + 1000 * at for at in range(4)]


def test_removed_readings_are_not_read_from_influxdb_that_cannot_delete(sql, influx, make):
    series, queue = InfluxSeries(influx, removal=Removal.MARK), SeriesQueue(sql.database)
    queue.enable()
    store = SeriesStore(sql, series, Sender(queue, series))
    with store.writing() as tx:
        tx.readings.add([make.reading("5", 5), make.reading("6", 6), make.reading("7", 6)])
    with store.writing() as tx:
        tx.readings.remove([make.reading("6", 6), make.reading("7", 6)])
    with store.reading() as tx:
        assert [one.value for one in tx.readings.latest(make.meter)] == [Decimal(5)]
        assert [one.value for one in tx.readings.series(make.meter, make.volume, make.at(0), make.at(9))] == [
            5
        ]
        assert tx.readings.before(make.meter, make.volume, make.at(9)).value == 5
    with store.writing() as tx:
        tx.readings.add([make.reading("7", 6)])
    with store.reading() as tx:
        assert [one.value for one in tx.readings.latest(make.meter)] == [Decimal(7)]
    series.close()


def test_without_triggers_nothing_is_noted_and_with_them_everything(sql, make):
    queue = SeriesQueue(sql.database)
    with sql.writing() as tx:
        tx.readings.add([make.reading("1")])
    assert (queue.enabled(), queue.waiting()) == (False, 0)
    assert queue.enable()
    assert not queue.enable()
    with sql.writing() as tx:
        tx.readings.add([make.reading("1"), make.reading("2")])
    assert (queue.enabled(), queue.waiting()) == (True, 1)  # the first is there already
    queue.disable()
    assert (queue.enabled(), queue.waiting()) == (False, 0)


def test_a_transaction_that_fails_leaves_nothing_to_send(sql, queue, make):
    with suppress(ZeroDivisionError), sql.writing() as tx:
        tx.readings.add([make.reading("1")])
        raise ZeroDivisionError
    assert queue.waiting() == 0


def test_what_the_series_store_refuses_waits(sql, queue, make, influxd):
    """A wrong database name is told as such; nothing is lost meanwhile."""
    target = InfluxSeries(Access(influxd.url, database="other", write_api="v1"))
    with sql.writing() as tx:
        tx.readings.add([make.reading("1")])
    with pytest.raises(StoreError, match="has no such database or bucket"):
        Sender(queue, target).drain()
    assert queue.waiting() == 1
    target.close()


def test_a_series_store_that_is_away_is_told_and_waited_for_until_the_end(sql, queue, make):
    target = InfluxSeries(Access("http://127.0.0.1:9", timeout_s=1))
    sender = Sender(queue, target)
    with sql.writing() as tx:
        tx.readings.add([make.reading("1")])
    with pytest.raises(StoreUnavailable, match="is not reached: connection refused"):
        target.write([]) or target.check()
    settled = []
    waiting = threading.Thread(target=lambda: settled.append(sender.settle()))
    waiting.start()
    time.sleep(0.3)
    assert waiting.is_alive()
    sender.stop()
    waiting.join(10)
    assert settled == [False]
    assert not sender.available
    assert queue.waiting() == 1
    target.close()


def test_points_older_than_influxdb_keeps_are_not_waited_for(sql, queue, make, influx, influxd):
    """All others of the request are written."""
    influxd.ask('CREATE RETENTION POLICY "short" ON "nurt" DURATION 1h REPLICATION 1 DEFAULT')
    target, now = InfluxSeries(influx), SystemClock().now()
    recent = [replace(make.reading(str(n)), measured_at=now - timedelta(seconds=n)) for n in range(3)]
    with sql.writing() as tx:
        tx.readings.add([make.reading("5"), *recent])
    assert Sender(queue, target).drain() == 4
    assert queue.waiting() == 0
    assert len(target.series(make.meter, make.volume, make.at(0), now + timedelta(1), None)) == 3
    target.close()


def test_a_login_is_needed_where_it_is_asked_for_and_never_shown(tmp_path, sql, queue, make):
    with influxdb(tmp_path, auth=True) as server:
        server.ask("CREATE USER admin WITH PASSWORD 'geheim' WITH ALL PRIVILEGES")
        server.ask('CREATE DATABASE "nurt"', ("admin", "geheim"))
        with sql.writing() as tx:
            tx.readings.add([make.reading("5")])
        wrong = InfluxSeries(Access(server.url, username="admin", secret="oops", write_api="v1"))
        with pytest.raises(StoreError, match="refuses the login") as told:
            Sender(queue, wrong).drain()
        assert "oops" not in str(told.value)
        right = InfluxSeries(Access(server.url, username="admin", secret="geheim", write_api="v1"))
        assert Sender(queue, right).drain() == 1
        assert same(queue, right) == [1]
        for one in (wrong, right):
            one.close()
