"""The same deliveries in any order, in any batches, any number of times, give the same database."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.pipeline import Pipeline
from ingest.routes import CONTRACT_ROUTES, Route, Router
from metering.meter import PulseInput

ROUTER = Router([*CONTRACT_ROUTES, Route("wmbus/+/telegram", "hex")])

REGISTERED, LOCKED, FOREIGN = 12345678, 12345679, 55555555


@st.composite
def receptions(draw):
    """Transmissions of three meters, each heard by some gateways within seconds, some at the same index."""
    heard = []
    for meter in draw(st.lists(st.sampled_from([REGISTERED, LOCKED, FOREIGN]), min_size=1, max_size=5)):
        start = draw(st.integers(0, 40))
        content = draw(st.integers(0, 1))
        for gateway in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3)):
            late = draw(st.integers(0, 6))
            numbered = draw(st.booleans())
            # Two different telegrams of one meter never start in the same microsecond.
            heard.append((meter, content, gateway, start + late + content / 1000, numbered))
    return heard


def deliveries(make, heard):
    """One delivery per reception; numbered ones by the contract, others as bare lines."""
    made = []
    for seq, (meter, content, gateway, second, numbered) in enumerate(heard):
        key = make.KEY if meter == LOCKED else None
        frame = make.frame(meter, access=content, litres=1000 + content, key=key)
        at = make.NOON + timedelta(seconds=second)
        if numbered:
            made.append(make.up(make.item(frame, seq, at=at, rssi=-60 - seq), gateway=gateway, at=at))
        else:
            made.append(make.bare(frame, gateway=gateway, at=at))
    pulse = {"k": "pulse", "boot": "p", "ts_src": "gps", "ch": "1"}
    for seq in range(3):
        stamp = (make.NOON + timedelta(seconds=seq)).isoformat()
        made.append(make.up({**pulse, "seq": seq, "ts": stamp, "total": seq}, gateway="a"))
    made.append(make.up({**pulse, "seq": 9, "total": -1}, gateway="a"))
    return made


def database(store):
    """What must not depend on order: telegrams with their receptions, readings, and what was refused."""
    with store.reading() as view:
        telegrams = view.archive.telegrams(limit=1000)
        found = {
            "telegrams": sorted(
                (
                    one.fingerprint.hex(),
                    one.heard_at,
                    one.state,
                    one.reason,
                    sorted(
                        (r.gateway, r.heard_at, r.rssi_dbm or 0, r.boot or "", r.seq or 0)
                        for r, _ in one.receptions
                    ),
                )
                for one in telegrams
            ),
            "readings": sorted(
                (str(meter), register.key, one.measured_at, one.value)
                for meter in {one.meter for one in telegrams}
                for register, _ in view.readings.registers(meter)
                for one in view.readings.series(meter, register, _first(telegrams), _last(telegrams))
            ),
            "refused": sorted(one.payload for one in view.ledger.quarantined(limit=1000)),
        }
        for row in view.ledger.gateways():
            assert row.received == sum(row.outcomes.values())
    return found


def _first(telegrams):
    return min(one.heard_at for one in telegrams) - timedelta(days=1)


def _last(telegrams):
    return max(one.heard_at for one in telegrams) + timedelta(days=1)


def fill(new_store, make, batches):
    store = new_store(REGISTERED, LOCKED)
    with store.writing() as transaction:
        pulse = PulseInput("a", "1", make.meter(REGISTERED), 1 * make.LITRE, 0, 0 * make.LITRE, make.NOON)
        transaction.registry.put_pulse_inputs([pulse])
    pipeline = Pipeline(store, router=ROUTER)
    for batch in batches:
        pipeline.accept(batch)
    content = database(store)
    store.close()
    return content


def shuffled(made, seed: int):
    """Every delivery one to three times, in any order, cut into any batches."""
    chance = random.Random(seed)
    many = [one for one in made for _ in range(chance.randint(1, 3))]
    chance.shuffle(many)
    cuts = sorted(chance.sample(range(1, len(many)), chance.randint(0, min(6, len(many) - 1))))
    return [many[start:end] for start, end in zip([0, *cuts], [*cuts, len(many)], strict=True)]


@given(heard=receptions(), seed=st.integers(0, 2**32))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_batches_and_repetition_do_not_matter(new_store, make, heard, seed):
    made = deliveries(make, heard)
    in_order = fill(new_store, make, [made])
    assert fill(new_store, make, shuffled(made, seed)) == in_order
