"""What every telegram archive promises."""

from __future__ import annotations

import pytest

from metering.errors import StoreError
from metering.ports import TelegramState
from metering.uplink import ClockSource, Reception


def test_a_telegram_comes_back_byte_for_byte(store, make):
    """Frame, raw bytes of each gateway and how it was received are as they were given; DUP is not kept."""
    quiet = Reception("cellar", make.at(5), make.at(9), ClockSource.NONE, history=True, redelivered=True)
    new = make.telegram(bytes(range(256)), make.reception("roof", seq=7))
    new = type(new)(
        new.meter,
        new.frame,
        new.fingerprint,
        TelegramState.HELD,
        "missing_key",
        [(quiet, b"\0raw\xff"), *new.receptions],
    )
    with store.writing() as tx:
        (number,) = tx.archive.add([new])
    with store.reading() as tx:
        found = tx.archive.telegram(number)
    assert (found.id, found.meter, found.frame, found.fingerprint) == (
        number,
        make.meter,
        new.frame,
        new.fingerprint,
    )
    assert (found.state, found.reason, found.heard_at) == (TelegramState.HELD, "missing_key", make.noon)
    as_kept = Reception("cellar", make.at(5), make.at(9), ClockSource.NONE, history=True)
    assert list(found.receptions) == [(make.reception("roof", seq=7), None), (as_kept, b"\0raw\xff")]


def test_numbers_come_in_the_order_of_telegrams(store, make):
    with store.writing() as tx:
        first = tx.archive.add([make.telegram(n.to_bytes(2)) for n in range(700)])
        then = tx.archive.add([make.telegram(b"then")])
    with store.reading() as tx:
        assert list(first) == sorted(set(first))
        assert then[0] > first[-1]
        assert [tx.archive.telegram(number).frame for number in first[:3]] == [b"\0\0", b"\0\1", b"\0\2"]
        assert tx.archive.telegram(then[0] + 1) is None


def test_a_number_is_never_given_twice(store, make):
    """Evidence names archive numbers: one that went with a merge does not come back as another telegram."""
    with store.writing() as tx:
        keep, drop = tx.archive.add([make.telegram(b"a"), make.telegram(b"b")])
        tx.archive.merge(keep, drop)
        assert tx.archive.add([make.telegram(b"c")])[0] > drop


def test_nothing_to_add_is_nothing(store, make):
    with store.writing() as tx:
        assert list(tx.archive.add([])) == []
        tx.archive.add_receptions([])
        tx.archive.remember_sequences([])
        assert tx.archive.known_sequences([]) == set()
        assert dict(tx.archive.same_frames([], make.noon)) == {}


def test_sequences_of_receptions_and_of_other_items_are_known(store, make):
    with store.writing() as tx:
        tx.archive.add([make.telegram(b"a", make.reception("roof", seq=1))])
        tx.archive.remember_sequences([("roof", "9f3a11c2", 2), ("roof", "9f3a11c2", 2)])
        tx.archive.remember_sequences([("roof", "9f3a11c2", 2), ("cellar", "9f3a11c2", 1)])
    asked = {("roof", "9f3a11c2", seq) for seq in range(1000)} | {("cellar", "9f3a11c2", 1), ("new", "b", 1)}
    known = {("roof", "9f3a11c2", 1), ("roof", "9f3a11c2", 2), ("cellar", "9f3a11c2", 1)}
    with store.reading() as tx:
        assert tx.archive.known_sequences(asked) == known
        assert tx.archive.known_sequences({("roof", "other", 1), ("cellar", "9f3a11c2", 2)}) == set()


def test_texts_no_database_can_hold_do_not_refuse_the_batch(store):
    """A NUL or half a surrogate in a boot id is kept as U+FFFD, and the number is known all the same."""
    odd = [("roof", "a\0b", 1), ("roof", "\ud800", 2), ("ro\0of", "x", 3)]
    with store.writing() as tx:
        tx.archive.remember_sequences(odd)
    with store.reading() as tx:
        assert tx.archive.known_sequences(odd) == set(odd)


def test_same_frames_are_found_by_fingerprint_and_time(store, make):
    late, early = make.telegram(b"a", make.reception(at=60)), make.telegram(b"a", make.reception(at=10))
    other = make.telegram(b"b", make.reception(at=30))
    with store.writing() as tx:
        numbers = tx.archive.add([late, early, other])
    with store.reading() as tx:
        asked = [late.fingerprint, other.fingerprint, b"unknown" * 2]
        found = tx.archive.same_frames(asked, make.at(10))
        later = tx.archive.same_frames(asked, make.at(10.000001))
    assert [one.id for one in found[late.fingerprint]] == [numbers[1], numbers[0]]
    assert [one.id for one in later[late.fingerprint]] == [numbers[0]]
    assert set(found) == set(later) == {late.fingerprint, other.fingerprint}


