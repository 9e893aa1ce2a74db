"""Broken, contradictory and hostile files: one clear refusal with row numbers, and nothing of it is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from metering.clock import SystemClock
from metering.errors import TelemetryError
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.store import SqlStore
from metering.store.sql.copying import sums
from service.cli import app

METER = MeterId("KAM", "00000001", "1b", "16")
HEADS = {
    "tenancies": "customer,contract,service_point,valid_from",
    "deductions": "service_point,sub,valid_from",
    "meters": "meter_id,digits",
    "protocols": "meter_id,service_point,event,at,index_m3",
    "logs": "meter_id,at,index_m3",
    "visited": "service_point,meter_id,index_m3,read_at",
    "balances": "customer,as_of,amount,currency",
    "payments": "payment_id,customer,paid_on,amount,currency",
}
GOOD = {
    "tenancies": "C1,U1,SP1,2025-01-01",
    "deductions": "SP1,SP2,2025-01-01",
    "meters": "KAM-00000001-1b-16,5",
    "protocols": "KAM-00000001-1b-16,SP1,installed,2025-01-01T00:00+00:00,7.5",
    "logs": "KAM-00000001-1b-16,2026-01-01,100",
    "visited": "SP1,KAM-00000001-1b-16,61.5,2026-03-02T09:00+01:00",
    "balances": "C1,2026-03-01,12.50,PLN",
    "payments": "P1,C1,2026-03-01,12.50,PLN",
}
BAD = {
    "tenancies": [
        ("C1,U1,SP9,2025-01-01", "no service point 'SP9'"),
        ("C1,U1,SP1,yesterday", "'yesterday' is neither a date"),
        (",U1,SP1,2025-01-01", "missing"),
    ],
    "deductions": [("SP1,SP1,2025-01-01", "cannot be behind itself"), ("SP1,SP9,2025-01-01", "'SP9'")],
    "meters": [("KAM-00000009-1b-16,5", "not in the registry"), ("KAM-00000001-1b-16,77", "3 to 9")],
    "protocols": [
        ("KAM-00000001-1b-16,SP1,eaten,2025-01-01T00:00+00:00,7", "neither installed nor removed"),
        ("KAM-00000001-1b-16,SP1,installed,2025-01-02,7", "was not installed at 'SP1' then"),
        ("KAM-00000001-1b-16,SP1,installed,2025-01-01T00:00+00:00,1e9", "'1e9' is not a number"),
    ],
    "logs": [
        ("KAM-00000001-1b-16,2026-01-01,-3", "'-3' is not a number"),
        ("KAM-00000009-1b-16,2026-01-01,3", "not in the registry"),
        ("KAM-00000001-1b-16,,3", "missing"),
    ],
    "visited": [
        ("SP1,KAM-00000001-1b-16,NaN,2026-03-02", "'NaN' is not a number"),
        ("SP1,KAM-00000001-1b-16,7,2999-01-01", "lies ahead"),
    ],
    "balances": [("C1,2026-03-01,twelve,PLN", "twelve"), ("C1,2026-03-01,12,ZZZZ", "ZZZZ")],
    "payments": [("P1,C1,2026-02-30,12,PLN", "2026-02-30"), (",C1,2026-03-01,12,PLN", "missing")],
}
HOSTILE = {
    "nothing at all": b"",
    "only a byte order mark": b"\xef\xbb\xbf",
    "NUL bytes": b"%s\n\x00\x00\x00\n",
    "Windows-1250": b"%s\n\xb3\xb9ka,1,2,3\n",
    "UTF-16": "customer;contract\n".encode("utf-16"),
    "an archive": b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)) * 4,
    "a quote that never ends": b'%s\n"' + b"x" * 500_000,
    "a line of ten megabytes": b"%s\n" + b"x" * 10_000_000 + b"\n",
    "ten megabytes of columns": b"a," * 5_000_000 + b"b\n",
    "a header of another table": b"quite,another,table\n1,2,3\n",
    "the header twice": b"%s,%s\n",
    "too few cells": b"%s\n1\n",
    "an XML document": b"<?xml version='1.0'?><a>%s</a>\n",
}


def opened(folder: Path) -> SqlStore:
    return SqlStore(f"sqlite:///{folder}/data/nurt.db", SystemClock(), lambda: bytes(32))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house, and a table of each kind that is right, taken in."""
    folder = tmp_path_factory.mktemp("town")
    (folder / "nurt.toml").write_text(f'[store]\ndata = "{folder}/data"\n')
    (folder / "r.csv").write_text("x")
    since = datetime(2025, 1, 1, tzinfo=UTC)
    runner(folder, "db", "upgrade")
    store = opened(folder)
    with store.writing() as tx:
        tx.registry.put_service_points([ServicePoint("SP1"), ServicePoint("SP2")])
        tx.registry.put_meters([Meter(METER)])
        tx.registry.put_installations([Installation(METER, "SP1", since)])
    store.close()
    for table, row in GOOD.items():
        taken(folder, table, f"{HEADS[table]}\n{row}\n".encode())
    return folder


