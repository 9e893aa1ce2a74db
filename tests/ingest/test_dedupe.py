"""Receptions of identical bytes are sorted into transmissions by time alone."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.dedupe import Heard, fingerprint, reception_key, transmissions
from metering.meter import MeterId
from metering.ports import ArchivedTelegram, TelegramState
from metering.uplink import FrameUplink, Reception

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WINDOW = timedelta(seconds=5)
METER = MeterId("ABC", "12345678", "01", "07")


def reception(second: float, gateway: str = "gw1", **more) -> Reception:
    return Reception(gateway, NOON + timedelta(seconds=second), NOON, **more)


def heard(*seconds: float) -> list[Heard]:
    return [Heard(place, FrameUplink(reception(second), b"")) for place, second in enumerate(seconds)]


def archived(number: int, *seconds: float) -> ArchivedTelegram:
    receptions = [(reception(second), None) for second in sorted(seconds)]
    first = receptions[0][0].heard_at
    return ArchivedTelegram(number, METER, b"", b"", TelegramState.STORED, "", first, receptions)


def shape(old: list[ArchivedTelegram], new: list[Heard]) -> list[tuple[list[int], list[int]]]:
    found = transmissions(old, new, WINDOW)
    return [([one.id for one in each.archived], [one.place for one in each.heard]) for each in found]


def test_the_fingerprint_is_sixteen_bytes_of_the_content():
    assert len(fingerprint(b"a")) == 16
    assert fingerprint(b"a") != fingerprint(b"b")


def test_receptions_within_the_window_of_each_other_are_one_transmission():
    assert shape([], heard(0, 4, 9)) == [([], [0, 1, 2])]


def test_the_window_itself_still_counts_and_more_does_not():
    assert shape([], heard(0, 5)) == [([], [0, 1])]
    assert shape([], heard(0, 5.000001)) == [([], [0]), ([], [1])]


def test_a_reception_joins_the_archived_telegram_it_is_near_to():
    assert shape([archived(7, 0, 4), archived(8, 20)], heard(8, 17, 40)) == [
        ([7], [0]),
        ([8], [1]),
        ([], [2]),
    ]


def test_a_reception_between_two_telegrams_bridges_them():
    assert shape([archived(8, 8), archived(7, 0)], heard(4)) == [([7, 8], [0])]


def test_transmissions_without_a_new_reception_are_left_out():
    assert shape([archived(7, 0), archived(8, 60)], heard(61)) == [([8], [0])]


def test_a_number_makes_a_reception_the_same_one_else_all_it_says_does():
    assert reception_key(reception(0, boot="b", seq=1)) == reception_key(reception(9, boot="b", seq=1))
    assert reception_key(reception(0)) == reception_key(reception(0, redelivered=True))
    assert reception_key(reception(0)) != reception_key(reception(1))
    assert reception_key(reception(0)) != reception_key(reception(0, rssi_dbm=-70))


SECONDS = st.lists(st.integers(0, 120), min_size=1, max_size=30)


@given(SECONDS)
def test_transmissions_are_the_gaps_larger_than_the_window(seconds):
    groups = [sorted(seconds[place] for place in places) for _, places in shape([], heard(*seconds))]
    assert sorted(second for group in groups for second in group) == sorted(seconds)
    for group in groups:
        assert all(later - earlier <= 5 for earlier, later in itertools.pairwise(group))
    for before, after in itertools.pairwise(groups):
        assert after[0] - before[-1] > 5


@given(SECONDS, st.randoms())
def test_the_order_of_arrival_does_not_matter(seconds, shuffler):
    def groups(ordered):
        return [sorted(ordered[place] for place in places) for _, places in shape([], heard(*ordered))]

    mixed = list(seconds)
    shuffler.shuffle(mixed)
    assert groups(mixed) == groups(seconds)
