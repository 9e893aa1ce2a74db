"""Stories through the store, the bridge and the outbox; every number was worked out by hand first."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from street import NEW, OLD, Street, at, utility

from billing_bridge.boundary import How
from billing_bridge.deciding import Action, Operator
from billing_bridge.estimate import Method
from billing_bridge.period import EVERY_TWO_MONTHS, FOUR_MONTHS, Cause
from metering.billing import ExceptionKind, ExceptionState, ReadState


@pytest.fixture
def street(store, clock) -> Street:
    return Street(store, clock, utility())


def test_a_year_of_a_house(street):
    """Six bills of two months: 812, 833, 855, 880, 913, 938, 960 on the black digits; 148 in all."""
    street.with_settings(calendars=utility(EVERY_TWO_MONTHS).calendars)
    street.house()
    states = ["812.405", "833.112", "855.900", "880.001", "913.750", "938.499", "960.000"]
    days = [at(month) for month in EVERY_TWO_MONTHS] + [at(1, year=2027)]
    street.sends(*zip(days, states, strict=True))
    tally = street.close(at(1), at(1, year=2027))
    assert (tally.billed, tally.held, tally.volume_m3) == (6, 0, 148)
    assert street.volumes() == [21, 22, 25, 33, 25, 22]
    assert list(street.books.in_force.values()) == [21, 22, 25, 33, 25, 22]
    assert street.close(at(1), at(1, year=2027)).standing == 6
    assert len(street.books.order) == 6


def test_closing_month_by_month_opens_where_the_month_before_closed(street):
    """100.9, 105.2, 109.1, 120.05: 5, 4 and 11 are 20, from 100 to 120."""
    street.house()
    street.sends((at(1), "100.9"), (at(2), "105.2"), (at(3), "109.1"), (at(4), "120.05"))
    for month in (1, 2, 3):
        street.close(at(month), at(month + 1))
    assert street.volumes() == [5, 4, 11]


def test_a_period_that_is_not_over_waits(street):
    street.house()
    street.sends((at(1), "100"), (at(2), "110"))
    assert street.close(at(1), at(2), now=at(2) - timedelta(hours=1)).billed == 0
    assert street.close(at(1), at(2)).billed == 1


def test_moving_house(street):
    """Out and in on 17 June at 10:00 with 212.6 on the dial: 200 to 212 is 12, 212 to 220 is 8."""
    street.house()
    out = at(6, 17, 10)
    street.tenant("U1", at(1), out)
    street.tenant("U2", out)
    street.sends((at(6), "200.2"), (out, "212.6"), (at(7), "220.9"))
    street.close(at(6), at(7))
    leaving, coming = street.reads()
    assert (leaving.volume_m3, leaving.period.cause, coming.volume_m3) == (12, Cause.FINAL, 8)
    assert leaving.period.id == "2026-06-01..20260617T080000Z"
    assert [one.contract for one in street.rows()] == ["U1", "U2"]


def test_a_meter_exchanged_in_mid_period(street):
    """Old 340.7 to 351.2 (11), new 0.0 to 6.8 (6): 17. The next month 6.8 to 20.1: 14."""
    change = at(9, 14, 11)
    street.house(until=change, closing="351.2")
    street.house(meter=NEW, since=change, opening="0")
    street.sends((at(9), "340.7"), (change - timedelta(hours=1), "351.2"))
    street.sends((at(10), "6.8"), (at(11), "20.1"), meter=NEW)
    street.close(at(9), at(10))
    street.close(at(10), at(11))
    september, october = street.reads()
    assert [(one.meter, one.volume_m3) for one in september.segments] == [(OLD, 11), (NEW, 6)]
    assert (september.volume_m3, october.volume_m3) == (17, 14)


def test_an_exchange_without_its_protocol_asks_a_person(street):
    """The old meter's last read is an hour before its removal, 351.2; nobody wrote an index down."""
    change = at(9, 14, 11)
    street.house(until=change)
    street.house(meter=NEW, since=change)
    street.sends((at(9), "340.7"), (change - timedelta(hours=1), "351.2"))
    street.sends((change + timedelta(hours=1), "0.1"), (at(10), "6.8"), meter=NEW)
    assert street.close(at(9), at(10)).held == 1
    (asked,) = street.questions()
    assert asked.about.kind is ExceptionKind.RULE
    assert street.books.order == []
    decided = Operator(street.store, street.utility, street.clock, "A. Kos").decide(
        asked.number, Action.ACCEPT, "photo of both dials seen"
    )
    street.send()
    assert decided.read.volume_m3 == 17
    (payload,) = street.books.booked.values()
    assert payload["edits"][0]["reason"] == "photo of both dials seen"
    assert "A. Kos" not in str(payload)


