"""Messages of several frames: read as one whatever order they come in, whoever takes them in."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decoders.build import build, build_wired
from decoders.wmbus import afl, ciphers
from ingest.items import Delivery
from ingest.judge import Judge
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from ingest.upkeep import mend_asked
from metering.meter import Meter, MeterId
from metering.ports import Scope, TelegramState

METER = MeterId("ABC", "12345678", "01", "07")
KEY = bytes(range(16))
COUNTER = (2739).to_bytes(4, "little")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

INDEX, OLD_INDEX, OLD_DATE, FLOW = "0413181E0000", "4413F4010000", "426C2137", "023B2C01"
"""7.704 m3; under storage 1: 0.500 m3, of 2025-07-01; 0.3 m3/h."""
MORE = "1F"
DUE = datetime(2025, 6, 30, 22, tzinfo=UTC)


def telegrams(*payloads: str, first: int = 250, key: bytes | None = None, wired: bool = False) -> list[bytes]:
    """Telegrams that continue one another: all but the last say that more follows."""
    made = []
    for place, payload in enumerate(payloads):
        content = bytes.fromhex(payload + (MORE if place < len(payloads) - 1 else ""))
        access = (first + place) % 256
        if wired:
            made.append(build_wired(METER, content, access=access))
        else:
            made.append(build(METER, content, access=access, mode=5 if key else 0, key=key))
    return made


def fragments(*, size: int = 40, litres: int = 0, sealed: bool = False, broken: int = 0) -> list[bytes]:
    """A message of thirty indexes, of storage 32 to 61, cut in parts; sealed in mode 7 with its code."""
    records = b"".join(
        bytes.fromhex("841013") + (litres + number).to_bytes(4, "little") for number in range(30)
    )
    transport, code = _sealed(records) if sealed else (bytes.fromhex("7A05000000") + records, b"")
    cuts = [transport[at : at + size] for at in range(0, len(transport), size)]
    length = (len(transport) + broken).to_bytes(2, "little")
    frames = []
    for number, part in enumerate(cuts, 1):
        first, last = number == 1, number == len(cuts)
        layer = afl.write(
            fragment=number,
            more=not last,
            control=0x35 if first and sealed else None,
            counter=COUNTER if first and sealed else b"",
            mac=code if last else b"",
            length=length if first else b"",
        )
        frames.append(build(METER, layer[1:] + part, header="none", ci=0x90))
    return frames


def _sealed(records: bytes) -> tuple[bytes, bytes]:
    def derived(purpose: bytes) -> bytes:
        return ciphers.derive(KEY, purpose, COUNTER, bytes.fromhex("78563412"))

    plain = b"\x2f\x2f" + records
    plain += b"\x2f" * (-len(plain) % 16)
    header = bytes.fromhex("7A 75 00") + (0x0700 | len(plain)).to_bytes(2, "little") + b"\x10"
    transport = header + ciphers.encrypt_cbc(derived(ciphers.ENCRYPTION), bytes(16), plain)
    length = len(transport).to_bytes(2, "little")
    covered = b"\x35" + COUNTER + length + transport
    return transport, ciphers.cmac(derived(ciphers.MAC), covered)[:8]


@pytest.fixture
def deliver(make):
    """Make deliveries of frames, some seconds apart, numbered by their gateway."""

    def some(frames, *, apart: float = 3, start: int = 0, gateway: str = "gw1"):
        return [
            make.up(
                make.item(frame, start + number, at=NOON + timedelta(seconds=apart * (start + number))),
                gateway=gateway,
                at=NOON + timedelta(days=1),
            )
            for number, frame in enumerate(frames)
        ]

    return some


def said(store) -> set[tuple[str, datetime, Decimal]]:
    """All readings of the meter; each is stored once."""
    with store.reading() as view:
        found = [
            (register.key, one.measured_at, one.value)
            for register, _ in view.readings.registers(METER)
            for one in view.readings.series(METER, register, *EVER)
        ]
    assert len(found) == len(set(found))
    return set(found)


def states(store) -> list[str]:
    with store.reading() as view:
        archived = view.archive.telegrams(meter=METER, limit=1000)
    return sorted(f"{one.state} {one.reason}".strip() for one in archived)


def steady(store) -> bool:
    """Whether deriving everything again changes nothing."""
    return Replay(store).compare(Scope()).same


def accept(pipeline: Pipeline, *deliveries: Delivery) -> list[str]:
    return [f"{one.outcome} {one.reason}".strip() for one in pipeline.accept(deliveries)]


# --- telegrams after which more records follow ---------------------------------------------------


@pytest.mark.parametrize("wired", [False, True])
def test_a_date_in_the_last_telegram_holds_for_a_value_in_the_first(new_store, deliver, wired):
    store = new_store()
    pipeline = Pipeline(store)
    first, middle, last = deliver(
        telegrams(INDEX + OLD_INDEX, FLOW, OLD_DATE, wired=wired), apart=0 if wired else 3
    )
    assert accept(pipeline, first) == ["stored"]
    assert ("volume/s1", NOON, Decimal("0.500")) in said(store), "as good as it can be told alone"
    accept(pipeline, middle)
    accept(pipeline, last)
    later = timedelta(seconds=0 if wired else 3)
    assert said(store) == {
        ("volume", NOON, Decimal("7.704")),
        ("volume/s1", DUE, Decimal("0.500")),
        ("volume_flow", NOON + later, Decimal("0.3")),
    }
    assert steady(store)


def test_each_telegram_stays_the_source_of_what_it_said(
    new_store,
    deliver,
):
    store = new_store()
    Pipeline(store).accept(deliver(telegrams(INDEX + OLD_INDEX, FLOW, OLD_DATE)))
    with store.reading() as view:
        told = [view.readings.of_telegram(number)[0] for number in (1, 2, 3)]
    assert [len(readings) for readings in told] == [2, 1, 0]


@given(st.permutations(range(6)), st.lists(st.integers(0, 2), min_size=6, max_size=6), st.booleans())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_and_workers_do_not_matter(new_store, deliver, order, workers, sealed):
    """Two rounds of three telegrams, in any order, each taken in by any of three workers."""
    key = KEY if sealed else None
    rounds = [
        *telegrams(INDEX + OLD_INDEX, FLOW, OLD_DATE, first=250, key=key),
        *telegrams("0413FF1E0000" + OLD_INDEX, "023B2D01", OLD_DATE, first=254, key=key),
    ]
    sent = deliver(rounds, apart=20)
    in_order, shuffled = new_store(keys={12345678: KEY}), new_store(keys={12345678: KEY})
    Pipeline(in_order).accept(sent)
    crew = [Pipeline(shuffled, judge=Judge()) for _ in range(3)]
    for place in order:
        assert accept(crew[workers[place]], sent[place]) == ["stored"]
    assert said(shuffled) == said(in_order)
    assert ("volume/s1", DUE, Decimal("0.500")) in said(in_order)
    assert not any(key == "volume/s1" and at != DUE for key, at, _ in said(in_order))
    assert steady(in_order)
    assert steady(shuffled)
    in_order.close()
    shuffled.close()


def test_a_worker_that_never_met_such_a_meter_knows_it_from_the_others(new_store, deliver):
    """It is told with the edition of the registry, so before its next batch."""
    store = new_store()
    one, other = Pipeline(store), Pipeline(store)
    first, last, strange = deliver([*telegrams(INDEX + OLD_INDEX, OLD_DATE), build(METER, b"", access=9)])
    accept(other, strange)
    accept(one, first)
    accept(other, last)
    assert ("volume/s1", DUE, Decimal("0.500")) in said(store)


def test_a_meter_that_says_of_each_telegram_that_more_follows_is_read_telegram_by_telegram(
    new_store, deliver
):
    store, pipeline = new_store(), None
    frames = [build(METER, bytes.fromhex(f"0413{n:02x}000000{MORE}"), access=n) for n in range(5)]
    pipeline = Pipeline(store)
    for delivery in deliver(frames, apart=60):
        assert accept(pipeline, delivery) == ["stored"]
    assert {value for _, _, value in said(store)} == {Decimal(n) / 1000 for n in range(5)}
    assert steady(store)


@pytest.mark.parametrize(
    ("payloads", "first", "apart"),
    [((INDEX + OLD_INDEX, "4413FF010000" + OLD_DATE), 1, 3), ((INDEX + OLD_INDEX, OLD_DATE), 1, 3601)],
    ids=["another value of the register", "more than an hour apart"],
)
def test_what_does_not_belong_together_is_read_apart(new_store, deliver, payloads, first, apart):
    store = new_store()
    Pipeline(store).accept(deliver(telegrams(*payloads, first=first), apart=apart))
    assert ("volume/s1", NOON, Decimal("0.500")) in said(store)
    assert steady(store)


def test_without_the_next_access_number_nothing_continues(new_store, deliver):
    store = new_store()
    first, _, last = telegrams(INDEX + OLD_INDEX, FLOW, OLD_DATE)
    Pipeline(store).accept(deliver([first, last]))
    assert ("volume/s1", NOON, Decimal("0.500")) in said(store)
    assert steady(store)


def test_a_key_that_comes_late_reads_all_of_the_message(new_store, deliver):
    """Though its first telegram came in clear, and was read when it came."""
    store, early = new_store(), new_store(keys={12345678: KEY})
    (clear, _), (_, sealed) = telegrams(INDEX + OLD_INDEX, OLD_DATE), telegrams(FLOW, OLD_DATE, key=KEY)
    sent = deliver([clear, sealed])
    assert accept(Pipeline(store), *sent) == ["stored", "held missing_key"]
    accept(Pipeline(early), *sent)
    with store.writing() as tx:
        tx.keyring.put([(METER, KEY)])
    assert mend_asked(store, Replay(store)) == 1
    assert said(store) == said(early)
    assert ("volume/s1", DUE, Decimal("0.500")) in said(store)


# --- fragments -----------------------------------------------------------------------------------


def values(store) -> list[int]:
    return sorted(int(value * 1000) for _, _, value in said(store))


@given(st.integers(0, 1 << 32), st.integers(25, 120), st.booleans())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fragments_are_read_as_soon_as_all_are_there(new_store, deliver, seed, size, sealed):
    """In any order, repeated, taken in by several workers; the readings are of when the first was heard."""
    store, dice = new_store(keys={12345678: KEY}), random.Random(seed)
    sent = deliver(fragments(size=size, sealed=sealed))
    order = [*sent, *dice.sample(sent, 1)]
    dice.shuffle(order)
    crew = [Pipeline(store) for _ in range(3)]
    ended = [accept(dice.choice(crew), one)[0] for one in order]
    assert sorted(ended) == ["duplicate", *["held fragment"] * len(sent)]
    assert values(store) == list(range(30))
    assert {at for _, at, _ in said(store)} == {NOON}
    assert states(store) == ["stored"] * len(sent)
    assert steady(store)
    store.close()


def test_a_fragment_that_is_missing_keeps_the_others_waiting_until_it_comes(new_store, deliver):
    store = new_store()
    pipeline = Pipeline(store)
    sent = deliver(fragments())
    pipeline.accept([sent[0], *sent[2:]])
    assert set(states(store)) == {"held fragment"}
    assert values(store) == []
    assert Replay(store).run(Scope()).same
    pipeline.accept([sent[1]])
    assert values(store) == list(range(30))
    assert set(states(store)) == {"stored"}


def test_fragments_of_another_message_do_not_take_the_place_of_lost_ones(new_store, deliver):
    """Nothing but the time tells them apart here: they have no authentication code."""
    store = new_store()
    one, other = fragments(size=80), fragments(size=80, litres=100)
    pipeline = Pipeline(store)
    pipeline.accept(deliver(one[:1]))
    pipeline.accept(deliver(other[1:], apart=130, start=1))
    assert values(store) == []
    assert set(states(store)) == {"held fragment"}


def test_two_messages_one_after_the_other_are_two(new_store, deliver):
    store = new_store()
    sent = deliver([*fragments(), *fragments(litres=100)])
    random.Random(20).shuffle(sent)
    for one in sent:
        Pipeline(store).accept([one])
    assert values(store) == [*range(30), *range(100, 130)]
    assert set(states(store)) == {"stored"}
    assert steady(store)


def test_a_code_proves_fragments_that_lie_far_apart(new_store, deliver):
    store = new_store(keys={12345678: KEY})
    Pipeline(store).accept(deliver(fragments(sealed=True, size=80), apart=1500))
    assert values(store) == list(range(30))


@pytest.mark.parametrize(
    ("wrong", "reason"), [({"broken": 1}, "bad_length"), ({"sealed": True}, "missing_key")]
)
def test_a_message_that_cannot_be_read_is_held_and_says_why(new_store, deliver, wrong, reason):
    store = new_store()
    Pipeline(store).accept(deliver(fragments(**wrong)))
    assert set(states(store)) == {f"held {reason}"}
    assert said(store) == set()


def test_a_key_that_comes_late_reads_the_fragments(new_store, deliver):
    store = new_store()
    sent = deliver(fragments(sealed=True))
    Pipeline(store).accept(sent)
    with store.writing() as tx:
        tx.keyring.put([(METER, KEY)])
    assert mend_asked(store, Replay(store)) == len(sent)
    assert values(store) == list(range(30))
    assert set(states(store)) == {"stored"}
    assert steady(store)


def test_a_meter_registered_late_has_its_messages_read(new_store, deliver):
    store = new_store(99999999)
    sent = deliver([*fragments(), *telegrams(INDEX + OLD_INDEX, OLD_DATE)])
    assert set(accept(Pipeline(store), *sent)) == {"foreign"}
    with store.writing() as tx:
        tx.registry.put_meters([Meter(METER)])
    assert mend_asked(store, Replay(store)) == len(sent)
    assert {("volume/s1", DUE, Decimal("0.500")), ("volume", NOON, Decimal("7.704"))} & said(store)
    assert set(states(store)) == {"stored"}
    assert steady(store)


def test_a_first_fragment_heard_again_as_one_transmission_keeps_the_message(new_store, deliver, make, see):
    """Two gateways heard it so far apart that it was two telegrams, until a third hears it in between."""
    store = new_store()
    pipeline = Pipeline(store)
    frames = fragments(size=80)
    pipeline.accept(deliver(frames))
    for seconds, gateway in ((-8, "gw2"), (-4, "gw3")):
        at = NOON + timedelta(seconds=seconds)
        pipeline.accept([make.up(make.item(frames[0], 1, at=at), gateway=gateway, at=at)])
    assert len(see.telegrams(store)) == len(frames), "one transmission"
    assert values(store) == list(range(30))
    assert {one.state for one in see.telegrams(store)} == {TelegramState.STORED}
    assert steady(store)
