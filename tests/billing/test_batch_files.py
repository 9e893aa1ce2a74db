"""Facts about files to billing systems: columns by template, CIM, manifest, answers."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import pytest
from billing_payloads import NOW, WARSAW, items, reads
from hypothesis import given
from hypothesis import strategies as st

from billing_bridge.export.batch import AnswerFault, answers_in, is_answer, make_batch, manifest_name
from billing_bridge.export.cim_form import NAMESPACE, CimForm
from billing_bridge.export.columns import SHIPPED, Template, read_template, shipped_template
from billing_bridge.export.csv_form import CsvForm
from billing_bridge.export.rows import FIELDS, read_of, rows_of
from billing_bridge.outbox import Accepted, Refused
from metering.errors import InvalidValue

COLUMN = '[[column]]\nname = "I"\nfield = "closing.index_m3"\nform = "{}"\n'
KEY = '[[column]]\nname = "a"\nfield = "key"\n'
PLAIN = CsvForm(shipped_template("plain"), WARSAW)
SAP = CsvForm(shipped_template("sap"), WARSAW)


def payloads(**more) -> list:
    return [read_of(item.payload) for item in items(reads(**more))]


def table(content: bytes, delimiter: str = ";") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode()), delimiter=delimiter))


def batch(**more):
    return make_batch("cis", 17, items(reads(**more)), PLAIN, NOW)


# --- columns -------------------------------------------------------------------------------------


def test_a_plain_file_has_a_row_per_meter_and_period():
    january, february, exchanged, march = table(PLAIN.render(payloads(exchange=True)))
    assert january["period_start"] == "2026-01-01T00:00:00+0100"
    assert (january["opening_index_m3"], january["closing_index_m3"], january["volume_m3"]) == (
        "100",
        "103.1",
        "3",
    )
    assert (february["segment"], february["segments"], february["closing_index_m3"]) == ("1", "2", "104.55")
    assert (exchanged["opening_index_m3"], exchanged["meter"]) == ("0.007", "KAM-76348800-1b-16")
    assert february["volume_m3"] == exchanged["volume_m3"] == "2"
    assert [row["segment_volume_m3"] for row in (february, exchanged)] == ["1", "1"]
    assert march["closing_how"] == "radio"


def test_sap_rows_carry_whole_cubic_metres_local_dates_and_the_reason():
    rows = table(SAP.render(payloads(exchange=True)))
    assert [row["MRREASON"] for row in rows] == ["01", "22", "01", "01"]
    assert [row["READINGRESULT"] for row in rows] == ["103", "104", "1", "4"]
    assert [row["MRDATEFORBILLING"] for row in rows] == ["20260201", "20260215", "20260301", "20260401"]
    assert rows[1]["MRTIMEFORBILLING"] == "120000"
    assert {row["SERIALNO"] for row in rows} == {"76348799", "76348800"}


def test_every_field_there_is_can_be_told_of_every_row():
    for row in rows_of(payloads(exchange=True)):
        for name, field in FIELDS.items():
            field(row), name
    every = "".join(f'[[column]]\nname = "{name}"\nfield = "{name}"\n' for name in FIELDS)
    rows = table(CsvForm(read_template(every, "every.toml"), WARSAW).render(payloads()))
    assert rows[0]["meter.manufacturer"] == "KAM"
    assert rows[0]["reason"] == "calendar"


def test_a_decimal_comma_and_other_delimiters():
    text = '[file]\ndelimiter = "|"\ndecimal = ","\nheader = false\n' + COLUMN.format("decimal:3")
    form = CsvForm(read_template(text, "t.toml"), WARSAW)
    assert form.render(payloads()).decode().split() == ["103,100", "105,900", "108,900"]


@pytest.mark.parametrize("text", ["=1+1", "+48 41", "-", "@SUM(A1)", "\t=1", " =2"])
def test_what_a_spreadsheet_would_run_is_made_text(text):
    made = payloads()
    made[0]["service_point"] = text
    (row, *_) = table(PLAIN.render(made[:1]))
    assert row["service_point"].startswith("'")


@given(st.text())
def test_whatever_a_name_holds_a_row_stays_a_row(text):
    made = payloads()[:1]
    made[0]["service_point"] = text
    rows = table(PLAIN.render(made))
    assert len(rows) == 1
    assert rows[0]["closing_index_m3"] == "103.1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[column]]\nname = 'a'\nfield = 'meter.serail'\n", "t.toml: there is no field meter.serail"),
        ('[[column]]\nname = "a"\nfield = "meter.serail"\n', "t.toml line 3: there is no field meter.serail"),
        ('[[column]]\nname = "a"\nfild = "meter"\n', "t.toml line 3: fild is nothing"),
        ('[[column]]\nname = "a"\n', "t.toml line 2: column a has either a field or a constant"),
        ('[[column]]\nfield = "meter"\n', "a column has no name"),
        ("[fiel]\n" + KEY, "t.toml line 1: fiel is nothing a template has"),
        ("[file]\n", "no [[column]]"),
        ("[[column", "t.toml: "),
        ('[[column]]\nname = "a"\nfield = "key"\nform = "date"\n', "t.toml line 4: form 'date' is none of"),
        ('[file]\ndecimal = ";"\n[[column]]\nname = "a"\nfield = "key"\n', "t.toml line 2: decimal is"),
        ('[file]\ndelimiter = "x"\n[[column]]\nname = "a"\nfield = "key"\n', "t.toml line 2: the delimiter"),
        ('[file]\nheader = "no"\n' + KEY, "t.toml line 2: header is true or false"),
        ('[[column]]\nname = "a"\nfield = "key"\nwidth = "x"\n', "t.toml line 4: width is a whole number"),
        ('[[column]]\nname = "a"\nfield = "key"\nvalues = 3\n', "t.toml line 4: values is a table"),
        ("column = 3\n", "t.toml: no [[column]]"),
        (2 * KEY, "two columns are called a"),
    ],
)  # fmt: skip
def test_a_template_s_fault_is_told_with_its_line(text, told):
    with pytest.raises(InvalidValue) as fault:
        read_template(text, "t.toml")
    assert told in str(fault.value)


def test_a_value_the_template_has_no_name_for_is_refused_with_the_read():
    text = '[[column]]\nname = "WHY"\nfield = "reason"\nvalues = { final = "03" }\n'
    with pytest.raises(InvalidValue, match=r"br:wod:.*: the template has no WHY for reason 'calendar'"):
        CsvForm(read_template(text, "t.toml"), WARSAW).render(payloads())


def test_a_value_that_is_too_long_is_refused_and_never_cut():
    text = '[[column]]\nname = "S"\nfield = "meter.serial"\nwidth = 7\n'
    with pytest.raises(InvalidValue, match="S '76348799' is longer than 7 characters"):
        CsvForm(read_template(text, "t.toml"), WARSAW).render(payloads())


def test_an_index_that_does_not_fit_the_places_is_refused_unless_it_is_floored():
    with pytest.raises(
        InvalidValue, match=r"103\.1 does not fit into 0 decimal places; 'floor:0' would cut it"
    ):
        CsvForm(read_template(COLUMN.format("decimal:0"), "t.toml"), WARSAW).render(payloads())
    floored = CsvForm(read_template(COLUMN.format("floor:0"), "t.toml"), WARSAW).render(payloads())
    assert floored.decode().split() == ["I", "103", "105", "108"]


def test_the_templates_that_come_along_are_read():
    assert all(isinstance(shipped_template(name), Template) for name in SHIPPED)
    with pytest.raises(InvalidValue, match="there is no template 'sapp'; shipped are plain, sap"):
        shipped_template("sapp")


# --- CIM -----------------------------------------------------------------------------------------


def test_cim_readings_say_both_ends_their_quality_and_the_reason():
    root = ET.fromstring(CimForm().render(payloads(exchange=True)))
    name = {"m": NAMESPACE}
    readings = root.findall("m:MeterReading", name)
    assert [one.findtext("m:Meter/m:mRID", "", name)[4:12] for one in readings] == [
        "76348799", "76348799", "76348800", "76348800",
    ]  # fmt: skip
    opening, closing = readings[1].findall("m:Readings", name)
    assert (opening.findtext("m:value", "", name), closing.findtext("m:value", "", name)) == (
        "103.1",
        "104.55",
    )
    assert [one.findtext("m:Readings[2]/m:reason", "", name) for one in readings] == [
        "billing", "removal", "billing", "billing",
    ]  # fmt: skip
    assert readings[2].findtext("m:Readings[1]/m:reason", "", name) == "installation"
    quality = closing.find("m:ReadingQualities/m:ReadingQualityType", name)
    assert quality is not None
    assert quality.get("ref") == "5.4.131"
    assert readings[0].findtext("m:UsagePoint/m:mRID", "", name) == "SP 0"


def test_a_cim_document_holds_whatever_a_name_holds():
    made = payloads()[:1]
    made[0]["service_point"] = 'a<b>&"\x00\x0bć'
    root = ET.fromstring(CimForm().render(made))
    assert (
        root.findtext(f"{{{NAMESPACE}}}MeterReading/{{{NAMESPACE}}}UsagePoint/{{{NAMESPACE}}}mRID")
        == 'a<b>&"ć'
    )


# --- batches -------------------------------------------------------------------------------------


def test_a_manifest_says_what_is_in_the_file():
    made = batch(exchange=True)
    told = json.loads(made.manifest)
    assert made.file == told["file"] == "nurt-cis-00000017.csv"
    assert manifest_name(made) == "nurt-cis-00000017.manifest.json"
    assert told["sha256"] == sha256(made.content).hexdigest()
    assert (told["reads"], told["rows"], told["bytes"]) == (3, 4, len(made.content))
    assert Decimal(told["volume_m3"]) == sum(read.volume_m3 for read in reads(exchange=True))
    rows = table(made.content)
    assert Decimal(told["closing_index_m3"]) == sum(Decimal(row["closing_index_m3"]) for row in rows)
    assert (told["first_key"], told["last_key"]) == (made.keys[0], made.keys[-1])


def test_the_same_messages_make_the_same_bytes():
    assert batch() == batch()


HEAD = "key;result;receipt;reason\n"


def test_an_answer_says_of_each_read_what_became_of_it():
    first, second, third = batch().keys
    text = f"\ufeff{HEAD}{first};accepted;R-1;\n{second};REFUSED;;no contract\n\n"
    found = answers_in("a.csv", text.encode(), batch())
    assert found == {first: Accepted(first, receipt="R-1"), second: Refused("refused: no contract")}
    assert third not in found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1 is not key;result;receipt;reason"),
        ("klucz;wynik\n", "line 1 is not key;result;receipt;reason"),
        (HEAD + "br:x;accepted;;\n", "line 2: 'br:x' was not in this batch"),
        (HEAD + "{k};accepted;;\n{k};refused;;\n", "line 3: '{k}' is answered twice"),
        (HEAD + "{k};yes;;\n", "line 2: result 'yes' is neither accepted nor refused"),
        (HEAD + "{k};accepted\n", "line 2: 2 cells instead of 4"),
        ("\udcff", "byte 1 is not UTF-8"),
    ],
)
def test_an_answer_with_a_fault_is_taken_not_at_all(text, told):
    key = batch().keys[0]
    content = text.replace("{k}", key).encode("utf-8", "surrogateescape")
    with pytest.raises(AnswerFault) as fault:
        answers_in("a.csv", content, batch())
    assert told.replace("{k}", key) in str(fault.value)
    assert "Nothing of this answer was taken" in str(fault.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_a_fault(content):
    made = batch()
    with suppress(AnswerFault):
        assert set(answers_in("a.csv", HEAD.encode() + content, made)) <= set(made.keys)


def test_only_whole_answers_to_this_batch_are_answers():
    made = batch()
    names = ["nurt-cis-00000017.ack.csv", "nurt-cis-00000017.ack-2.csv"]
    others = ["nurt-cis-00000017.csv", "nurt-cis-00000017.ack.csv.part", "nurt-cis-00000018.ack.csv"]
    assert [name for name in names + others if is_answer(name, made)] == names


def test_what_is_no_billing_read_is_refused():
    broken = replace(items(reads())[0], payload=b"{}")
    with pytest.raises(InvalidValue, match="not a billing read"):
        make_batch("cis", 1, [broken], PLAIN, NOW)
