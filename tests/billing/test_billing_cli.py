"""nurt billing as its user runs it: tables in, periods closed, reads sent, questions decided, evidence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from billing_bridge.export.signature import Secret
from metering.clock import SystemClock
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.ports import NewTelegram, TelegramState
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import SqlStore, upgrade
from metering.uplink import ClockSource, Reception
from service.cli import app
from service.demo.billing_books import Books
from service.demo.billing_customers import customer_at
from service.demo.billing_receiver import Receiver, receiver

SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
WARSAW = ZoneInfo("Europe/Warsaw")
ONE, TWO = MeterId("KAM", "00000001", "1b", "16"), MeterId("KAM", "00000002", "1b", "16")
KEY = "br:wod:SP1%2Fvolume:2026-02-01..2026-03-01:1"


def at(month: int, day: int = 1) -> datetime:
    return datetime(2026, month, day, tzinfo=WARSAW).astimezone(UTC)


def heard(tx, meter: MeterId, moment: datetime, value: str) -> Reading:
    """A reading with its telegram and two receptions."""
    frame = f"{meter}{moment}".encode()
    receptions = [
        (Reception(name, moment, moment, ClockSource.NTP, rssi, "T1"), None)
        for name, rssi in (("roof", -71), ("cellar", -88))
    ]
    mark = blake2b(frame, digest_size=16).digest()
    (number,) = tx.archive.add([NewTelegram(meter, frame, mark, TelegramState.STORED, "", receptions)])
    source = Provenance(number, "roof", "kamstrup-mc21", "7")
    return Reading(
        meter, Register("volume"), Decimal(value), "m3", moment, moment, Way.RADIO, Quality.RAW, source
    )


@pytest.fixture
def town(tmp_path: Path, monkeypatch, furnished: Path) -> Path:
    """Two houses: one read at the end of every month, one silent since February."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NURT_CONFIG", raising=False)
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("furnished")
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "nurt.toml").write_text('[store]\ndata = "data"\n[billing]\ntenant = "wod"\n')
    url = f"sqlite:///{folder}/data/nurt.db"
    upgrade(url)
    store = SqlStore(url, SystemClock(), lambda: bytes(32))
    with store.writing() as tx:
        tx.registry.put_service_points(
            [ServicePoint("SP1", "Łąkowa 1", route="R1"), ServicePoint("SP2", "=1+1")]
        )
        tx.registry.put_meters([Meter(ONE, label="Garden"), Meter(TWO)])
        since = at(1) - timedelta(days=40)
        tx.registry.put_installations([Installation(ONE, "SP1", since), Installation(TWO, "SP2", since)])
        reads = [heard(tx, ONE, at(month), value) for month, value in ((1, "90"), (2, "100.4"), (3, "112.9"))]
        tx.readings.add([*reads, heard(tx, TWO, at(1), "50"), heard(tx, TWO, at(2), "55")])
    store.close()
    return folder


def nurt(*arguments: str) -> str:
    """Run a command; an error is raised as it is."""
    done = CliRunner().invoke(app, ["billing", *arguments], catch_exceptions=False)
    assert done.exit_code in {0, 1}
    return done.stdout


TENANCIES = "customer;contract;service_point;valid_from;name;language\nC1;U1;SP1;2026-01-01;Jan Lis;pl\n"