def test_a_dial_that_rolls_over(street):
    """99 991.3 on 1 May, 99 999.9 on the 20th, 4.6 on 1 June, 15.2 on 1 July: 13 and 11."""
    street.house()
    street.sends((at(5), "99991.3"), (at(5, 20), "99999.9"), (at(6), "4.6"), (at(7), "15.2"))
    street.close(at(5), at(6))
    street.close(at(6), at(7))
    assert street.volumes() == [13, 11]


def test_a_silent_radio_and_a_customer_s_state(street):
    """400.5 on 1 July, then silence; the customer's 409 on 30 July; 421.9 on 1 September: 9, then 12."""
    street.house()
    evening = at(7, 30, 20)
    street.sends((at(7), "400.5"))
    street.tells(evening, "409")
    street.close(at(7), at(8))
    street.sends((at(9), "421.9"))
    street.close(at(8), at(9))
    july, august = street.reads()
    assert (july.volume_m3, july.segments[0].closing.how, july.actual) == (9, How.WEB, True)
    assert (august.volume_m3, august.segments[0].closing.how) == (12, How.RADIO)
    assert (
        july.rulings[-1].why == "The meter sent nothing within 24 h; the customer's state by web is at hand."
    )


def test_a_customer_who_contradicts_the_meter_is_looked_at(street):
    """The meter says 409.0 on 30 July and 409.4 on 1 August, the customer 423: not the same dial."""
    street.house()
    street.sends((at(7), "400.5"), (at(7, 30), "409.0"), (at(8), "409.4"))
    street.tells(at(7, 30, 20), "423")
    assert street.close(at(7), at(8)).held == 1
    (asked,) = street.questions()
    assert asked.about.kind is ExceptionKind.CONTRADICTION
    (held,) = street.reads(ReadState.HELD)
    assert (held.volume_m3, held.segments[0].closing.how) == (9, How.RADIO)


def test_a_wrong_key_for_a_month_and_then_the_right_one(street):
    """100 on 1 March, 146 on 1 June; June cannot be decrypted: 46 m3 in 2,207 hours, 15 m3 in its 720.

    The key comes: 158.4 on 1 July. 158 - 146 is 12, a correction of -3, proposed in June. July opens at
    what was booked, 161.006, until a person takes it; then 158 to 174 is 16.
    """
    street.house()
    days = [(at(3) + timedelta(days=n), str(100 + n * Decimal("0.5"))) for n in range(92)]
    street.sends(*days, (at(6), "146"))
    street.close(at(6), at(7), now=at(7, 2))
    (june,) = street.reads()
    closing = june.segments[0].closing
    assert (june.volume_m3, closing.index, closing.method) == (
        15,
        Decimal("161.006"),
        Method.THREE_MONTHS_BEFORE,
    )

    street.sends((at(6, 15), "152.1"), (at(7), "158.4"), (at(7, 15), "166.0"), (at(8), "174.0"), late=at(8))
    street.close(at(7), at(8), now=at(8, 1, 1))
    assert street.volumes() == [15, 13]
    assert street.review(at(6), at(8), now=at(8, 2)).proposed == 2
    assert street.review(at(6), at(8), now=at(8, 2)).proposed == 0
    june_asked, july_asked = street.questions()
    assert june_asked.about.sentence == "Billed were 15 m3; by what is known now it is 12 m3 (-3 m3)."
    assert july_asked.about.sentence == "Billed were 13 m3; by what is known now it is 16 m3 (+3 m3)."
    for asked in (june_asked, july_asked):
        Operator(street.store, street.utility, street.clock, "A. Kos").decide(
            asked.number, Action.ACCEPT, "the key came late"
        )
    street.send()
    assert list(street.books.in_force.values()) == [12, 16]
    assert sum(street.books.in_force.values()) == 174 - 146
    corrected = street.reads()[1]
    assert (corrected.revision, corrected.supersedes) == (2, june.key)


def test_or_the_next_period_absorbs_the_difference(street):
    """The same house where late reads are absorbed: 15 stays, July opens at 161 and is 13 m3."""
    street.house()
    days = [(at(3) + timedelta(days=n), str(100 + n * Decimal("0.5"))) for n in range(92)]
    street.sends(*days, (at(6), "146"))
    street.with_settings(late=type(street.utility.late)("absorb"))
    street.close(at(6), at(7), now=at(7, 2))
    street.sends((at(7), "158.4"), (at(8), "174.0"), late=at(8))
    street.close(at(7), at(8))
    assert street.review(at(6), at(8)).proposed == 0
    assert street.volumes() == [15, 13]
    assert sum(street.volumes()) == 174 - 146


