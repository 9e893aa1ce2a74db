"""Two workers on each store: what comes in parts or changes places ends as if one had taken all in order."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

from decoders.build import build
from decoders.wmbus import afl
from ingest.items import Delivery
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from metering.gateway import Condition, condition
from metering.meter import Meter, PulseInput
from metering.ports import Scope, TelegramState
from metering.reading import Register
from metering.store.sql.looking_after import check

VOLUME, OLD_VOLUME, MORE, OLD_DATE = "0413181E0000", "4413F4010000", "1F", "426C2137"


def up(make, second: float, *items: dict[str, object], leaf: str = "up") -> Delivery:
    stamp = make.at(second).isoformat().replace("+00:00", "Z")
    said = [{"v": 1, "boot": "b", "ts": stamp, "ts_src": "ntp", **item} for item in items]
    payload = json.dumps(said if leaf == "up" else said[0]).encode()
    return Delivery(f"amr/1/roof/{leaf}", payload, make.at(second))


def frame(make, second: float, number: int, raw: bytes) -> Delivery:
    return up(make, second, {"k": "frame", "seq": number, "hex": raw.hex()})


def series(store, make, register: str) -> list[tuple[float, Decimal]]:
    with store.reading() as tx:
        found = tx.readings.series(
            make.meter, Register.parse(register), make.at(-4e8), make.at(4e8), limit=99
        )
    return [((one.measured_at - make.noon).total_seconds(), one.value) for one in found]


def sound(store) -> bool:
    return check(store.database) == []


def test_telegrams_that_continue_one_another_are_dated_whoever_took_them_in(store, make):
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
    parts = [VOLUME + OLD_VOLUME + MORE, "023B2C01" + MORE, OLD_DATE]
    raw = [build(make.meter, bytes.fromhex(part), access=7 + n) for n, part in enumerate(parts)]
    one, other = Pipeline(store), Pipeline(store)
    for worker, place in ((one, 0), (other, 2), (one, 1)):
        (ended,) = worker.accept([frame(make, 5 * place, place, raw[place])])
        assert ended.outcome == "stored"
    ((due, value),) = series(store, make, "volume/s1")
    assert (make.at(due).year, value) == (2025, Decimal("0.5"))
    assert series(store, make, "volume") == [(0, Decimal("7.704"))]
    assert series(store, make, "volume_flow") == [(5, Decimal("0.3"))]
    assert Replay(store).compare(Scope()).same
    assert sound(store)


def test_fragments_are_read_with_the_last_of_them_whoever_took_them_in(store, make):
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
    transport = bytes.fromhex("7A05000000" + VOLUME)
    length = len(transport).to_bytes(2, "little")
    cuts = [transport[:6], transport[6:9], transport[9:]]
    raw = [
        build(
            make.meter,
            afl.write(fragment=number, more=number < 3, length=length if number == 1 else b"")[1:] + cut,
            header="none",
            ci=0x90,
        )
        for number, cut in enumerate(cuts, 1)
    ]
    crew = [Pipeline(store) for _ in raw]
    for place in (2, 0, 1):
        assert series(store, make, "volume") == []
        crew[place].accept([frame(make, place, place, raw[place])])
    assert series(store, make, "volume") == [(0, Decimal("7.704"))]
    with store.reading() as tx:
        assert {one.state for one in tx.archive.telegrams()} == {TelegramState.STORED}
    assert Replay(store).compare(Scope()).same
    assert sound(store)


def test_a_counter_s_last_state_before_a_reset_that_comes_after_it_is_counted(store, make):
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
        since = make.noon - timedelta(days=1)
        tx.registry.put_pulse_inputs(
            [PulseInput("roof", "1", make.meter, Decimal(1000), 0, Decimal(0), since)]
        )
    one, other = Pipeline(store), Pipeline(store)
    states = [(0, 100), (60, 105), (120, 3), (180, 8)]
    for worker, place in ((one, 0), (one, 2), (one, 3), (other, 1)):
        second, total = states[place]
        (ended,) = worker.accept([up(make, second, {"k": "pulse", "seq": place, "ch": "1", "total": total})])
        assert ended.outcome == "stored"
    in_order = [(0, 100), (60, 105), (120, 105), (180, 110)]
    assert series(store, make, "volume") == [(second, Decimal(index)) for second, index in in_order]
    assert sound(store)


def test_what_a_gateway_said_later_holds_and_a_gap_is_closed_by_what_fills_it(store, make):
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
    one, other = Pipeline(store), Pipeline(store)
    telegrams = [frame(make, n, n, build(make.meter, bytes.fromhex(VOLUME), access=n)) for n in range(1, 4)]
    offline, online = (
        up(make, second, {"state": state}, leaf="state") for second, state in ((5, "offline"), (6, "online"))
    )
    one.accept([telegrams[0], telegrams[2], online])
    with store.reading() as tx:
        assert [(gap.first, gap.last) for gap in tx.ledger.gaps("roof")] == [(2, 2)]
    other.accept([offline, telegrams[1]])
    with store.reading() as tx:
        (row,) = tx.ledger.gateways()
        assert (row.online, list(tx.ledger.gaps("roof"))) == (True, [])
    assert condition(row, make.at(10)) is Condition.ONLINE
    assert (row.received, sum(row.outcomes.values())) == (3, 3)
