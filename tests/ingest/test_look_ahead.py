"""What is judged before a batch's transaction holds only if registry and keyring are still the same in it."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ingest.items import Delivery
from ingest.judge import Judge, Verdict
from ingest.pipeline import Pipeline
from metering.meter import Meter
from metering.reading import Register
from metering.resting import collector_rests

HOUR = timedelta(hours=1)


class Meanwhile:
    """A store in which something happens between the view and the transaction of a batch."""

    def __init__(self, store: Any, happens: Callable[[Any], object]) -> None:
        self._store, self._happens = store, happens
        self.reading = store.reading

    @contextlib.contextmanager
    def writing(self):
        with self._store.writing() as transaction:
            self._happens(transaction)
            self._happens = lambda _transaction: None
        with self._store.writing() as transaction:
            yield transaction


def ends(pipeline: Pipeline, *deliveries: Delivery) -> list[str]:
    return [f"{one.outcome} {one.reason}".strip() for one in pipeline.accept(deliveries)]


def test_a_meter_registered_between_view_and_transaction_is_read(new_store, make):
    store = new_store(12345679)
    busy = Meanwhile(store, lambda tx: tx.registry.put_meters([Meter(make.meter())]))
    assert ends(Pipeline(busy), make.up(make.item(make.frame(), 1))) == ["stored"]


def test_a_key_that_comes_between_view_and_transaction_opens(new_store, make):
    store = new_store(12345678)
    busy = Meanwhile(store, lambda tx: tx.keyring.put([(make.meter(), make.KEY)]))
    assert ends(Pipeline(busy), make.up(make.item(make.frame(key=make.KEY), 1))) == ["stored"]


def test_what_is_registered_by_another_process_is_known_to_the_next_batch(new_store, make):
    store = new_store(12345679)
    pipeline = Pipeline(store)
    assert ends(pipeline, make.up(make.item(make.frame(), 1))) == ["foreign"]
    with store.writing() as transaction:
        transaction.registry.put_meters([Meter(make.meter())])
    assert ends(pipeline, make.up(make.item(make.frame(access=2), 2))) == ["stored"]


def test_frames_are_judged_before_the_transaction_and_once(new_store, make):
    store, writing = new_store(12345678), []

    class Watching(Judge):
        def judge(self, *args: Any) -> Verdict:
            judged.append(bool(writing))
            return super().judge(*args)

    class Marked:
        reading = staticmethod(store.reading)

        @contextlib.contextmanager
        def writing(self):
            with store.writing() as transaction:
                writing.append(1)
                yield transaction

    judged: list[bool] = []
    same = make.item(make.frame(), 1), make.item(make.frame(), 1)
    twice = make.up(same[0], gateway="a"), make.up(same[1], gateway="b")
    found = ends(Pipeline(Marked(), judge=Watching()), *twice)
    assert (found, judged) == (["stored", "duplicate"], [False])


def readings(store, make):
    with store.reading() as view:
        return [
            (str(one.value), one.measured_at, one.provenance.gateway)
            for one in view.readings.series(
                make.meter(), Register("volume"), make.NOON - HOUR, make.NOON + HOUR
            )
        ]


def test_what_was_written_ahead_gives_way_to_a_gateway_that_heard_it_earlier(new_store, make):
    """In the same batch; it came behind the other."""
    store = new_store(12345678)
    frame, earlier = make.frame(), make.NOON - timedelta(seconds=2)
    late, early = make.item(frame, 1), make.item(frame, 1, at=earlier)
    assert ends(Pipeline(store), make.up(late, gateway="a"), make.up(early, gateway="b")) == [
        "stored",
        "duplicate",
    ]
    assert readings(store, make) == [("7.704", earlier, "b")]


def test_what_was_written_ahead_is_not_stored_if_somebody_else_did_meanwhile(new_store, make):
    store = new_store(12345678)
    frame, earlier = make.frame(), make.NOON - timedelta(seconds=2)
    other = Pipeline(store)

    class Overtaken:
        reading = staticmethod(store.reading)

        @contextlib.contextmanager
        def writing(self):
            assert ends(other, make.up(make.item(frame, 1, at=earlier), gateway="b")) == ["stored"]
            with store.writing() as transaction:
                yield transaction

    assert ends(Pipeline(Overtaken()), make.up(make.item(frame, 1), gateway="a")) == ["duplicate"]
    assert readings(store, make) == [("7.704", earlier, "b")]


def test_the_collector_rests_until_the_last_block_ends_and_goes_on_after_an_error():
    inside, go = threading.Event(), threading.Event()

    def other() -> None:
        with collector_rests():
            inside.set()
            go.wait(5)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(5)
    with pytest.raises(ValueError, match="any"), collector_rests():
        raise ValueError("any")
    assert not gc.isenabled()
    go.set()
    thread.join()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with collector_rests():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
