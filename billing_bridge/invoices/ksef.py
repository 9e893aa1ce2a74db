"""Polish structured invoices: KSeF logical structure FA(3).

Source: Ministry of Finance, FA(3), schema version 1-0E, namespace of 25 June 2025; KSeF numbers as in its
interface description (35 characters, CRC-8 with polynomial 0x07).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

from billing_bridge.invoices.invoice import Invoice, InvoiceLine, NotAnInvoice
from billing_bridge.invoices.strict_xml import Node

__all__ = ["NAMESPACE", "ksef_number_in", "read_fa3"]

NAMESPACE = "http://crd.gov.pl/wzor/2025/06/25/13775/"
_OLDER = "http://crd.gov.pl/wzor/2023/06/29/12648/"

_KSEF_NUMBER = re.compile(r"(?<!\d)(\d{10}-\d{8}-[0-9A-F]{12}-)([0-9A-F]{2})(?![0-9A-F])")

_RATES = ("P_14_1", "P_14_2", "P_14_3", "P_14_4", "P_14_5")


def read_fa3(root: Node) -> Invoice:
    """Read an FA(3) document.

    Raises:
        NotAnInvoice: another version, or something an invoice must have is missing.
    """
    if root.namespace != NAMESPACE:
        known = "FA(2), of before February 2026" if root.namespace == _OLDER else root.namespace or "none"
        raise NotAnInvoice(f"its namespace is {known}; FA(3) has {NAMESPACE}")
    body, buyer = _part(root, "Fa"), _part(root, "Podmiot2")
    issued = body.day("P_1")
    gross = body.number("P_15")
    if issued is None or gross is None:
        raise NotAnInvoice("Faktura/Fa has no P_1 (date) or no P_15 (total)")
    seller = _part(root, "Podmiot1")
    return Invoice(
        form="FA(3)",
        number=body.needed("P_2"),
        kind=body.needed("RodzajFaktury"),
        corrects=tuple(one.needed("NrFaKorygowanej") for one in body.all("DaneFaKorygowanej")),
        made_at=root.moment("Naglowek/DataWytworzeniaFa") or datetime.combine(issued, time(), UTC),
        issued_on=issued,
        due_on=body.day("Platnosc/TerminPlatnosci/Termin"),
        period=_period(body),
        seller=seller.text("DaneIdentyfikacyjne/Nazwa"),
        seller_tax=seller.needed("DaneIdentyfikacyjne/NIP"),
        buyer=buyer.text("DaneIdentyfikacyjne/Nazwa"),
        customer=buyer.text("NrKlienta"),
        currency=body.needed("KodWaluty"),
        gross=gross,
        to_pay=body.number("Rozliczenie/DoZaplaty", "Rozliczenie/DoRozliczenia"),
        tax=_tax(body),
        account=body.text("Platnosc/RachunekBankowy/NrRB"),
        lines=tuple(_line(one) for one in body.all("FaWiersz")),
        remarks=tuple(one.element.text or "" for one in root.all("Stopka/Informacje/StopkaFaktury")),
    )


def _part(root: Node, name: str) -> Node:
    found = root.first(name)
    if found is None:
        raise NotAnInvoice(f"Faktura has no {name}")
    return found


def _period(body: Node) -> tuple[date, date] | None:
    first, last = body.day("OkresFa/P_6_Od"), body.day("OkresFa/P_6_Do")
    return (first, last) if first and last else None


def _tax(body: Node) -> Decimal | None:
    found = [amount for rate in _RATES if (amount := body.number(rate)) is not None]
    return sum(found, Decimal(0)) if found else None


def _line(row: Node) -> InvoiceLine:
    return InvoiceLine(
        name=row.text("P_7"),
        quantity=row.number("P_8B"),
        unit=row.text("P_8A"),
        net_price=row.number("P_9A"),
        net=row.number("P_11"),
        tax_rate=row.text("P_12"),
    )


def ksef_number_in(text: str) -> str:
    """Find a KSeF number in a text, such as the name of the file it was fetched as; empty if there is none.

    Its last two digits check the others; a text that only looks like one is none.
    """
    for found in _KSEF_NUMBER.finditer(text.upper()):
        if _crc8(found[1].rstrip("-").encode()) == int(found[2], 16):
            return found[0]
    return ""


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x07) & 0xFF if value & 0x80 else value << 1
    return value