def runner(folder: Path, *arguments: str) -> str:
    """Run a command; gives what was refused, empty if nothing was."""
    done = CliRunner().invoke(app, [*arguments, "--config", str(folder / "nurt.toml")])
    if done.exception is None:
        return ""
    assert isinstance(done.exception, TelemetryError), done.exception
    faults = getattr(done.exception, "faults", ())
    return "\n".join([str(done.exception), *(str(one) for one in faults)])


def taken(folder: Path, table: str, content: bytes) -> str:
    file = folder / "table.csv"
    file.write_bytes(content)
    if table == "visited":
        return runner(folder, "billing", "visited", str(file), "--by", "M. Bak")
    if table in {"balances", "payments"}:
        return runner(folder, "billing", "take-in", str(file))
    return runner(folder, "billing", "import", table, str(file))


def kept(folder: Path):
    store = opened(folder)
    with store.database.transaction(write=False) as connection:
        found = [one for one in sums(connection) if one.table != "counters"]
    store.close()
    return found


ASKED = [
    (table, what)
    for table in HEADS
    for what in HOSTILE
    if table in {"tenancies", "visited", "balances"} or what in {"NUL bytes", "too few cells"}
]
"""Each way a table comes in with everything; the others go the same ways."""


@pytest.mark.parametrize(("table", "what"), ASKED)
def test_no_table_of_ours_is_refused_in_one_sentence_and_nothing_changes(town, table, what):
    before = kept(town)
    told = taken(town, table, HOSTILE[what].replace(b"%s", HEADS[table].encode()))
    assert "fault(s)" in told
    assert "row " in told
    assert len(told) < 5_000
    assert kept(town) == before


@pytest.mark.parametrize("table", HEADS)
def test_one_bad_row_refuses_the_good_ones_with_it_and_says_which_it_is(town, table):
    before = kept(town)
    for bad, sentence in BAD[table]:
        rows = "\n".join([HEADS[table], *[GOOD[table]] * 3, bad, GOOD[table]])
        told = taken(town, table, f"{rows}\n".encode())
        assert "row 5" in told, (table, told)
        assert sentence in told
    assert kept(town) == before


@pytest.mark.parametrize("table", sorted(HEADS.keys() - {"visited"}))
def test_the_same_table_again_changes_nothing(town, table):
    before = kept(town)
    assert taken(town, table, f"{HEADS[table]}\n{GOOD[table]}\n".encode()) == ""
    assert kept(town) == before


def test_a_state_twice_with_two_values_in_one_file_is_told(town):
    before = kept(town)
    two = "KAM-00000001-1b-16,2026-01-01,100\nKAM-00000001-1b-16,2026-01-01,101\n"
    told = taken(town, "logs", f"{HEADS['logs']}\n{two}".encode())
    assert "row 3, column index_m3: contradicts an earlier row of this file" in told
    assert kept(town) == before


def test_a_file_too_large_for_memory_is_refused_before_it_is_read(town, monkeypatch):
    monkeypatch.setattr("service.commands.imports._LARGEST", 1000)
    told = taken(town, "tenancies", b"x" * 1001)
    assert "larger than 0 MB; take it in in parts" in told


@pytest.mark.parametrize(
    "bomb",
    [
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>',
        b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>" * 100_000,
        b"<?xml version='1.0' encoding='utf-16'?><a/>",
        b"\x00" * 1000,
        b"",
    ],
    ids=["entities", "outside", "depth", "encoding", "NUL", "empty"],
)
def test_an_invoice_that_is_a_bomb_is_refused(town, bomb):
    before = kept(town)
    (town / "invoice.xml").write_bytes(bomb)
    told = runner(town, "billing", "take-in", str(town / "invoice.xml"))
    assert "Nothing was taken in" in told
    assert kept(town) == before


@pytest.mark.parametrize(
    "held",
    [b"", b"{}", b"[]", b'{"reads": 7}', b'{"reads": [{"key": "x", "volume_m3": "1e"}]}', b"\xff" * 99],
)
def test_a_list_of_held_reads_that_is_none_is_refused(town, held):
    (town / "held.json").write_bytes(held)
    told = runner(town, "billing", "reconcile", "2026-01", "--theirs", str(town / "held.json"))
    assert "cannot be read" in told