def test_same_frames_can_be_asked_for_up_to_a_time(store, make):
    early, late = make.telegram(b"a", make.reception(at=10)), make.telegram(b"a", make.reception(at=60))
    with store.writing() as tx:
        numbers = tx.archive.add([early, late])
    with store.reading() as tx:
        mark = early.fingerprint
        assert [one.id for one in tx.archive.same_frames([mark], make.at(0), make.at(60))[mark]] == numbers
        assert [one.id for one in tx.archive.same_frames([mark], make.at(0), make.at(59))[mark]] == numbers[
            :1
        ]


def test_who_brought_a_frame_since_a_time_is_told(store, make):
    old, new = (
        make.telegram(b"a", make.reception("roof", at=10)),
        make.telegram(b"a", make.reception("roof", at=60)),
    )
    other = make.telegram(b"b", make.reception("cellar", at=60))
    with store.writing() as tx:
        numbers = tx.archive.add([old, new, other])
    a, b = old.fingerprint, other.fingerprint
    asked = [(a, "roof"), (a, "cellar"), (b, "cellar"), (b, "attic"), (b"unknown" * 2, "roof")]
    with store.reading() as tx:
        assert tx.archive.brought(asked, make.at(0)) == {(a, "roof"): numbers[1], (b, "cellar"): numbers[2]}
        assert tx.archive.brought(asked, make.at(61)) == {}
        assert tx.archive.brought([], make.at(0)) == {}


def test_same_frames_end_where_told(store, make):
    frames = [make.telegram(b"a", make.reception(at=at)) for at in (0, 10, 20)]
    with store.writing() as tx:
        numbers = tx.archive.add(frames)
    with store.reading() as tx:
        found = tx.archive.same_frames([frames[0].fingerprint], make.at(0), make.at(10))
    assert [one.id for one in found[frames[0].fingerprint]] == list(numbers[:2])


def test_which_gateway_brought_a_frame_is_known(store, make):
    """The newest telegram of those bytes which that gateway heard, since a moment."""
    old, new = make.telegram(b"a", make.reception("roof", 0)), make.telegram(b"a", make.reception("roof", 60))
    other = make.telegram(b"b", make.reception("attic", 60))
    with store.writing() as tx:
        numbers = tx.archive.add([old, new, other])
    asked = [
        (old.fingerprint, "roof"),
        (old.fingerprint, "attic"),
        (other.fingerprint, "attic"),
        (b"?" * 16, "x"),
    ]
    with store.reading() as tx:
        assert dict(tx.archive.brought(asked, make.at(0))) == {asked[0]: numbers[1], asked[2]: numbers[2]}
        assert dict(tx.archive.brought(asked, make.at(61))) == {}


def test_pages_give_the_newest_first(store, make):
    held = TelegramState.HELD
    with store.writing() as tx:
        numbers = tx.archive.add(
            [
                make.telegram(b"1"),
                make.telegram(b"2", meter=make.other),
                make.telegram(b"3", state=held),
                make.telegram(b"4", meter=make.other, state=held),
            ]
        )
    one, two, three, four = numbers
    with store.reading() as tx:

        def page(**what):
            return [found.id for found in tx.archive.telegrams(**what)]

        assert page() == [four, three, two, one]
        assert page(limit=2) == [four, three]
        assert page(before=three) == [two, one]
        assert page(meter=make.other) == [four, two]
        assert page(state=held) == [four, three]
        assert page(meter=make.meter, state=held, before=four, limit=5) == [three]
        assert page(meter=type(make.meter)("ABC", "00000000", "00", "00")) == []


def test_state_changes(store, make):
    with store.writing() as tx:
        (number,) = tx.archive.add([make.telegram(state=TelegramState.HELD)])
        tx.archive.set_state(number, TelegramState.STORED, "")
        with pytest.raises(StoreError, match="no telegram 99"):
            tx.archive.set_state(99, TelegramState.STORED, "")
    with store.reading() as tx:
        found = tx.archive.telegram(number)
    assert (found.state, found.reason) == (TelegramState.STORED, "")


def test_a_later_reception_is_only_added(store, make):
    with store.writing() as tx:
        (number,) = tx.archive.add([make.telegram(b"a", make.reception("roof", 0, 1))])
        tx.readings.add([make.reading(telegram=number)])
        tx.archive.add_receptions([(number, make.reception("cellar", 3, 1), b"raw")])
    with store.reading() as tx:
        found = tx.archive.telegram(number)
        ((reading,), _) = tx.readings.of_telegram(number)
    assert found.heard_at == reading.measured_at == make.noon
    assert list(found.receptions) == [
        (make.reception("roof", 0, 1), None),
        (make.reception("cellar", 3, 1), b"raw"),
    ]


