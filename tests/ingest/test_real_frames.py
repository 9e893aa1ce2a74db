"""Real telegrams of many makers: each ends as one of five; registered and with its key, most are stored."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from decoders import DecodeError, peek
from ingest.pipeline import Pipeline
from metering.meter import Meter
from metering.store.memory import memory_store


@pytest.mark.shared
def test_every_real_telegram_ends_as_one_of_five(shared_telegrams, clock, make):
    lines = (shared_telegrams / "wmbus.jsonl").read_text().splitlines()
    known = [json.loads(line) for line in lines]
    store = memory_store(clock, lambda: bytes(range(32)))
    items = []
    for number, one in enumerate(known):
        frame = bytes.fromhex(one["telegram"])
        items.append(make.item(frame, number))
        try:
            meter = peek(frame).meter
        except DecodeError:
            continue
        with store.writing() as transaction:
            transaction.registry.put_meters([Meter(meter)])
            if one["key"]:
                transaction.keyring.put([(meter, bytes.fromhex(one["key"]))])
    results = Pipeline(store).accept([make.up(*items)])
    assert len(results) == len(known)
    ends = Counter(result.outcome.value for result in results)
    reasons = Counter(result.reason for result in results if result.reason)
    print(dict(ends), dict(reasons))
    distinct = len({one["telegram"].upper() for one in known})
    assert ends["stored"] + ends["held"] + ends["quarantined"] == distinct, "the others are repetitions"
    assert ends["stored"] >= 220
    assert ends["quarantined"] <= 5
    with store.reading() as view:
        [row] = view.ledger.gateways()
        assert row.received == sum(row.outcomes.values()) == len(known)
