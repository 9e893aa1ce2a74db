"""Facts about files taken in from the billing system: all or none, once, every fault told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from invoice_texts import FA3, UBL

from metering.billing_accounts import DocumentKind
from metering.clock import SystemClock
from metering.store import SqlStore
from service import cli

BALANCES = "customer;as_of;amount;currency\nK-104;2026-04-01;64,43;PLN\nK-105;2026-04-01;-12.00;PLN\n"
PAYMENTS = (
    "payment_id,customer,paid_on,amount,currency,invoice\nW-1,K-104,2026-04-15,64.43,PLN,F/2026/04/17\n"
)


@pytest.fixture
def nurt(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("nurt.toml").write_text('[ingest]\nzone = "Europe/Warsaw"\n')

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["billing", "take-in", *arguments])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def kept():
    """Read what was kept."""

    def documents(**more):
        (path,) = Path().rglob("*.db")
        store = SqlStore(f"sqlite:///{path}", SystemClock())
        try:
            with store.reading() as tx:
                return list(tx.accounts.documents(**more)), tx.accounts.mark("cis", "files")
        finally:
            store.close()

    return documents


def write(name: str, content: str | bytes) -> str:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def test_invoices_balances_and_payments_are_kept_once(nurt, kept):
    files = [
        write("f.xml", FA3),
        write("f.pdf", b"%PDF-1.7 picture"),
        write("b.csv", BALANCES),
        write("p.csv", PAYMENTS),
    ]
    assert nurt(*files, "--complete-until", "2026-04-16")[:2] == (0, "4 documents in 4 files, 4 new.\n")
    assert nurt(*files)[:2] == (0, "4 documents in 4 files, 0 new.\n")
    found, mark = kept(customer="K-104")
    assert mark == datetime(2026, 4, 15, 22, tzinfo=UTC)
    assert [(one.kind, one.number, one.amount) for one in found] == [
        (DocumentKind.PAYMENT, "W-1", Decimal("64.43")),
        (DocumentKind.INVOICE, "F/2026/04/17", Decimal("54.43")),
        (DocumentKind.BALANCE, "K-104", Decimal("64.43")),
    ]
    assert found[1].file == b"%PDF-1.7 picture"
    assert found[1].due_on == date(2026, 4, 17)
    ((credit,), _) = kept(customer="K-105")
    assert credit.amount == Decimal("-12.00")


def test_a_rehearsal_changes_nothing(nurt):
    assert "1 would be new; nothing was changed" in nurt(write("f.xml", UBL), "--dry-run")[1]
    assert nurt(write("f.xml", UBL))[1] == "1 documents in 1 files, 1 new.\n"


def test_an_invoice_that_changed_under_its_number_is_refused(nurt, kept):
    nurt(write("f.xml", FA3))
    code, _, err = nurt(write("f.xml", FA3.replace("54.43", "99.43")))
    assert code == 1
    assert "sent invoice 1234563218/VAT/F/2026/04/17 again with another content" in err
    assert kept()[0][0].amount == Decimal("54.43")


def test_one_bad_file_keeps_all_out(nurt, kept):
    files = [write("b.csv", BALANCES), write("f.xml", FA3.replace("54.43", "a lot"))]
    code, out, err = nurt(*files)
    assert (code, out) == (1, "")
    assert err == "nurt: f.xml: Faktura/Fa/P_15: 'a lot' is not an amount. Nothing was taken in\n"
    nurt(write("p.csv", PAYMENTS))
    assert [one.number for one in kept()[0]] == ["W-1"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("K;2026-04-01;1e5;PLN", "row 2, column amount: '1e5' is not an amount"),
        ("K;2026-04-01;=1+1;PLN", "row 2, column amount: '=1+1' is not an amount"),
        ("K;2026-02-30;1;PLN", "row 2, column as_of: '2026-02-30' is neither a date"),
        ("K;;1;PLN", "row 2, column as_of: missing"),
        (";2026-04-01;1;PLN", "row 2, column customer: missing"),
        ("K;2026-04-01;1;zł", "row 2, column currency: 'zł' is not a currency"),
        ("K;2026-04-01;1;PLN\nK;2026-04-01;2;PLN", "row 3: K is in row 2 already"),
        ("K;2026-04-01;1", "row 2: 3 cells where the header has 4"),
        (f"{'K' * 300};2026-04-01;1;PLN", "row 2, column customer: 300 characters"),
    ],
)
def test_a_broken_table_is_refused_with_its_row(nurt, rows, told):
    code, out, err = nurt(write("b.csv", f"customer;as_of;amount;currency\n{rows}\n"))
    assert (code, out) == (1, "")
    assert told in err


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("f.doc", b"", "f.doc: what ends in '.doc' is not read; .xml, .csv and .pdf are"),
        ("f.pdf", b"%PDF-1.7", "f.pdf: no invoice (.xml) of the same name came with it"),
        ("f.pdf", b"MZ", "f.pdf: it is called PDF and is none"),
        ("f.csv", b"\xff", "not UTF-8"),
        ("f.csv", b"a;b\n", "unknown column 'a'"),
        ("f.xml", b"<!DOCTYPE a><a/>", "f.xml: it has a document type (a)"),
    ],
)
def test_what_is_no_such_file_is_refused(nurt, name, content, told):
    code, out, err = nurt(write(name, content))
    assert (code, out) == (1, "")
    assert told in err


def test_a_file_that_is_not_there_and_a_moment_that_is_none(nurt):
    assert "nowhere.xml: the file cannot be read: No such file" in nurt("nowhere.xml")[2]
    code, _, err = nurt(write("b.csv", BALANCES), "--complete-until", "yesterday")
    assert code == 2
    assert "is neither a date" in " ".join(err.split())