def test_an_earlier_reception_moves_telegram_readings_and_details(store, make):
    """What was dated by the reception moves and names the earlier gateway; what the meter dated stays."""
    register = type(make.volume)("volume", storage=1)
    with store.writing() as tx:
        (number,) = tx.archive.add([make.telegram(b"a", make.reception("roof", 10, 1))])
        tx.readings.add(
            [
                make.reading("5", 10, telegram=number),
                make.reading("4", -900, register=register, telegram=number),
            ]
        )
        tx.readings.add_details([make.detail(at=10, telegram=number), make.detail("x", 0, number)])
        tx.archive.add_receptions(
            [(number, make.reception("cellar", 7, 1), None), (number, make.reception("attic", 8, 1), None)]
        )
    with store.reading() as tx:
        said, texts = tx.readings.of_telegram(number)
        assert tx.archive.telegram(number).heard_at == make.at(7)
        assert [(str(r.value), r.measured_at) for r in said] == [("5", make.at(7)), ("4", make.at(-900))]
        assert {r.provenance.gateway for r in said} == {"cellar"}
        assert [(d.text, d.measured_at) for d in texts] == [("2026-01-01", make.at(7)), ("x", make.at(0))]
        assert [r.measured_at for r in tx.readings.latest(make.meter)] == [make.at(7), make.at(-900)]


def test_of_gateways_that_heard_at_the_same_time_the_first_by_name_is_the_source(store, make):
    """Whichever delivered first: the database does not depend on the order of deliveries."""
    with store.writing() as tx:
        (number,) = tx.archive.add([make.telegram(b"a", make.reception("roof"))])
        tx.readings.add([make.reading(telegram=number)])
        for gateway in ("attic", "tower"):
            tx.archive.add_receptions([(number, make.reception(gateway), None)])
        ((reading,), _) = tx.readings.of_telegram(number)
    assert reading.provenance.gateway == "attic"


def test_a_moved_reading_that_is_there_already_is_dropped(store, make):
    with store.writing() as tx:
        first, second = tx.archive.add([make.telegram(b"a"), make.telegram(b"b", make.reception("roof", 10))])
        tx.readings.add([make.reading(telegram=first), make.reading(at=10, telegram=second)])
        tx.archive.add_receptions([(second, make.reception("cellar", 0), None)])
    with store.reading() as tx:
        (left,) = tx.readings.series(make.meter, make.volume, make.at(-1), make.at(60))
        (latest,) = tx.readings.latest(make.meter)
    assert left.provenance.telegram == first
    assert left == latest


def test_receptions_need_their_telegram(store, make):
    with store.writing() as tx, pytest.raises(StoreError, match="no telegram 5"):
        tx.archive.add_receptions([(5, make.reception(), None)])


def test_the_same_numbered_reception_is_stored_once(store, make):
    with store.writing() as tx:
        (number,) = tx.archive.add([make.telegram(b"a", make.reception("roof", seq=1))])
        tx.archive.add_receptions([(number, make.reception("roof", seq=1), None)])
        assert len(tx.archive.telegram(number).receptions) == 1


@pytest.mark.parametrize(("first", "second"), [(0, 4), (4, 0)])
def test_merging_leaves_one_transmission_with_all_receptions(store, make, first, second):
    """Whichever came first: dated by the earliest, readings of the dropped one are gone."""
    with store.writing() as tx:
        keep, drop = tx.archive.add(
            [
                make.telegram(b"a", make.reception("roof", first)),
                make.telegram(b"b", make.reception("cellar", second)),
            ]
        )
        tx.readings.add([make.reading("5", first, telegram=keep), make.reading("5", second, telegram=drop)])
        tx.readings.add_details([make.detail(at=first, telegram=keep), make.detail(at=second, telegram=drop)])
        tx.archive.merge(keep, drop)
    with store.reading() as tx:
        kept = tx.archive.telegram(keep)
        said, texts = tx.readings.of_telegram(keep)
        assert tx.archive.telegram(drop) is None
        assert kept.heard_at == make.noon
        assert [one.gateway for one, _ in kept.receptions] == (
            ["roof", "cellar"] if first == 0 else ["cellar", "roof"]
        )
        assert [r.measured_at for r in said] == [d.measured_at for d in texts] == [make.noon]
        assert list(tx.readings.series(make.meter, make.volume, make.at(-9), make.at(9))) == list(said)
        assert list(tx.readings.latest(make.meter)) == list(said)


def test_merging_loses_no_reading_both_telegrams_brought(store, make):
    """A reading that both brought is stored once, naming the dropped one; it stays and names the other."""
    due = type(make.volume)("volume", storage=1)
    with store.writing() as tx:
        drop, keep = tx.archive.add([make.telegram(b"a"), make.telegram(b"b", make.reception("cellar", 2))])
        for telegram in (drop, keep):
            tx.readings.add([make.reading("4", -900, register=due, telegram=telegram)])
        tx.archive.merge(keep, drop)
        said, _ = tx.readings.of_telegram(keep)
    assert [(str(r.value), r.measured_at) for r in said] == [("4", make.at(-900))]


def test_merging_with_itself_or_with_nothing_is_refused(store, make):
    with store.writing() as tx:
        (number,) = tx.archive.add([make.telegram()])
        with pytest.raises(StoreError, match="with itself"):
            tx.archive.merge(number, number)
        with pytest.raises(StoreError, match="no telegram"):
            tx.archive.merge(number, number + 1)
