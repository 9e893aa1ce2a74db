"""Every item ends as exactly one of five, and what it gave rise to is stored with it."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingest.items import Delivery
from ingest.pipeline import Pipeline
from ingest.routes import Route, Router
from metering.errors import StoreUnavailable
from metering.meter import Meter, PulseInput
from metering.ports import Outcome, TelegramState
from metering.reading import Quality, Register, Way

VOLUME = Register("volume")
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def outcomes(store, *deliveries: Delivery, router: Router | None = None) -> list[str]:
    results = Pipeline(store, router=router).accept(deliveries)
    return [f"{result.outcome} {result.reason}".strip() for result in results]


def volumes(store, meter) -> list[tuple[datetime, Decimal]]:
    with store.reading() as view:
        return [(one.measured_at, one.value) for one in view.readings.series(meter, VOLUME, *EVER)]


def telegrams(store):
    with store.reading() as view:
        return sorted(view.archive.telegrams(limit=1000), key=lambda one: one.id)


def quarantined(store):
    with store.reading() as view:
        return view.ledger.quarantined(limit=1000)


def account(store) -> dict[str, tuple[int, dict[Outcome, int]]]:
    with store.reading() as view:
        return {
            row.name: (row.received, {k: n for k, n in row.outcomes.items() if n})
            for row in view.ledger.gateways()
        }


# --- stored --------------------------------------------------------------------------------------


def test_a_telegram_of_a_registered_meter_is_stored_with_its_reading(store, make):
    frame = make.frame(litres=7704)
    heard = make.NOON - timedelta(seconds=3)
    assert outcomes(store, make.up(make.item(frame, 1, at=heard, rssi=-71, mode="T1"))) == ["stored"]
    [telegram] = telegrams(store)
    assert (telegram.frame, telegram.state, telegram.heard_at) == (frame, TelegramState.STORED, heard)
    [(reception, raw)] = telegram.receptions
    assert (reception.sequence, reception.rssi_dbm, reception.mode, raw) == (
        ("gw1", "b1", 1),
        -71,
        "T1",
        None,
    )
    with store.reading() as view:
        [reading] = view.readings.series(make.meter(), VOLUME, *EVER)
    assert (reading.value, reading.unit, reading.measured_at) == (Decimal("7.704"), "m3", heard)
    assert (reading.way, reading.quality, reading.provenance.telegram) == (
        Way.RADIO,
        Quality.RAW,
        telegram.id,
    )


def test_an_encrypted_telegram_is_stored_with_its_key(new_store, make):
    store = new_store(12345678, keys={12345678: make.KEY})
    assert outcomes(store, make.up(make.item(make.frame(key=make.KEY), 1))) == ["stored"]
    assert [value for _, value in volumes(store, make.meter())] == [Decimal("7.704")]


def test_a_telegram_with_a_broken_tail_stores_its_good_records(store, make):
    frame = make.frame(payload=make.litres(7704) + b"\x04\x13\x01")
    assert outcomes(store, make.up(make.item(frame, 1))) == ["stored"]
    assert [value for _, value in volumes(store, make.meter())] == [Decimal("7.704")]


def test_link_layer_checksums_are_taken_off_and_the_bytes_kept_as_they_came(store, make):
    frame, sent = make.frame(), make.with_crcs(make.frame())
    assert outcomes(store, make.up(make.item(sent, 1))) == ["stored"]
    [telegram] = telegrams(store)
    assert telegram.frame == frame
    assert [raw for _, raw in telegram.receptions] == [sent]


def test_two_bytes_that_happen_to_fit_format_b_are_not_taken_for_checksums(store, make):
    """One frame in 65536 ends so; its last record must not be cut."""
    frame = make.ends_like_format_b()
    assert outcomes(store, make.up(make.item(frame, 1))) == ["stored"]
    assert [telegram.frame for telegram in telegrams(store)] == [frame]


# --- duplicate -----------------------------------------------------------------------------------


def test_a_known_number_is_a_duplicate_whatever_it_carries(store, make):
    first = make.up(make.item(make.frame(), 1))
    again = make.up(make.item(make.frame(), 1), {"k": "frame", "boot": "b1", "seq": 1, "hex": "zz"})
    assert outcomes(store, first) == ["stored"]
    assert outcomes(store, again) == ["duplicate", "duplicate"]
    assert len(telegrams(store)) == 1


def test_a_transmission_heard_by_three_gateways_is_one_telegram(store, make):
    frame = make.frame()
    heard = [make.up(make.item(frame, 1, rssi=-60 - n), gateway=f"gw{n}") for n in range(3)]
    assert outcomes(store, heard[0], heard[1]) == ["stored", "duplicate"]
    assert outcomes(store, heard[2]) == ["duplicate"]
    [telegram] = telegrams(store)
    assert [(one.gateway, one.rssi_dbm) for one, _ in telegram.receptions] == [
        ("gw0", -60),
        ("gw1", -61),
        ("gw2", -62),
    ]
    assert len(volumes(store, make.meter())) == 1


def test_identical_bytes_later_than_the_window_are_a_new_telegram(store, make):
    frame = make.frame()
    later = make.NOON + timedelta(seconds=16)
    assert outcomes(store, make.up(make.item(frame, 1))) == ["stored"]
    assert outcomes(store, make.up(make.item(frame, 2, at=later), at=later)) == ["stored"]
    assert [when for when, _ in volumes(store, make.meter())] == [make.NOON, later]


def test_an_earlier_reception_that_comes_late_moves_the_telegram(store, make):
    frame, earlier = make.frame(), make.NOON - timedelta(seconds=2)
    assert outcomes(store, make.up(make.item(frame, 1), gateway="a")) == ["stored"]
    assert outcomes(store, make.up(make.item(frame, 1, at=earlier, hist=True), gateway="b")) == ["duplicate"]
    assert [telegram.heard_at for telegram in telegrams(store)] == [earlier]
    assert [when for when, _ in volumes(store, make.meter())] == [earlier]


def test_a_reception_between_two_telegrams_makes_them_one(store, make):
    frame, step = make.frame(), timedelta(seconds=4)
    ends = [make.up(make.item(frame, n, at=make.NOON + 2 * n * step), gateway="a") for n in (0, 1)]
    assert outcomes(store, ends[1], ends[0]) == ["stored", "stored"]
    assert outcomes(store, make.up(make.item(frame, 1, at=make.NOON + step), gateway="b")) == ["duplicate"]
    [telegram] = telegrams(store)
    assert [one.heard_at for one, _ in telegram.receptions] == [
        make.NOON,
        make.NOON + step,
        make.NOON + 2 * step,
    ]
    assert volumes(store, make.meter()) == [(make.NOON, Decimal("7.704"))]


def test_merging_a_foreign_with_a_stored_telegram_keeps_the_reading(new_store, make):
    store = new_store(99)
    frame, step = make.frame(), timedelta(seconds=4)
    assert outcomes(store, make.up(make.item(frame, 1), gateway="a")) == ["foreign"]
    with store.writing() as transaction:
        transaction.registry.put_meters([Meter(make.meter())])
    assert outcomes(store, make.up(make.item(frame, 2, at=make.NOON + 2 * step), gateway="a")) == ["stored"]
    assert outcomes(store, make.up(make.item(frame, 1, at=make.NOON + step), gateway="b")) == ["duplicate"]
    assert [telegram.state for telegram in telegrams(store)] == [TelegramState.STORED]
    assert volumes(store, make.meter()) == [(make.NOON, Decimal("7.704"))]


def test_a_held_telegram_heard_again_stays_held(new_store, make):
    store = new_store(12345678)
    frame = make.frame(key=make.KEY)
    assert outcomes(store, make.up(make.item(frame, 1), gateway="a")) == ["held missing_key"]
    with store.writing() as transaction:
        transaction.keyring.put([(make.meter(), make.KEY)])
    assert outcomes(store, make.up(make.item(frame, 1), gateway="b")) == ["duplicate"]
    assert [telegram.state for telegram in telegrams(store)] == [TelegramState.HELD]


HEX = Router([Route("wmbus/+/telegram", "hex")])


def bare(make, seconds: float = 0, **more) -> Delivery:
    return make.bare(make.frame(), at=make.NOON + timedelta(seconds=seconds), **more)


def test_a_delivery_the_broker_repeats_is_a_duplicate_though_it_has_no_number(store, make):
    assert outcomes(store, bare(make), router=HEX) == ["stored"]
    repeated = bare(make, 3 * 86400, redelivered=True)
    assert outcomes(store, repeated, router=HEX) == ["duplicate"]
    assert [len(telegram.receptions) for telegram in telegrams(store)] == [1]


@pytest.mark.parametrize("other", [{"gateway": "cellar"}, {"seconds": 8 * 86400}])
def test_a_repeated_delivery_nobody_saw_before_is_stored(store, make, other):
    assert outcomes(store, bare(make), router=HEX) == ["stored"]
    more = {"seconds": 60, **other}
    assert outcomes(store, bare(make, redelivered=True, **more), router=HEX) == ["stored"]


def test_a_repeated_delivery_in_the_batch_of_the_first_is_a_duplicate(store, make):
    first, again = bare(make), bare(make, 30, redelivered=True)
    assert outcomes(store, first, again, router=HEX) == ["stored", "duplicate"]


def test_the_same_unnumbered_reception_twice_is_one_reception(store, make):
    """rtl_wmbus prints a telegram once per receiving algorithm."""
    delivery = bare(make)
    assert outcomes(store, delivery, delivery, router=HEX) == ["stored", "duplicate"]
    assert outcomes(store, delivery, router=HEX) == ["duplicate"]
    assert [len(telegram.receptions) for telegram in telegrams(store)] == [1]


# --- foreign, held, quarantined ------------------------------------------------------------------


def test_a_neighbours_meter_is_foreign_and_archived_undecoded(store, make):
    assert outcomes(store, make.up(make.item(make.frame(55555555), 1))) == ["foreign"]
    assert [telegram.state for telegram in telegrams(store)] == [TelegramState.FOREIGN]
    assert volumes(store, make.meter(55555555)) == []


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"key": bytes(16)}, "missing_key"),
        ({"serial": 12345679, "key": bytes(16)}, "wrong_key"),
        ({"ci": 0xA2}, "manufacturer_specific"),
        ({"ci": 0x79}, "unknown_layout"),
    ],
)
def test_what_a_late_key_or_model_heals_is_held(new_store, make, frame, reason):
    store = new_store(12345678, 12345679, keys={12345679: make.KEY})
    made = make.frame(**frame)
    assert outcomes(store, make.up(make.item(made, 1))) == [f"held {reason}"]
    [telegram] = telegrams(store)
    assert (telegram.state, telegram.reason, telegram.frame) == (TelegramState.HELD, reason, made)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: b"\x01\x02\x03", "not_a_frame"),
        (lambda make: make.frame()[:-9], "truncated"),
        (lambda make: make.frame(ci=0x50), "not_meter_data"),
        (lambda make: make.frame(payload=b"\x04\x13\x01"), "truncated_record"),
        (lambda make: make.with_crcs(make.frame())[:-1] + b"\xff", "bad_crc"),
    ],
)
def test_what_nothing_can_heal_is_quarantined_byte_for_byte(store, make, damage, reason):
    delivery = make.up(make.item(damage(make), 1))
    assert outcomes(store, delivery) == [f"quarantined {reason}"]
    [kept] = quarantined(store)
    assert kept.payload == delivery.payload
    assert (kept.reason, kept.gateway, kept.topic) == (reason, "gw1", "amr/1/gw1/up")
    assert outcomes(store, delivery) == ["duplicate"], "its number is remembered"


def test_a_quarantined_item_of_an_array_keeps_its_own_bytes_only(store, make):
    bad = {"v": 1, "k": "frame", "boot": "b1", "seq": 7, "hex": "zz"}
    assert outcomes(store, make.up(make.item(make.frame(), 1), bad)) == ["stored", "quarantined bad_hex"]
    [kept] = quarantined(store)
    assert b"zz" in kept.payload
    assert kept.size == len(kept.payload) < 100


def test_a_message_over_the_limit_is_kept_cut(store, make):
    big = Delivery("amr/1/gw1/up", b" " * (1 << 20) + b"[]", make.NOON, size=5 << 20)
    assert outcomes(store, big) == ["quarantined too_large"]
    [kept] = quarantined(store)
    assert (kept.size, len(kept.payload)) == (5 << 20, 1 << 16)


def test_an_unknown_topic_is_quarantined_on_nobodys_account(store, make):
    assert outcomes(store, Delivery("else/where", b"{}", make.NOON)) == ["quarantined bad_topic"]
    assert account(store) == {"?": (1, {Outcome.QUARANTINED: 1})}


def test_a_kept_uplink_is_a_ghost_unless_it_carries_a_number(store, make):
    numbered = make.up(make.item(make.frame(), 1), retained=True)
    assert outcomes(store, make.up(make.item(make.frame()), retained=True)) == ["quarantined retained"]
    assert outcomes(store, numbered, numbered) == ["stored", "duplicate"]


def test_a_kept_message_does_not_make_a_silent_gateway_look_alive(store, make):
    week = timedelta(days=7)
    outcomes(store, make.up(make.item(make.frame(), 1)))
    outcomes(store, make.up(make.item(make.frame(), 1), at=make.NOON + week, retained=True))
    outcomes(store, make.up(make.item(make.frame(access=2)), at=make.NOON + week, retained=True))
    with store.reading() as view:
        assert [row.last_heard for row in view.ledger.gateways()] == [make.NOON]


# --- pulses --------------------------------------------------------------------------------------


@pytest.fixture
def pulse(make, store):
    with store.writing() as transaction:
        transaction.registry.put_pulse_inputs(
            [
                PulseInput(
                    "gw1",
                    "1",
                    make.meter(),
                    Decimal(10),
                    100,
                    Decimal("50.5"),
                    make.NOON - timedelta(days=9),
                    make.NOON,
                ),
                PulseInput("gw1", "1", make.meter(12345679), Decimal("2.5"), 0, Decimal(0), make.NOON),
            ]
        )

    def one(total: int, seq: int = 1, **fields):
        return {**make.item(b"\x00", seq), "k": "pulse", "ch": "1", "total": total, **fields}

    return one


def test_a_pulse_count_becomes_the_exact_index_of_the_meter_wired_then(store, make, pulse):
    before = pulse(123, 1, ts="2026-03-01T12:00:00Z", pulse_l="10")
    assert outcomes(store, make.up(before, pulse(7, 2))) == ["stored", "stored"]
    [(_, old)], [(when, new)] = volumes(store, make.meter()), volumes(store, make.meter(12345679))
    assert (old, new, when) == (Decimal("50.73"), Decimal("0.0175"), make.NOON)


def test_a_pulse_count_is_a_duplicate_by_its_number(store, make, pulse):
    assert outcomes(store, make.up(pulse(7)), make.up(pulse(7))) == ["stored", "duplicate"]
    assert outcomes(store, make.up(pulse(8))) == ["duplicate"]


@pytest.mark.parametrize("where", [{"ch": "2"}, {"ts": "2026-02-01T00:00:00Z"}])
def test_a_pulse_nobody_registered_is_foreign_and_its_number_remembered(store, make, pulse, where):
    assert outcomes(store, make.up(pulse(7, **where))) == ["foreign"]
    assert outcomes(store, make.up(pulse(7, **where))) == ["duplicate"]


def test_a_counter_below_its_start_was_reset(store, make, pulse):
    item = pulse(99, ts="2026-03-01T12:00:00Z")
    assert outcomes(store, make.up(item)) == ["quarantined counter_reset"]
    assert "99" in quarantined(store)[0].sentence


def test_a_pulse_weight_the_registry_contradicts_is_quarantined(store, make, pulse):
    assert outcomes(store, make.up(pulse(7, pulse_l="2.50"))) == ["stored"]
    assert outcomes(store, make.up(pulse(8, 2, pulse_l="25"))) == ["quarantined pulse_weight_differs"]


# --- account, states, transaction ----------------------------------------------------------------


def test_received_is_the_sum_of_the_five_per_gateway(store, make):
    frame, foreign = make.frame(), make.frame(55555555)
    mixed = make.up(make.item(frame, 1), make.item(frame, 1), make.item(foreign, 2), {"k": 1}, gateway="a")
    garbage, held = (
        make.up(gateway="b"),
        make.up(make.item(make.frame(12345679, key=make.KEY), 1), gateway="b"),
    )
    outcomes(store, mixed, Delivery("amr/1/b/up", b"{", make.NOON), held, garbage)
    five = account(store)
    assert five["a"] == (
        4,
        {Outcome.STORED: 1, Outcome.DUPLICATE: 1, Outcome.FOREIGN: 1, Outcome.QUARANTINED: 1},
    )
    assert five["b"] == (2, {Outcome.QUARANTINED: 1, Outcome.HELD: 1})
    assert all(received == sum(ends.values()) for received, ends in five.values())


def test_what_a_gateway_says_of_itself_is_booked_and_counted_nowhere(store, make):
    online = Delivery(
        "amr/1/gw1/state", b'{"v":1,"state":"online","ts":"2026-03-02T11:00:00Z"}', make.NOON, retained=True
    )
    assert outcomes(store, online, Delivery("amr/1/gw1/health", b"{}", make.NOON)) == []
    with store.reading() as view:
        [row] = view.ledger.gateways()
    assert (row.online, row.state_at, row.received) == (True, make.NOON - timedelta(hours=1), 0)


def test_when_the_commit_fails_nothing_of_the_batch_is_kept(store, make):
    class Failing:
        @contextlib.contextmanager
        def writing(self):
            with store.writing() as transaction:
                yield transaction
                raise StoreUnavailable("disk full")

    delivery = make.up(make.item(make.frame(), 1), {"k": 1})
    with pytest.raises(StoreUnavailable):
        Pipeline(Failing()).accept([delivery])
    assert (telegrams(store), list(quarantined(store)), account(store)) == ([], [], {})
    assert outcomes(store, delivery) == ["stored", "quarantined bad_field"]


def test_an_empty_batch_is_fine(store):
    assert outcomes(store) == []


def test_a_delivery_can_be_refused_whole(store, make):
    delivery = make.up(make.item(make.frame(), 1))
    [result] = Pipeline(store).refuse(delivery, "internal_error", "a defect")
    assert (result.gateway, result.outcome, result.reason) == ("gw1", Outcome.QUARANTINED, "internal_error")
    assert [kept.payload for kept in quarantined(store)] == [delivery.payload]


def test_a_spool_of_days_joins_each_telegram_of_a_meter_that_repeats_identical_bytes(store, make):
    """Days later a second gateway brings what it heard of the same bytes: each joins its own telegram."""
    step, frame = timedelta(minutes=20), make.frame()
    late = timedelta(days=3)
    live = [make.item(frame, n, at=make.NOON + n * step) for n in range(30)]
    assert set(outcomes(store, make.up(*live, gateway="a", at=make.NOON + late))) == {"stored"}
    spool = [
        make.item(frame, n, at=make.NOON + n * step + timedelta(seconds=2), hist=True) for n in range(30)
    ]
    assert set(outcomes(store, make.up(*spool, gateway="b", at=make.NOON + late))) == {"duplicate"}
    heard = [[(one.gateway, one.seq) for one, _ in telegram.receptions] for telegram in telegrams(store)]
    assert heard == [[("a", n), ("b", n)] for n in range(30)]