def table(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return name


def test_a_table_is_taken_in_whole_or_not_at_all_each_fault_with_its_row(town):
    from metering.errors import ImportRefused

    said = nurt("import", "tenancies", table(town, "t.csv", TENANCIES))
    assert said == "t.csv: 1 rows taken in\n"
    wrong = TENANCIES + "C2;U2;SP1;2026-02-01;;pl\nC3;U3;SP9;x;;xx\nC1;U1;SP1;2026-01-01;Another;pl\n"
    with pytest.raises(ImportRefused) as told:
        nurt("import", "tenancies", table(town, "w.csv", wrong))
    faults = [str(one) for one in told.value.faults]
    assert faults[0] == "row 3, column valid_from: SP1 is U1's then already: end that one first"
    assert faults[1] == "row 4, column service_point: there is no service point 'SP9'"
    assert faults[2].startswith("row 4, column valid_from: 'x' is neither a date like 2026-03-01")
    assert faults[3] == "row 4, column language: 'xx' is none of pl, ro, en"
    assert faults[4] == "row 5, column customer: contradicts an earlier row of this file"
    assert len(faults) == 5


def test_meters_protocols_and_deductions_are_checked_against_the_registry(town):
    from metering.errors import ImportRefused

    good = "meter_id,digits,q3_m3h,legal_until\nKAM-00000001-1b-16,5,2.5,2029-12-31\n"
    assert nurt("import", "meters", table(town, "m.csv", good)) == "m.csv: 1 rows taken in\n"
    for what, text, fault in (
        ("meters", "meter_id,digits\nKAM-99999999-1b-16,5\n", "not in the registry"),
        ("meters", "meter_id,digits\nKAM-00000001-1b-16,55\n", "a dial has 3 to 9"),
        ("meters", "meter_id,legal_until\nKAM-00000001-1b-16,soon\n", "is not a day like"),
        (
            "protocols",
            "meter_id,service_point,event,at,index_m3\nKAM-00000001-1b-16,SP1,removed,2026-02-02,7\n",
            "was not removed at 'SP1' then",
        ),
        ("deductions", "service_point,sub,valid_from\nSP1,SP1,2026-01-01\n", "cannot be behind itself"),
    ):
        with pytest.raises(ImportRefused) as told:
            nurt("import", what, table(town, "w.csv", text))
        assert fault in str(told.value.faults[0])


@pytest.mark.usefixtures("town")
def test_closing_says_what_it_did_and_again_does_nothing():
    rehearsed = nurt("close", "2026-02", "--dry-run")
    assert "1 reads billed, 12 m3; 0 of them estimated" in rehearsed
    assert "(dry run: nothing kept)" in rehearsed
    assert "0 held by a rule, 1 without a read: see nurt billing exceptions" in nurt("close", "2026-02")
    assert "0 reads billed" in nurt("close", "2026-02", "--route", "R1")
    status = nurt("status", "2026-02")
    assert "2026-02-01..2026-03-01  R1     1       0     0         0" in status
    assert "unbillable  open   1" in status
    assert "Outbox of cis: 1 pending" in status


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["close", "2026-13"], "'2026-13' is not a period; write 2026-09"),
        (["close", "2026-02", "--route", "R9"], "there is no route 'R9' with meters"),
        (["close", "2026-02", "--service-point", "SP9"], "there is no service point 'SP9'"),
        (["accept", "7", "--by", "K", "--reason", "r"], "question 7 cannot be decided: there is none"),
        (["accept", "7", "--by", " ", "--reason", "r"], "a decision needs a name"),
        (["edit", "7", "--by", "K", "--reason", "r", "--index-m3", "nan"], "cannot stand on a dial"),
        (["evidence", "br:none"], "there is no billing read 'br:none'"),
        (["replay", "br:none"], "br:none is no dead message for cis: there is none"),
        (["send"], "there is nobody to send to"),
        (["self-reading", "SP9", "7", "--by", "C1"], "no meter hangs at service point 'SP9'"),
        (["self-reading", "SP1", "7", "--by", "C1", "--channel", "owl"], "is none of web, phone"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments, sentence):
    with pytest.raises(Exception, match=sentence.replace("(", "\\(")):
        nurt(*arguments)


def test_a_reader_s_route_goes_out_and_comes_in(town):
    nurt("close", "2026-02")
    assert "the question stays open" in nurt("reader", "1", "--by", "A. Kos", "--reason", "silent")
    route = nurt("visits", "--asked")
    header, row = route.strip().splitlines()
    assert header.startswith("service_point,address,meter_id,last_index_m3")
    assert row.startswith("SP2,'=1+1,KAM-00000002-1b-16,55,2026-02-01T00:00+01:00,")
    assert "1 open, 0 of them overdue" in nurt("orders")
    found = "service_point,meter_id,index_m3,read_at\nSP2,KAM-00000002-1b-16,61.5,2026-03-02T09:00+01:00\n"
    assert nurt("visited", table(town, "f.csv", found), "--by", "M. Bak") == "f.csv: 1 new states\n"
    assert nurt("visited", "f.csv", "--by", "M. Bak") == "f.csv: 0 new states\n"
    assert nurt("orders") == "No order to show.\n0 open, 0 of them overdue\n"
    assert "M. Bak: 61.5 m3 at 2026-03-02T09:00+01:00" in nurt("orders", "--all")
    assert "visited by M. Bak" in nurt("exceptions", "1")
    assert "1 reads billed, 6 m3" in nurt("close", "2026-02")
    assert nurt("exceptions") == "Nothing waits for a person.\n"


