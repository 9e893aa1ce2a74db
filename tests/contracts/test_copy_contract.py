"""A SQLite database copied into any other holds the same, and the other goes on from there."""

from __future__ import annotations

from metering.meter import Installation, Meter, PulseInput, ServicePoint
from metering.ports import Outcome, Quarantined
from metering.store import memory_store
from metering.store.sql.copying import copy, sums


def fill(store, make) -> None:
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter, "cold water", "Łąka"), Meter(make.other)])
        tx.registry.put_service_points([ServicePoint("P-1", "ul. Łąkowa 1", "north")])
        tx.registry.put_installations([Installation(make.meter, "P-1", make.noon)])
        litre = make.reading("0.001").value
        tx.registry.put_pulse_inputs([PulseInput("roof", "1", make.meter, litre, 0, litre, make.noon)])
        tx.keyring.put([(make.meter, bytes(range(16)))])
        (number,) = tx.archive.add([make.telegram(b"\x2a\x44\xff", make.reception(seq=1))])
        tx.readings.add([make.reading("7.7000000000000000000000001", telegram=number)])
        tx.readings.add_details([make.detail(telegram=number)])
        tx.ledger.count("roof", 1, {Outcome.STORED: 1}, make.noon)
        tx.ledger.quarantine([Quarantined(0, "roof", "t", "bad_json", "no", b"\x00{", 2, make.noon)])


def test_a_copy_holds_the_same_and_goes_on(store, clock, make):
    source = memory_store(clock, lambda: bytes(range(32)))
    fill(source, make)
    copied = copy(source.database, store.database)
    assert sum(one.rows for one in copied) > 12
    with source.database.transaction(write=False) as old, store.database.transaction(write=False) as new:
        assert sums(old) == sums(new)
    with store.writing() as tx:
        (number,) = tx.archive.add([make.telegram(b"\x2a\x45", make.reception("cellar", seq=2))])
        tx.ledger.quarantine([Quarantined(0, "roof", "t", "bad_json", "no", b"{", 1, make.noon)])
        assert number == 2
        assert [one.id for one in tx.ledger.quarantined()] == [2, 1]
        assert tx.archive.known_sequences([("roof", "9f3a11c2", 1)]) == {("roof", "9f3a11c2", 1)}
        assert tx.readings.latest(make.meter)[0].value == make.reading("7.7000000000000000000000001").value
    source.close()
