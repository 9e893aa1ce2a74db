"""What is asked for every batch and every page uses an index: a city's year is a hundred million rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from metering.clock import FixedClock
from metering.meter import Meter, MeterId
from metering.ports import NewTelegram, Scope, TelegramState
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import memory_store
from metering.uplink import Reception

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
METER = MeterId.parse("KAM-76348799-1b-16")
VOLUME = Register("volume")
LARGE = (
    "telegrams",
    "receptions",
    "spans",
    "hearings",
    "readings",
    "details",
    "latest",
    "meter_keys",
    "quarantine",
)

QUESTIONS = {
    "sequences": lambda tx: tx.archive.known_sequences([("roof", "b", 1), ("attic", "b", 2)]),
    "same frames": lambda tx: tx.archive.same_frames([b"f" * 16, b"g" * 16], NOON),
    "brought": lambda tx: tx.archive.brought([(b"f" * 16, "roof0"), (b"g" * 16, "roof1")], NOON),
    "telegram": lambda tx: tx.archive.telegram(1),
    "telegrams of a meter": lambda tx: tx.archive.telegrams(meter=METER),
    "telegrams of a state": lambda tx: tx.archive.telegrams(state=TelegramState.HELD, before=9),
    "series": lambda tx: tx.readings.series(METER, VOLUME, NOON, NOON + timedelta(1), limit=1),
    "before": lambda tx: tx.readings.before(METER, VOLUME, NOON),
    "latest": lambda tx: tx.readings.latest(METER),
    "of a telegram": lambda tx: tx.readings.of_telegram(1),
    "keys": lambda tx: tx.keyring.have_keys([METER]),
    "overview": lambda tx: tx.registry.overview(search="kam"),
    "details": lambda tx: tx.registry.details_of(METER),
    "pulse inputs": lambda tx: tx.registry.pulse_inputs([("roof", "1")]),
    "heard again": lambda tx: tx.archive.add_receptions(
        [(1, Reception("attic", NOON - timedelta(1), NOON, boot="b", seq=2), None)]
    ),
    "merge": lambda tx: tx.archive.merge(1, 2),
    "mending": lambda tx: (tx.upkeep.ask_mending([METER]), tx.upkeep.drop_idle(), tx.upkeep.to_mend(9)),
    "waiting of a meter": lambda tx: tx.archive.scan(Scope(METER, (TelegramState.HELD,))),
    "a replay": lambda tx: tx.archive.scan(Scope(since=NOON), after=1),
    "foreign telegrams go": lambda tx: tx.upkeep.forget_foreign(NOON + timedelta(9), 10),
    "strangers": lambda tx: tx.upkeep.strangers(NOON),
    "held": lambda tx: tx.archive.count(TelegramState.HELD),
    "boots": lambda tx: tx.ledger.boots("roof0"),
    "gaps of a gateway": lambda tx: tx.ledger.gaps("roof0"),
    "signal": lambda tx: tx.coverage.signal(METER, NOON, NOON),
    "rhythms": lambda tx: tx.coverage.heard_times([METER], 9),
    "of telegrams": lambda tx: tx.readings.of_telegrams([1, 2]),
}


@pytest.fixture
def store():
    filled = memory_store(FixedClock(NOON))
    heard = [
        NewTelegram(
            METER, b"f", b"f" * 16, TelegramState.HELD, "", [(Reception(f"roof{n}", NOON, NOON), None)]
        )
        for n in range(3)
    ]
    with filled.writing() as tx:
        tx.registry.put_meters([Meter(METER)])
        for number in tx.archive.add(heard):
            source = Provenance(number, "roof", None, "1")
            value = Decimal(number)
            tx.readings.add([Reading(METER, VOLUME, value, "m3", NOON, NOON, Way.RADIO, Quality.RAW, source)])
    return filled


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_large_table_is_walked(store, question):
    walked, asked = [], []

    def explain(connection, _cursor, statement, parameters, _context, executemany):
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            asked.append(statement)
            one = parameters[0] if executemany else parameters
            driver = connection.connection.driver_connection
            plan = driver.execute(f"EXPLAIN QUERY PLAN {statement}", one)
            walked.extend(
                (statement, step) for *_, step in plan if step in {f"SCAN {table}" for table in LARGE}
            )

    sa.event.listen(store.database.engine, "before_cursor_execute", explain)
    with store.writing() as tx:
        QUESTIONS[question](tx)
    assert asked
    assert walked == []