def test_a_visit_that_cannot_be_is_refused_with_its_row_and_rule(town):
    from metering.errors import ImportRefused

    digits = "meter_id,digits\nKAM-00000002-1b-16,5\n"
    nurt("import", "meters", table(town, "m.csv", digits))
    head = "service_point,meter_id,index_m3,read_at\n"
    for row, fault in (
        ("SP2,KAM-00000002-1b-16,612345,2026-03-02", "R4: The dial cannot show this state."),
        ("SP2,KAM-00000001-1b-16,61,2026-03-02", "did not hang at 'SP2' then"),
        ("SP2,KAM-00000002-1b-16,61,2999-03-02", "lies ahead"),
        ("SP2,KAM-00000002-1b-16,-61,2026-03-02", "is not a number"),
    ):
        with pytest.raises(ImportRefused) as told:
            nurt("visited", table(town, "f.csv", f"{head}{row}\n"), "--by", "M. Bak")
        assert fault in str(told.value.faults[0])
        assert told.value.faults[0].row == 2


@pytest.mark.usefixtures("town")
def test_a_self_reading_is_judged_and_kept():
    assert nurt("self-reading", "SP2", "57", "--by", "C2", "--accept").endswith("; taken over\n")
    with pytest.raises(Exception, match="nie jest stanem wodomierza"):
        nurt("self-reading", "SP1", "many", "--by", "C1", "--language", "pl")


@pytest.fixture
def receiving(town) -> Iterator[Receiver]:
    store = SqlStore(f"sqlite:///{town}/data/nurt.db", SystemClock(), lambda: bytes(32))
    books = Books(None, now=SystemClock().now, customer_of=customer_at(store))
    with receiver(books, Secret.parse(SECRET), SystemClock().now) as made:
        with (town / "nurt.toml").open("a") as more:
            more.write('secret_file = "secret"\n')
            for name, path in (("url", "reads"), ("inbox_url", "documents"), ("preview_url", "previews")):
                more.write(f'{name} = "{made.url}/{path}"\n')
        yield made
    books.close()
    store.close()


@pytest.mark.servers
def test_the_whole_circle_from_the_telegram_to_the_balance(town, receiving):
    """12 m3 at 12.34 are 148.08, and 9.80 standing charge: 157.88 net, 12.63 VAT, 170.51 gross."""
    nurt("import", "tenancies", table(town, "t.csv", TENANCIES))
    nurt("close", "2026-02")
    assert nurt("send") == "1 answers settled, 2 documents fetched\n"
    assert nurt("send") == "0 answers settled, 0 documents fetched\n"
    pack = json.loads(nurt("evidence", KEY))
    assert [(one["kind"], one["amount"]) for one in pack["documents"]] == [("invoice", "170.51")]
    closing = pack["segments"][0]["closing"]
    assert (closing["index_m3"], closing["how"]) == ("112.9", "radio")
    (reading,) = closing["readings"]
    assert (reading["model"], reading["decoder"]) == ("kamstrup-mc21", "7")
    assert [(one["gateway"], one["rssi_dbm"]) for one in reading["telegram"]["receptions"]] == [
        ("cellar", -88),
        ("roof", -71),
    ]
    assert (pack["hand_over"]["state"], pack["hand_over"]["receipt"]) == ("delivered", "R1")
    assert "invoice F/1/" in nurt("evidence", KEY, "--format", "html")
    store = SqlStore(f"sqlite:///{town}/data/nurt.db", SystemClock(), lambda: bytes(32))
    with store.reading() as tx:
        assert tx.accounts.balance("C1").amount == Decimal("170.51")
        assert tx.accounts.mark("cis", "documents") is not None
    store.close()
    receiving.books.pay("C1", Decimal("100.00"), "P/1")
    assert nurt("send") == "0 answers settled, 2 documents fetched\n"
    store = SqlStore(f"sqlite:///{town}/data/nurt.db", SystemClock(), lambda: bytes(32))
    with store.reading() as tx:
        assert tx.accounts.balance("C1").amount == Decimal("70.51")
    store.close()


