"""Facts about what customers enter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.self_reading import (
    LANGUAGES,
    Answer,
    Channel,
    Entered,
    Known,
    Plausibility,
    Rules,
    SelfReading,
    _texts,
    enter,
)
from billing_bridge.window import Window
from metering.errors import InvalidValue

WARSAW = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 6, 26, 9, tzinfo=UTC)
KNOWN = Known(
    WARSAW,
    booked=Decimal(812),
    booked_at=datetime(2026, 5, 31, 22, tzinfo=UTC),
    usual_m3_per_day=Decimal("0.4"),
    digits=5,
)
LATE_IN_THE_MONTH = Window(25)
NOTHING = SelfReading()


def typed(text: str, at: datetime = NOW) -> Entered:
    return Entered(text, at, "customer 4711", Channel.WEB)


def answer(text: str, known: Known = KNOWN, so_far: SelfReading = NOTHING, at: datetime = NOW) -> Answer:
    return enter(so_far, typed(text, at), known, LATE_IN_THE_MONTH).entries[-1].answer


ANSWERS = [
    ("822", Answer.RECEIVED),
    ("822,405", Answer.RECEIVED),
    (" 00 822.4 ", Answer.RECEIVED),
    ("812", Answer.RECEIVED),
    ("811", Answer.BELOW_BOOKED),
    ("811.999", Answer.BELOW_BOOKED),
    ("eight hundred", Answer.NOT_A_NUMBER),
    ("", Answer.NOT_A_NUMBER),
    ("-822", Answer.NOT_A_NUMBER),
    ("1e9", Answer.NOT_A_NUMBER),
    ("٨٢٢", Answer.NOT_A_NUMBER),
    ("822405", Answer.THOUSANDFOLD),
    ("7000000", Answer.TOO_MANY_DIGITS),
    ("832", Answer.RECEIVED),
    ("833", Answer.TO_CONFIRM),
    ("852", Answer.TO_CONFIRM),
    ("853", Answer.FAR_TOO_HIGH),
]
"""25 days at 0.4 m3 are 10 m3: to be confirmed above twice of it (20), refused above four times (40)."""


@pytest.mark.parametrize(("text", "expected"), ANSWERS)
def test_what_becomes_of_an_entry(text, expected):
    assert answer(text) is expected


def test_the_same_state_once_more_confirms_it():
    asked = enter(NOTHING, typed("840"), KNOWN, LATE_IN_THE_MONTH)
    assert asked.current is None
    confirmed = enter(asked, typed("840"), KNOWN, LATE_IN_THE_MONTH)
    assert confirmed.current is not None
    assert confirmed.current.value == 840
    other = enter(asked, typed("841"), KNOWN, LATE_IN_THE_MONTH)
    assert other.entries[-1].answer is Answer.TO_CONFIRM


def test_what_the_meter_sent_is_the_floor_and_a_cubic_metre_more_the_ceiling():
    known = replace(KNOWN, sent=Decimal("820.7"))
    told = [answer(text, known) for text in ("820", "820,6", "820,7", "821,7", "822", "819")]
    assert told == [
        Answer.RECEIVED,
        Answer.BELOW_SENT,
        Answer.RECEIVED,
        Answer.RECEIVED,
        Answer.ABOVE_SENT,
        Answer.BELOW_SENT,
    ]


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        (datetime(2026, 6, 24, 21, 59, tzinfo=UTC), False),
        (datetime(2026, 6, 24, 22, tzinfo=UTC), True),
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 30, 22, tzinfo=UTC), False),
    ],
)
def test_a_window_opens_and_closes_at_local_midnight(at, open_):
    assert (answer("813", at=at) is not Answer.WINDOW_CLOSED) == open_


def test_outside_the_window_nothing_else_is_told():
    assert answer("822405", at=NOW - timedelta(days=5)) is Answer.WINDOW_CLOSED


def test_a_state_is_editable_until_it_is_accepted():
    entered = enter(NOTHING, typed("822"), KNOWN, LATE_IN_THE_MONTH)
    edited = enter(entered, typed("821"), KNOWN, LATE_IN_THE_MONTH)
    assert edited.current is not None
    assert edited.current.value == 821
    accepted = edited.accept(NOW)
    late = enter(accepted, typed("820"), KNOWN, LATE_IN_THE_MONTH)
    assert late.entries[-1].answer is Answer.ALREADY_ACCEPTED
    assert late.current == edited.current
    assert late.accept(NOW + timedelta(days=1)).accepted == NOW


def test_nothing_entered_cannot_be_accepted():
    refused = enter(NOTHING, typed("811"), KNOWN, LATE_IN_THE_MONTH)
    with pytest.raises(InvalidValue, match="no state to accept"):
        refused.accept(NOW)


def test_everything_entered_is_kept_as_evidence():
    so_far = NOTHING
    for text in ("811", "abc", "822"):
        so_far = enter(so_far, typed(text), KNOWN, LATE_IN_THE_MONTH)
    assert [(one.text, one.by, one.channel, one.at) for one in so_far.entries] == [
        (text, "customer 4711", Channel.WEB, NOW) for text in ("811", "abc", "822")
    ]


def told(text: str, language: str, known: Known = KNOWN) -> str:
    return enter(NOTHING, typed(text), known, LATE_IN_THE_MONTH).entries[-1].sentence(language)


def test_a_refusal_is_one_sentence_in_the_customer_s_language():
    assert told("811,5", "pl") == (
        "811,5 m³ to mniej niż ostatni rozliczony stan 812 m³; prosimy sprawdzić cyfry."
    )
    assert told("822405", "ro") == (
        "822405 m³ este de o mie de ori prea mult: citiți doar cifrele negre, probabil 822."
    )
    assert (
        told("811.5", "en")
        == "811.5 m³ is lower than the last booked state of 812 m³; please check the digits."
    )
    assert told("822", "pl") == ""
    with pytest.raises(InvalidValue, match="no texts in 'de'"):
        told("811", "de")


def test_the_window_is_told_with_its_days():
    closed = enter(NOTHING, typed("822", NOW - timedelta(days=5)), KNOWN, LATE_IN_THE_MONTH).entries[-1]
    assert closed.sentence("en") == "States are taken from 2026-06-25 to 2026-06-30; please come back then."


def test_every_refusal_has_its_sentence_in_every_language_with_the_same_names():
    assert set(_texts()) == {one.value for one in Answer} - {Answer.RECEIVED}
    for texts in _texts().values():
        assert tuple(texts) == LANGUAGES
        names = [{name for _, name, *_ in Formatter().parse(text) if name} for text in texts.values()]
        assert names[0] == names[1] == names[2]
        assert all(text.endswith(".") for text in texts.values())


def test_what_is_plausible_is_the_utility_s_to_say():
    strict = Rules(Plausibility(confirm_ratio=Decimal("1.1"), excess_m3=Decimal(0)))
    assert (
        enter(NOTHING, typed("824"), KNOWN, LATE_IN_THE_MONTH, strict).entries[-1].answer is Answer.TO_CONFIRM
    )
    unknown = replace(KNOWN, usual_m3_per_day=None)
    assert [answer(text, unknown) for text in ("837", "838", "863")] == [
        Answer.RECEIVED,
        Answer.TO_CONFIRM,
        Answer.FAR_TOO_HIGH,
    ]


def test_windows_of_chosen_months_and_short_months():
    spring = Window(28, 31, (2, 8))
    assert spring.days(date(2026, 1, 5)) == (date(2026, 2, 28), date(2026, 2, 28))
    assert spring.days(date(2026, 3, 1)) == (date(2026, 8, 28), date(2026, 8, 31))
    for wrong in ((0, 5), (29, 31), (5, 4), (1, 32)):
        with pytest.raises(InvalidValue):
            Window(*wrong)
    with pytest.raises(InvalidValue):
        Window(months=())


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=20) | st.decimals(0, 10**7, places=3).map(str),
    st.none() | st.decimals(0, 99_999, places=3),
)
def test_any_text_gets_an_answer_and_a_sentence_and_nothing_below_the_booked_is_received(text, sent):
    known = replace(KNOWN, sent=sent)
    entry = enter(NOTHING, typed(text), known, LATE_IN_THE_MONTH).entries[-1]
    for language in LANGUAGES:
        assert bool(entry.sentence(language)) == (entry.answer is not Answer.RECEIVED)
    if entry.answer is Answer.RECEIVED:
        assert entry.value is not None
        assert entry.value >= 812
