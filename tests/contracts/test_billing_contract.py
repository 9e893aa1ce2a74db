"""What every store promises of billing: reads, questions, customers, what people told, what comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from metering.billing import (
    Decision,
    ExceptionKind,
    ExceptionState,
    KeptRead,
    NewException,
    ReadState,
)
from metering.billing_accounts import Document, DocumentKind, MessageReused
from metering.billing_customers import (
    Contract,
    Customer,
    CutMade,
    Deductible,
    Event,
    MeterFacts,
    ProtocolIndex,
    Tenancy,
    ToldState,
)
from metering.consumption import IndexPoint
from metering.meter import Installation, Meter, MeterId, ServicePoint

DAY = timedelta(days=1)


@pytest.fixture
def house(store, make):
    with store.writing() as tx:
        tx.registry.put_service_points(
            [
                ServicePoint("SP1", "Łąkowa 1", route="R1"),
                ServicePoint("SP2", route="R2"),
                ServicePoint("SP3"),
            ]
        )
        tx.registry.put_meters([Meter(make.meter), Meter(make.other)])
        tx.registry.put_installations(
            [Installation(make.meter, "SP1", make.noon), Installation(make.other, "SP2", make.noon)]
        )
    return store


def kept(make, point: str = "SP1", revision: int = 1, state: ReadState = ReadState.BILLED, month: int = 0):
    begin = make.noon + month * 30 * DAY
    return KeptRead(
        key=f"br:wod:{point}:{month}:{revision}",
        tenant="wod",
        service_point=point,
        register="volume",
        period=f"month {month}",
        starts=begin,
        ends=begin + 30 * DAY,
        cause="calendar",
        revision=revision,
        state=state,
        contract=None,
        volume_m3=Decimal("12.000"),
        actual=True,
        record=b"{}",
        taken_at=make.noon,
        by="test",
    )


def test_a_read_is_kept_once_under_its_key(house, make):
    one = kept(make)
    with house.writing() as tx:
        assert tx.billing.add_reads([one, kept(make, "SP2")]) == {one.key, "br:wod:SP2:0:1"}
        assert tx.billing.add_reads([replace(one, volume_m3=Decimal(99)), kept(make, revision=2)]) == {
            "br:wod:SP1:0:2"
        }
    with house.reading() as tx:
        assert tx.billing.read(one.key) == replace(one, volume_m3=Decimal(12))
        assert tx.billing.read("br:none") is None


def test_reads_of_a_service_point_come_by_end_and_revision(house, make):
    reads = [kept(make, revision=2), kept(make), kept(make, month=1), kept(make, "SP2")]
    with house.writing() as tx:
        tx.billing.add_reads(reads)
        found = tx.billing.reads_at(["SP1"], make.noon, make.noon + 60 * DAY)
        early = tx.billing.reads_at(["SP1", "SP2"], make.noon, make.noon + 30 * DAY)
        paged = tx.billing.reads_ending(make.noon, make.noon + 30 * DAY, after="br:wod:SP1:0:1")
    assert [one.key for one in found["SP1"]] == ["br:wod:SP1:0:1", "br:wod:SP1:0:2", "br:wod:SP1:1:1"]
    assert {point: len(reads) for point, reads in early.items()} == {"SP1": 2, "SP2": 1}
    assert [one.key for one in paged] == ["br:wod:SP1:0:2", "br:wod:SP2:0:1"]


def test_a_state_changes_only_from_where_it_is_thought_to_be(house, make):
    one = kept(make, state=ReadState.HELD)
    with house.writing() as tx:
        tx.billing.add_reads([one])
        assert not tx.billing.set_state(one.key, [ReadState.PROPOSED], ReadState.BILLED)
        assert tx.billing.set_state(one.key, [ReadState.HELD], ReadState.BILLED)
        assert tx.billing.read(one.key).state is ReadState.BILLED


def test_only_the_newest_revision_is_counted(house, make):
    with house.writing() as tx:
        tx.billing.add_reads(
            [kept(make), kept(make, revision=2, state=ReadState.PROPOSED), kept(make, "SP2")]
        )
        assert tx.billing.counts(make.noon, make.noon + 30 * DAY) == {
            ("R1", "month 0", ReadState.PROPOSED): 1,
            ("R2", "month 0", ReadState.BILLED): 1,
        }


def test_service_points_with_meters_come_page_by_page(house, make):
    with house.reading() as tx:
        assert [one.id for one in tx.billing.service_points()] == ["SP1", "SP2"]
        assert [one.id for one in tx.billing.service_points(after="SP1")] == ["SP2"]
        assert [one.id for one in tx.billing.service_points(route="R1", limit=1)] == ["SP1"]
        assert (tx.billing.count_service_points(), tx.billing.count_service_points(route="R2")) == (2, 1)
        assert tx.billing.routes() == ["R1", "R2"]
        assert tx.billing.installed_at(["SP1"]) == {"SP1": [Installation(make.meter, "SP1", make.noon)]}


def test_index_points_of_many_meters_are_cubic_metres_within_a_time(house, make):
    readings = [
        make.reading("7.7"),
        make.reading("7.9", 60),
        make.reading("8.0", 120),
        make.reading("100", 60, unit="m3/h"),
        make.reading("3.1", 60, meter=make.other),
    ]
    with house.writing() as tx:
        tx.readings.add(readings)
        found = tx.billing.index_points([make.meter, make.other], make.volume, make.noon, make.at(60))
    assert found == {
        make.meter: [IndexPoint(make.noon, Decimal("7.7")), IndexPoint(make.at(60), Decimal("7.9"))],
        make.other: [IndexPoint(make.at(60), Decimal("3.1"))],
    }


def test_a_reading_from_the_future_is_told_from_one_of_its_time(house, make):
    early = replace(make.reading("9"), measured_at=make.at(3 * 24 * 60), received_at=make.noon)
    with house.writing() as tx:
        tx.readings.add([make.reading("7.7"), early])
        found = tx.billing.index_points([make.meter], make.volume, make.noon, early.measured_at)
    assert [point.arrived for point in found[make.meter]] == [None, make.noon]


def test_of_days_only_the_first_and_the_last_reading_are_given(house, make):
    hours = [make.reading(f"{100 + n}", 60 * n) for n in range(72)]
    days = [make.at(60 * n) for n in (-30, 7, 30, 55, 90)]
    with house.writing() as tx:
        tx.readings.add([*hours, make.reading("3", 60, meter=make.other)])
        meters, until = [make.meter, make.other], make.at(60 * 60)
        found = tx.billing.index_points(meters, make.volume, make.at(60), until, days=days)
    edges = [hours[n] for n in (1, 6, 7, 29, 30, 54, 55, 60)]
    assert [(one.at, one.value) for one in found[make.meter]] == [
        (one.measured_at, one.value) for one in edges
    ]
    assert [one.value for one in found[make.other]] == [Decimal(3)]


def test_more_meters_than_one_statement_of_sqlite_takes_are_found(house, make):
    many = [MeterId("KAM", f"{n:08d}", "1b", "16") for n in range(1100)]
    with house.writing() as tx:
        tx.readings.add([make.reading(meter=meter) for meter in many])
        found = tx.billing.index_points(many, make.volume, make.noon, make.noon)
        assert not tx.billing.index_points([], make.volume, make.noon, make.noon)
    assert found.keys() == set(many)


def question(make, point: str = "SP1", kind: ExceptionKind = ExceptionKind.RULE, read: str | None = None):
    return NewException(
        point, "volume", "month 0", make.noon, make.noon + DAY, kind, "Look.", b'{"a":1}', read
    )


def test_the_same_question_is_open_once_and_may_arise_again(house, make):
    settled = Decision("accept", "A. Kos", "seen", make.at(5))
    with house.writing() as tx:
        assert tx.billing.ask([question(make), question(make, "SP2")], make.noon) == 2
        assert tx.billing.ask([question(make)], make.at(1)) == 0
        (one, _) = tx.billing.exceptions([ExceptionState.OPEN])
        assert tx.billing.decide(one.number, settled, ExceptionState.ACCEPTED)
        assert not tx.billing.decide(one.number, settled, ExceptionState.REJECTED)
        assert tx.billing.ask([question(make)], make.at(9)) == 1
        found = tx.billing.exception(one.number)
    assert (found.state, found.settled_at, found.decisions) == (
        ExceptionState.ACCEPTED,
        make.at(5),
        (settled,),
    )
    assert found.about == question(make)


def test_questions_are_counted_and_paged(house, make):
    with house.writing() as tx:
        tx.billing.ask(
            [question(make), question(make, "SP2"), question(make, kind=ExceptionKind.CORRECTION)], make.noon
        )
        first = tx.billing.exceptions([ExceptionState.OPEN], limit=1)
        rest = tx.billing.exceptions([ExceptionState.OPEN], after=first[0].number)
        assert len(rest) == 2
        assert len(tx.billing.exceptions([ExceptionState.OPEN], service_point="SP2")) == 1
        assert tx.billing.count_exceptions() == {
            (ExceptionKind.RULE, ExceptionState.OPEN): 2,
            (ExceptionKind.CORRECTION, ExceptionState.OPEN): 1,
        }


def test_decisions_on_all_revisions_of_a_read(house, make):
    with house.writing() as tx:
        tx.billing.ask([question(make, read="br:50%_:1")], make.noon)
        tx.billing.ask([question(make, "SP2", read="br:50xy:1")], make.noon)
        for one in tx.billing.exceptions([ExceptionState.OPEN]):
            tx.billing.decide(one.number, Decision("reader", "K", "go", make.noon), ExceptionState.READER)
        assert [made.by for _, made in tx.billing.decisions_on("br:50%_:")] == ["K"]


def test_customers_contracts_and_tenancies(house, make):
    tenancies = [
        Tenancy("U2", "SP1", make.noon + DAY),
        Tenancy("U1", "SP1", make.noon, make.noon + DAY),
    ]
    with house.writing() as tx:
        assert not tx.customers.any_tenancy()
        tx.customers.put_customers(
            [Customer("4711", "Jan Lis", "household", "pl", "j@example.org"), Customer("4712")]
        )
        tx.customers.put_contracts([Contract("U1", "4711", "G"), Contract("U2", "4712")])
        tx.customers.put_tenancies(tenancies)
        tx.customers.put_customers([Customer("4712", "Ewa Lis")])
    with house.reading() as tx:
        assert tx.customers.customers(["4711", "4712", "0"]) == {
            "4711": Customer("4711", "Jan Lis", "household", "pl", "j@example.org"),
            "4712": Customer("4712", "Ewa Lis"),
        }
        assert tx.customers.contracts(["U1"]) == {"U1": Contract("U1", "4711", "G")}
        assert tx.customers.contracts_of("4712") == [Contract("U2", "4712")]
        assert tx.customers.tenancies_at(["SP1", "SP2"]) == {"SP1": tenancies[::-1]}
        assert tx.customers.tenancies_of(["U2"]) == [tenancies[0]]
        assert tx.customers.any_tenancy()


def test_dials_deductions_protocols_and_cuts(house, make):
    facts = MeterFacts(make.meter, 5, Decimal("2.5"), date(2029, 12, 31))
    removed = ProtocolIndex(make.meter, "SP1", make.at(9), Event.REMOVED, Decimal("351.2"), "M. Bak", "P/7")
    cut = CutMade("SP1", make.at(3), "final", "moved out", "A. Kos", make.noon)
    with house.writing() as tx:
        tx.customers.put_meter_facts([facts, MeterFacts(make.other)])
        tx.customers.put_protocols([removed])
        tx.customers.put_deductibles([Deductible("SP1", "SP2", make.noon)])
        tx.customers.put_cuts([cut])
        tx.customers.put_cuts([replace(cut, reason="again")])
        assert tx.customers.meter_facts([make.meter, make.other]) == {
            make.meter: facts,
            make.other: MeterFacts(make.other),
        }
        assert tx.customers.protocols([make.meter]) == {make.meter: [removed]}
        assert tx.customers.deductibles(["SP1"]) == {"SP1": [Deductible("SP1", "SP2", make.noon)]}
        assert tx.customers.cuts(["SP1", "SP2"]) == {"SP1": [cut]}


def told(make, value: str | None = "409", answer: str = "received", at: float = 0) -> ToldState:
    number = None if value is None else Decimal(value)
    return ToldState(
        make.meter,
        "SP1",
        "volume",
        make.at(at),
        number,
        value or "x",
        "web",
        "4711",
        make.at(at),
        answer,
        window="w1",
    )


def test_a_state_counts_from_when_it_is_taken_over(house, make):
    with house.writing() as tx:
        numbers = tx.customers.add_states(
            [told(make), told(make, None, "not_a_number"), told(make, "410", at=60)]
        )
        assert [one.number for one in tx.customers.states_at("SP1")] == list(numbers)
        assert len(tx.customers.states_at("SP1", "w1")) == 3
        assert tx.customers.states_at("SP1", "w2") == []
        assert [one.number for one in tx.customers.waiting_states()] == [numbers[0], numbers[2]]
        assert tx.customers.accept_state(numbers[2], make.at(90))
        assert not tx.customers.accept_state(numbers[2], make.at(91))
        assert not tx.customers.accept_state(numbers[1], make.at(91))
        found = tx.customers.accepted_states([make.meter], "volume", make.noon, make.at(60))
    assert [(one.value, one.accepted_at) for one in found[make.meter]] == [(Decimal(410), make.at(90))]


def invoice(make, at: float = 0, **said) -> Document:
    values = {
        "amount": Decimal("66.42"),
        "currency": "PLN",
        "issued_on": date(2026, 4, 2),
        "due_on": date(2026, 4, 16),
        "read": "br:1",
        "content": b'{"lines":[]}',
    }
    return Document("cis", DocumentKind.INVOICE, "F/1", make.at(at), "4711", **{**values, **said})


def test_the_newest_snapshot_of_a_document_counts(house, make):
    balance = Document("cis", DocumentKind.BALANCE, "4711", make.noon, "4711", amount=Decimal("-5.10"))
    with house.writing() as tx:
        assert tx.accounts.put_documents([invoice(make), balance]) == 2
        assert tx.accounts.put_documents([invoice(make)]) == 0
        assert (
            tx.accounts.put_documents(
                [invoice(make, 5, amount=Decimal(70)), replace(balance, as_of=make.at(9), amount=Decimal(0))]
            )
            == 2
        )
        found = tx.accounts.documents(customer="4711")
        assert [(one.kind, one.amount) for one in found] == [
            (DocumentKind.BALANCE, Decimal(0)),
            (DocumentKind.INVOICE, Decimal(70)),
        ]
        assert found[1] == invoice(make, 5, amount=Decimal(70))
        assert tx.accounts.documents(read="br:1")[0].amount == Decimal(70)
        assert tx.accounts.documents(kinds=[DocumentKind.PAYMENT]) == []
        assert tx.accounts.balance("4711").as_of == make.at(9)
        assert tx.accounts.balance("none") is None


def test_a_message_is_received_once(house, make):
    with house.writing() as tx:
        assert tx.accounts.receive("cis", "m1", b"1", make.noon)
        assert not tx.accounts.receive("cis", "m1", b"1", make.at(1))
        with pytest.raises(MessageReused, match="another content"):
            tx.accounts.receive("cis", "m1", b"2", make.at(1))


def test_a_mark_never_goes_back(house, make):
    with house.writing() as tx:
        assert tx.accounts.mark("cis", "invoices") is None
        tx.accounts.put_mark("cis", "invoices", make.at(9))
        tx.accounts.put_mark("cis", "invoices", make.at(3))
        assert tx.accounts.mark("cis", "invoices") == make.at(9)
