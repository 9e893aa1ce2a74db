"""Facts about electronic invoices read in: what is shown, what is refused and why."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invoice_texts import FA3, UBL

from billing_bridge.invoices import InvoiceLine, NotAnInvoice, read_invoice
from billing_bridge.invoices.ksef import ksef_number_in


def test_a_polish_invoice_says_what_a_customer_asks():
    read = read_invoice(FA3.encode())
    assert (read.form, read.number, read.kind, read.identity) == (
        "FA(3)", "F/2026/04/17", "VAT", "1234563218/VAT/F/2026/04/17",
    )  # fmt: skip
    assert (read.customer, read.buyer, read.seller) == ("K-104", "Odbiorca", "Wodociągi Gminne")
    assert (read.gross, read.to_pay, read.tax, read.currency) == (
        Decimal("54.43"), Decimal("64.43"), Decimal("4.03"), "PLN",
    )  # fmt: skip
    assert (read.issued_on, read.due_on) == (date(2026, 4, 3), date(2026, 4, 17))
    assert read.period == (date(2026, 3, 1), date(2026, 3, 31))
    assert read.made_at == datetime(2026, 4, 3, 8, 15, tzinfo=UTC)
    water = InvoiceLine("Woda, licznik KAM-76348799", Decimal(9), "m3", Decimal("5.6"), Decimal("50.40"), "8")
    assert read.lines == (water,)
    assert not read.correction
    assert json.loads(read.content())["lines"][0]["net"] == "50.40"


def test_a_romanian_invoice_says_the_same():
    read = read_invoice(UBL.encode())
    assert (read.form, read.number, read.kind, read.customer) == ("CIUS-RO", "APA-2026-17", "380", "C-7")
    assert (read.gross, read.tax, read.to_pay, read.currency) == (
        Decimal("54.50"), Decimal("4.50"), Decimal("54.50"), "RON",
    )  # fmt: skip
    assert (read.seller, read.seller_tax, read.buyer) == ("Apa Comunală", "RO123456", "Client")
    assert read.lines == (InvoiceLine("Apă", Decimal(10), "MTQ", Decimal("5.00"), Decimal("50.00"), "9"),)
    assert (read.remarks, read.account) == (("Index citit",), "RO49AAAA1B31007593840000")


def test_a_correction_names_what_it_corrects():
    corrected = FA3.replace("<RodzajFaktury>VAT<", "<RodzajFaktury>KOR<").replace(
        "<FaWiersz>",
        "<DaneFaKorygowanej><NrFaKorygowanej>F/2026/03/9</NrFaKorygowanej></DaneFaKorygowanej><FaWiersz>",
    )
    read = read_invoice(corrected.encode())
    assert (read.correction, read.corrects) == (True, ("F/2026/03/9",))


def test_a_credit_note_takes_money_off():
    note = (
        UBL.replace("Invoice-2", "CreditNote-2")
        .replace("<Invoice ", "<CreditNote ")
        .replace("</Invoice>", "</CreditNote>")
        .replace("InvoiceTypeCode>380<", "InvoiceTypeCode>381<")
        .replace("InvoiceTypeCode", "CreditNoteTypeCode")
        .replace("InvoiceLine", "CreditNoteLine")
        .replace("InvoicedQuantity", "CreditedQuantity")
    )
    read = read_invoice(note.encode())
    assert (read.gross, read.kind, read.correction) == (Decimal("-54.50"), "381", True)
    assert read.lines[0].net == Decimal("-50.00")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("2025/06/25/13775", "2023/06/29/12648"), "its namespace is FA(2)"),
        (("<P_2>F/2026/04/17</P_2>", ""), "Faktura/Fa has no P_2"),
        (("<P_15>54.43</P_15>", ""), "no P_15"),
        (("54.43", "54,43"), "Faktura/Fa/P_15: '54,43' is not an amount"),
        (("54.43", "NaN"), "Faktura/Fa/P_15: 'NaN' is not an amount"),
        (("54.43", "1" * 50), "is not an amount"),
        (("<P_1>2026-04-03", "<P_1>2026-02-30"), "Faktura/Fa/P_1: '2026-02-30' is not a date"),
        (("T08:15:00Z", "T08:15:00+99:99"), "is not a time"),
        (("<Podmiot2>", "<Podmiot9>"), "it is not XML"),
        (("</Faktura>", ""), "it is not XML"),
        (("Faktura", "Fakture"), "its root is Fakture; KSeF FA(3) has Faktura"),
    ],
)
def test_a_broken_invoice_is_refused_with_the_place(change, told):
    with pytest.raises(NotAnInvoice) as fault:
        read_invoice(FA3.replace(*change).encode())
    assert told in str(fault.value)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE Faktura [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<Faktura>&b;</Faktura>"
)


@pytest.mark.parametrize(
    "attack",
    [
        BOMB,
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        '<!DOCTYPE Faktura [<!ENTITY e SYSTEM "file:///etc/passwd">]><Faktura>&e;</Faktura>',
    ],
)
def test_a_document_type_is_refused_before_it_means_anything(attack):
    with pytest.raises(NotAnInvoice, match="document type"):
        read_invoice(attack.encode())


def test_what_is_too_deep_or_too_large_is_refused():
    with pytest.raises(NotAnInvoice, match="nested too deeply"):
        read_invoice(b"<a>" * 1000)
    with pytest.raises(NotAnInvoice, match="too many"):
        read_invoice(b"<a>" + b"<b/>" * 200_001)
    with pytest.raises(NotAnInvoice, match="larger than 20 MB"):
        read_invoice(b"<a>" + b" " * 21 * 1024 * 1024)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_mutation_is_an_invoice_or_a_refusal(data):
    content = bytearray(data.draw(st.sampled_from([FA3.encode(), UBL.encode()])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=4))
    with suppress(NotAnInvoice):
        read_invoice(bytes(content))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(content):
    with suppress(NotAnInvoice):
        read_invoice(content)


def test_a_ksef_number_is_known_by_its_check_digits():
    number = "1234563218-20260403-0A1B2C3D4E5F-"
    valid = [f"{number}{check:02X}" for check in range(256) if ksef_number_in(f"{number}{check:02X}")]
    assert len(valid) == 1
    assert ksef_number_in(f"faktura_{valid[0].lower()}.xml") == valid[0]
    assert ksef_number_in("faktura.xml") == ""
