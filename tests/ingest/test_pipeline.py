"""A telegram is stored, held, foreign or quarantined, and what it gave rise to is stored with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingest.items import Delivery
from metering.ports import Outcome, TelegramState
from metering.reading import Quality, Register, Way

VOLUME = Register("volume")
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def test_a_telegram_of_a_registered_meter_is_stored_with_its_reading(store, make, see):
    frame = make.frame(litres=7704)
    heard = make.NOON - timedelta(seconds=3)
    assert see.outcomes(store, make.up(make.item(frame, 1, at=heard, rssi=-71, mode="T1"))) == ["stored"]
    [telegram] = see.telegrams(store)
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


def test_an_encrypted_telegram_is_stored_with_its_key(new_store, make, see):
    store = new_store(12345678, keys={12345678: make.KEY})
    assert see.outcomes(store, make.up(make.item(make.frame(key=make.KEY), 1))) == ["stored"]
    assert [value for _, value in see.volumes(store, make.meter())] == [Decimal("7.704")]


def test_a_telegram_with_a_broken_tail_stores_its_good_records(store, make, see):
    frame = make.frame(payload=make.litres(7704) + b"\x04\x13\x01")
    assert see.outcomes(store, make.up(make.item(frame, 1))) == ["stored"]
    assert [value for _, value in see.volumes(store, make.meter())] == [Decimal("7.704")]


def test_link_layer_checksums_are_taken_off_and_the_bytes_kept_as_they_came(store, make, see):
    frame, sent = make.frame(), make.with_crcs(make.frame())
    assert see.outcomes(store, make.up(make.item(sent, 1))) == ["stored"]
    [telegram] = see.telegrams(store)
    assert telegram.frame == frame
    assert [raw for _, raw in telegram.receptions] == [sent]


def test_two_bytes_that_happen_to_fit_format_b_are_not_taken_for_checksums(store, make, see):
    """One frame in 65536 ends so; its last record must not be cut."""
    frame = make.ends_like_format_b()
    assert see.outcomes(store, make.up(make.item(frame, 1))) == ["stored"]
    assert [telegram.frame for telegram in see.telegrams(store)] == [frame]


# --- foreign, held, quarantined ------------------------------------------------------------------


def test_a_neighbours_meter_is_foreign_and_archived_undecoded(store, make, see):
    assert see.outcomes(store, make.up(make.item(make.frame(55555555), 1))) == ["foreign"]
    assert [telegram.state for telegram in see.telegrams(store)] == [TelegramState.FOREIGN]
    assert see.volumes(store, make.meter(55555555)) == []


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"key": bytes(16)}, "missing_key"),
        ({"serial": 12345679, "key": bytes(16)}, "wrong_key"),
        ({"ci": 0xA2}, "manufacturer_specific"),
        ({"ci": 0x79}, "unknown_layout"),
    ],
)
def test_what_a_late_key_or_model_heals_is_held(new_store, make, frame, reason, see):
    store = new_store(12345678, 12345679, keys={12345679: make.KEY})
    made = make.frame(**frame)
    assert see.outcomes(store, make.up(make.item(made, 1))) == [f"held {reason}"]
    [telegram] = see.telegrams(store)
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
def test_what_nothing_can_heal_is_quarantined_byte_for_byte(store, make, damage, reason, see):
    delivery = make.up(make.item(damage(make), 1))
    assert see.outcomes(store, delivery) == [f"quarantined {reason}"]
    [kept] = see.quarantined(store)
    assert kept.payload == delivery.payload
    assert (kept.reason, kept.gateway, kept.topic) == (reason, "gw1", "amr/1/gw1/up")
    assert see.outcomes(store, delivery) == ["duplicate"], "its number is remembered"


def test_a_quarantined_item_of_an_array_keeps_its_own_bytes_only(store, make, see):
    bad = {"v": 1, "k": "frame", "boot": "b1", "seq": 7, "hex": "zz"}
    assert see.outcomes(store, make.up(make.item(make.frame(), 1), bad)) == ["stored", "quarantined bad_hex"]
    [kept] = see.quarantined(store)
    assert b"zz" in kept.payload
    assert kept.size == len(kept.payload) < 100


def test_a_message_over_the_limit_is_kept_cut(store, make, see):
    big = Delivery("amr/1/gw1/up", b" " * (1 << 20) + b"[]", make.NOON, size=5 << 20)
    assert see.outcomes(store, big) == ["quarantined too_large"]
    [kept] = see.quarantined(store)
    assert (kept.size, len(kept.payload)) == (5 << 20, 1 << 16)


def test_an_unknown_topic_is_quarantined_on_nobodys_account(store, make, see):
    assert see.outcomes(store, Delivery("else/where", b"{}", make.NOON)) == ["quarantined bad_topic"]
    assert see.account(store) == {"?": (1, {Outcome.QUARANTINED: 1})}


def test_a_kept_uplink_is_a_ghost_unless_it_carries_a_number(store, make, see):
    numbered = make.up(make.item(make.frame(), 1), retained=True)
    assert see.outcomes(store, make.up(make.item(make.frame()), retained=True)) == ["quarantined retained"]
    assert see.outcomes(store, numbered, numbered) == ["stored", "duplicate"]


def test_a_kept_message_does_not_make_a_silent_gateway_look_alive(store, make, see):
    week = timedelta(days=7)
    see.outcomes(store, make.up(make.item(make.frame(), 1)))
    see.outcomes(store, make.up(make.item(make.frame(), 1), at=make.NOON + week, retained=True))
    see.outcomes(store, make.up(make.item(make.frame(access=2)), at=make.NOON + week, retained=True))
    with store.reading() as view:
        assert [row.last_heard for row in view.ledger.gateways()] == [make.NOON]