@pytest.mark.servers
@pytest.mark.usefixtures("receiving")
def test_a_preview_prices_the_read_up_to_now_and_books_nothing(town):
    """Billed to 100 until 1 February; 112.9 on 1 March, and 120 three hours ago."""
    nurt("close", "2026-01")
    store = SqlStore(f"sqlite:///{town}/data/nurt.db", SystemClock(), lambda: bytes(32))
    with store.writing() as tx:
        tx.readings.add([heard(tx, ONE, SystemClock().now() - timedelta(hours=3), "120")])
    store.close()
    said = nurt("preview", "SP1")
    assert "gross; nothing was booked" in said
    assert "water and sewage" in said
    assert "2026-02" not in nurt("status", "2026-02")
    with pytest.raises(Exception, match="no read can be taken at SP2 now"):
        nurt("preview", "SP2")


@pytest.mark.servers
@pytest.mark.usefixtures("receiving")
def test_reconciliation_names_what_is_missing_extra_and_different(town):
    nurt("import", "tenancies", table(town, "t.csv", TENANCIES))
    nurt("close", "2026-02")
    nurt("send")
    assert "with cis: 1 reads compared, 0 do not agree" in nurt("reconcile", "2026-02")
    for held, told in (
        ([], "missing"),
        ([{"key": KEY, "sha256": "00"}], "differs"),
        ([{"key": KEY, "volume_m3": "11"}], "booked 11 m3, handed over were 12 m3"),
        ([{"key": KEY}, {"key": "br:other"}], "not ours"),
    ):
        (town / "held.json").write_text(json.dumps({"reads": held}))
        assert told in nurt("reconcile", "2026-02", "--theirs", "held.json", "--dry-run")
    assert nurt("exceptions").count("reconciliation") == 0
    nurt("reconcile", "2026-02", "--theirs", "held.json")
    (town / "held.json").write_text(json.dumps({"reads": []}))
    nurt("reconcile", "2026-02", "--theirs", "held.json")
    assert nurt("exceptions").count("reconciliation") == 1


@pytest.mark.servers
@pytest.mark.usefixtures("receiving")
def test_a_receiver_that_refuses_leaves_a_dead_message_to_a_person(town):
    """Nobody is billed at SP1: 422. The tenancy comes, the message is replayed."""
    nurt("close", "2026-02")
    assert nurt("send") == "1 answers settled, 0 documents fetched\n"
    assert "nobody is billed at SP1" in nurt("dead")
    nurt("import", "tenancies", table(town, "t.csv", TENANCIES))
    assert nurt("replay", "all") == "1 messages are sent again\n"
    assert nurt("send") == "1 answers settled, 2 documents fetched\n"
    assert nurt("dead") == "No message is dead.\n"


@pytest.mark.usefixtures("town")
def test_a_reader_is_ordered_by_a_day_and_withdrawn_by_name():
    said = nurt("order", "SP1", "--by", "A. Kos", "--reason", "=silent", "--due", "2999-01-31")
    assert said == "Order 1: SP1 is to be read by 2999-01-31.\n"
    (line,) = [one for one in nurt("visits").splitlines() if one.startswith("SP1")]
    assert line.endswith(",'=silent,2999-01-31,,,")
    with pytest.raises(Exception, match="order 1 for SP1 is open already, due 2999-01-31"):
        nurt("order", "SP1", "--by", "A. Kos", "--reason", "again")
    with pytest.raises(Exception, match="a reader cannot come by 2001-01-01: today is"):
        nurt("order", "SP1", "--by", "A. Kos", "--reason", "again", "--due", "2001-01-01")
    assert nurt("withdraw", "1", "--by", "A. Kos", "--reason", "radio is back") == (
        "Order 1 for SP1 is withdrawn.\n"
    )
    with pytest.raises(Exception, match="order 1 cannot be withdrawn: it is withdrawn already"):
        nurt("withdraw", "1", "--by", "A. Kos", "--reason", "again")
    assert "A. Kos: radio is back" in nurt("orders", "--all")
    assert nurt("orders", "--overdue").startswith("No order to show.")


@pytest.mark.usefixtures("town")
def test_a_round_says_what_it_did_and_checks_lists_what_was_raised():
    assert "states of 2 meters judged" in nurt("round", "--all")
    assert nurt("round").startswith("0 states of 0 meters judged, 0 outcomes raised\n")
    assert nurt("checks", "--service-point", "SP1", "--rule", "r8").startswith("Nothing was raised.")
    with pytest.raises(Exception, match="no meter hangs or hung at service point 'SP9'"):
        nurt("checks", "--service-point", "SP9")
    assert nurt("checks", "--format", "jsonl", "--rule", "R8") == ""
