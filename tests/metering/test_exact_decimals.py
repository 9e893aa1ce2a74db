"""Exact decimals and idempotent readings, as properties of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.clock import FixedClock
from metering.errors import InvalidValue
from metering.meter import MeterId, PulseInput
from metering.ports import NewTelegram, TelegramState
from metering.reading import Provenance, Quality, Reading, Register, Way, exact
from metering.store import SqlStore, memory_store
from metering.store.sql.schema import identities, latest, readings, registers, telegrams
from metering.uplink import Reception

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
METERS = [MeterId("KAM", f"{n:08d}", "1b", "16") for n in range(2)]
REGISTERS = [Register("volume"), Register("volume", storage=1)]

decimals = st.builds(
    lambda sign, digits, exponent: Decimal((sign, digits, exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=40).map(tuple),
    st.integers(-20, 20),
)


def reading(value, at=0, meter=METERS[0], register=REGISTERS[0], *, telegram=None, gateway="roof"):
    source = Provenance(telegram, gateway, None, "1")
    moment = NOON + at * HOUR
    return Reading(meter, register, Decimal(value), "m3", moment, NOON, Way.RADIO, Quality.RAW, source)


STORED = TelegramState.STORED

some_readings = st.lists(
    st.builds(
        reading,
        value=st.sampled_from(["9", "10", "10.0", "-1", "0.5"]),
        at=st.integers(0, 3),
        meter=st.sampled_from(METERS),
        register=st.sampled_from(REGISTERS),
    ),
    max_size=20,
)


def empty_store() -> SqlStore:
    return memory_store(FixedClock(NOON))


def contents(store: SqlStore):
    """Readings and newest times with names instead of numbers: those depend on who came first."""
    found = []
    with store.database.transaction(write=False) as connection:
        for table in (readings, latest):
            rows = sa.select(
                identities.c.name,
                registers.c.key,
                table.c.measured_at,
                *(table.c[name] for name in ("value", "received_at") if name in table.c),
            ).where(identities.c.id == table.c.meter, registers.c.id == table.c.register)
            found.append({tuple(row) for row in connection.execute(rows)})
    return found


@settings(max_examples=50)
@given(st.lists(decimals, min_size=1, max_size=20))
def test_every_decimal_comes_back_exactly(values):
    """Up to 40 digits, exponents -20 to 20, in their canonical form; equal numbers are one reading."""
    store = empty_store()
    with store.writing() as tx:
        new = tx.readings.add([reading(value) for value in values])
        back = tx.readings.series(METERS[0], REGISTERS[0], NOON, NOON + HOUR)
    assert new == len(back) == len(set(values))
    assert [one.value for one in back] == sorted(set(values))
    assert {one.value.as_tuple() for one in back} == {exact(value).as_tuple() for value in values}


@settings(max_examples=50)
@given(decimals.map(abs).filter(bool), decimals)
def test_pulse_inputs_come_back_exactly(litres, index):
    one = PulseInput("roof", "1", METERS[0], litres, 0, index, NOON)
    store = empty_store()
    with store.writing() as tx:
        tx.registry.put_pulse_inputs([one])
        assert tx.registry.pulse_inputs([("roof", "1")]) == {("roof", "1"): [one]}


@settings(max_examples=60)
@given(some_readings, st.data())
def test_any_order_and_any_repetition_give_the_same_tables(some, data):
    """In one batch or many, once or often."""
    plain, other = empty_store(), empty_store()
    with plain.writing() as tx:
        tx.readings.add(some)
    shuffled = data.draw(st.permutations(some + some))
    cut = data.draw(st.integers(0, len(shuffled)))
    for batch in (shuffled[:cut], shuffled[cut:], shuffled[:cut]):
        with other.writing() as tx:
            tx.readings.add(batch)
    assert contents(other) == contents(plain)


hearings = st.tuples(st.sampled_from(["attic", "cellar", "roof"]), st.integers(-3, 3))


@settings(max_examples=60)
@given(st.lists(hearings, min_size=1, max_size=5, unique=True), st.data())
def test_any_order_of_receptions_dates_a_telegram_the_same(some, data):
    """Time and source of its readings are those of the earliest, the first by name among several."""
    first = min(some, key=lambda one: (one[1], one[0]))
    store = empty_store()
    (gateway, at), *rest = data.draw(st.permutations(some))
    with store.writing() as tx:
        heard = [(reception(gateway, at), None)]
        (number,) = tx.archive.add([NewTelegram(METERS[0], b"a", b"f" * 16, STORED, "", heard)])
        tx.readings.add([reading("5", at, telegram=number, gateway=gateway)])
        tx.readings.add([reading("4", -9, register=REGISTERS[1], telegram=number, gateway=gateway)])
        for late in rest:
            tx.archive.add_receptions([(number, reception(*late), None)])
        said, _ = tx.readings.of_telegram(number)
        newest = tx.readings.latest(METERS[0])
    assert [one.measured_at for one in said] == [NOON + first[1] * HOUR, NOON - 9 * HOUR]
    assert {one.provenance.gateway for one in said} == {first[0]}
    assert list(newest) == list(said)
    with store.database.transaction(write=False) as connection:
        assert connection.scalar(sa.select(telegrams.c.heard_at)) == NOON + first[1] * HOUR


def reception(gateway, at):
    return Reception(gateway, NOON + at * HOUR, NOON + 5 * HOUR)


@given(decimals)
def test_the_canonical_form_is_the_same_number_without_exponent(value):
    plain = exact(value)
    assert plain == value
    assert plain.as_tuple().exponent <= 0
    assert not format(plain, "f").endswith("0") or plain == plain.to_integral_value()
    assert exact(plain).as_tuple() == plain.as_tuple()


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_reading(value):
    with pytest.raises(InvalidValue, match="not a number a register can hold"):
        reading(value)