def test_a_month_in_which_the_clocks_change(street):
    """March 2026 has 743 hours: 0.1 m3 an hour from 50.0 makes 124.3: 74 m3 on the dial."""
    street.house()
    begin, end = at(3), at(4)
    hours = int((end - begin) / timedelta(hours=1))
    street.sends(*((begin + timedelta(hours=n), str(50 + n * Decimal("0.1"))) for n in range(hours + 1)))
    street.close(begin, end)
    (march,) = street.reads()
    assert hours == 743
    assert (march.period.end - march.period.start, march.volume_m3) == (timedelta(hours=743), 74)


def test_a_block_with_sub_meters(street):
    """Main 5000.0 to 5104.7 (104); garden 12, legalized; a flat 20 whose mark expired on 30 April: 92."""
    from datetime import date

    from metering.billing_customers import Deductible
    from metering.meter import MeterId

    garden, flat = MeterId("KAM", "00000001", "1b", "16"), MeterId("KAM", "00000002", "1b", "16")
    street.house("MAIN")
    street.house("GARDEN", garden, legal=date(2026, 12, 31))
    street.house("FLAT", flat, legal=date(2026, 4, 30))
    with street.store.writing() as tx:
        tx.customers.put_deductibles([Deductible("MAIN", "GARDEN", at(1)), Deductible("MAIN", "FLAT", at(1))])
    street.sends((at(5), "5000.0"), (at(6), "5104.7"))
    street.sends((at(5), "10"), (at(6), "22"), meter=garden)
    street.sends((at(5), "30.2"), (at(6), "50.1"), meter=flat)
    street.close(at(5), at(6))
    (main,) = street.reads(point="MAIN")
    assert (main.gross_m3, main.volume_m3) == (104, 92)
    assert [(one.meter, one.accepted) for one in main.deductions] == [(flat, False), (garden, True)]
    assert main.deductions[0].reason == "the legalization expired on 2026-04-30"


def test_a_correction_after_the_invoice(street):
    """Billed 10 (100 to 110) on a value of the neighbour's; what the meter sent then says 107: 7."""
    street.house()
    street.sends((at(1), "100"), (at(2), "110"))
    street.close(at(1), at(2))
    with street.store.writing() as tx:
        wrong = tx.readings.series(OLD, street.utility.register, at(2), at(2, 2))
        tx.readings.remove(wrong)
    street.sends((at(2), "107.4"), (at(2, 2), "107.6"), late=at(2, 5))
    street.review(at(1), at(2), now=at(2, 6))
    (asked,) = street.questions()
    assert asked.about.kind is ExceptionKind.CORRECTION
    assert street.volumes() == [10]
    Operator(street.store, street.utility, street.clock, "A. Kos").decide(asked.number, Action.ACCEPT, "seen")
    street.send()
    assert list(street.books.in_force.items()) == [("SP1 2026-01-01..2026-02-01", 7)]


def test_a_refused_correction_is_not_proposed_again(street):
    """Billed 10 on a value that is gone; 7 is proposed and refused; 8 would be something else."""
    street.house()
    street.sends((at(1), "100"), (at(2), "110"))
    street.close(at(1), at(2))
    with street.store.writing() as tx:
        tx.readings.remove(tx.readings.series(OLD, street.utility.register, at(2), at(2, 2)))
    street.sends((at(2, 1, 2), "107.4"), late=at(2, 5))
    assert street.review(at(1), at(2), now=at(2, 6)).proposed == 1
    (asked,) = street.questions()
    kos = Operator(street.store, street.utility, street.clock, "A. Kos")
    assert kos.decide(asked.number, Action.REJECT, "110 was on the photo").state is ExceptionState.REJECTED
    assert street.review(at(1), at(2)).proposed == 0
    street.sends((at(2), "108.1"), late=at(2, 7))
    assert street.review(at(1), at(2), now=at(2, 8)).proposed == 1
    assert street.volumes() == [10]


def test_without_a_read_and_without_a_law_nothing_is_billed(street):
    street.house()
    street.sends((at(1), "100"))
    tally = street.close(at(1), at(2), now=at(2, 2))
    assert (tally.billed, tally.unbillable, street.volumes()) == (0, 1, [])
    (asked,) = street.questions()
    assert asked.about.kind is ExceptionKind.UNBILLABLE
    assert street.close(at(1), at(2), now=at(2, 3)).unbillable == 1
    assert len(street.questions()) == 1


def test_a_reader_on_the_way_then_the_period_is_closed_by_itself(street):
    """No law, no read: the question goes to a reader, who finds 112 on 2 February."""
    street.house()
    street.sends((at(1), "100"))
    street.close(at(1), at(2))
    (asked,) = street.questions()
    Operator(street.store, street.utility, street.clock, "A. Kos").decide(asked.number, Action.READER, "go")
    assert [one.number for one in street.questions(ExceptionState.READER)] == [asked.number]
    street.tells(at(2, 2, 9), "112", channel="reader")
    street.close(at(1), at(2), now=at(2, 3))
    assert street.volumes() == [12]
    assert street.reads()[0].segments[0].closing.how is How.VISIT
    assert street.questions(ExceptionState.READER) == []


def test_four_eyes_above_a_limit(street):
    """100 to 300 where 20 were usual: a person accepts, another one must agree."""
    street.with_settings(four_eyes_m3=Decimal(50))
    street.house()
    street.sends((at(1), "80"), (at(2), "100"), (at(3), "300"))
    street.close(at(1), at(2))
    assert street.close(at(2), at(3)).held == 1
    (asked,) = street.questions()
    kos = Operator(street.store, street.utility, street.clock, "A. Kos")
    assert kos.decide(asked.number, Action.ACCEPT, "pool filled").state is ExceptionState.SECOND
    with pytest.raises(Exception, match="somebody else must agree"):
        kos.decide(asked.number, Action.AGREE, "yes")
    with pytest.raises(Exception, match="waits for a second person"):
        kos.decide(asked.number, Action.ACCEPT, "again")
    bak = Operator(street.store, street.utility, street.clock, "M. Bak")
    assert bak.decide(asked.number, Action.AGREE, "called them").state is ExceptionState.ACCEPTED
    street.send()
    assert list(street.books.in_force.values()) == [20, 200]
    with pytest.raises(Exception, match="it is accepted already"):
        bak.decide(asked.number, Action.REJECT, "no")


def test_an_edit_stands_beside_what_was_held(street):
    """300 was misread: 118 on the dial. The next month opens there: 118 to 139 is 21."""
    street.house()
    street.sends((at(1), "80"), (at(2), "100"), (at(3), "300"))
    street.close(at(1), at(2))
    street.close(at(2), at(3))
    (asked,) = street.questions()
    kos = Operator(street.store, street.utility, street.clock, "A. Kos")
    with pytest.raises(Exception, match="99 m3 is below the 100 m3 at the start"):
        kos.decide(asked.number, Action.EDIT, "photo", index_m3=Decimal(99))
    decided = kos.decide(asked.number, Action.EDIT, "photo", index_m3=Decimal(118))
    assert (decided.read.volume_m3, decided.read.revision, decided.read.supersedes) == (18, 2, None)
    assert [(one.revision, one.state) for one in street.rows()][1:] == [
        (1, ReadState.REJECTED),
        (2, ReadState.BILLED),
    ]
    with street.store.writing() as tx:
        tx.readings.remove(tx.readings.series(OLD, street.utility.register, at(3), at(3, 2)))
    street.sends((at(4), "139.2"))
    street.close(at(3), at(4))
    assert street.volumes() == [20, 18, 21]
    assert street.review(at(1), at(4)).proposed == 0


def test_an_estimate_leaves_the_suspect_read_out(street):
    """300 is not believed. Between 100 on 1 February and 156 on 1 April: 59 days less one hour, 28 of them.

    56 m3 in 1,415 hours: 672 of them make 26.595; 126.595, so 26 m3.
    """
    street.house()
    street.sends((at(1), "80"), (at(2), "100"), (at(3), "300"))
    street.close(at(1), at(2))
    street.close(at(2), at(3))
    (asked,) = street.questions()
    street.sends((at(4), "156"))
    kos = Operator(street.store, street.utility, street.clock, "A. Kos")
    street.clock.set(at(4, 2))
    decided = kos.decide(asked.number, Action.ESTIMATE, "a misread telegram")
    closing = decided.read.segments[0].closing
    assert (decided.read.volume_m3, closing.method, closing.index) == (
        26,
        Method.PRORATION,
        Decimal("126.595"),
    )


def test_four_month_periods(street):
    """January to April, 100.2 to 137.9: 37 m3, when April is closed and not before."""
    street.with_settings(calendars=utility(FOUR_MONTHS).calendars)
    street.house()
    street.sends((at(1), "100.2"), (at(3), "120"), (at(5), "137.9"))
    assert street.close(at(3), at(4)).billed == 0
    assert street.close(at(4), at(5)).volume_m3 == 37
