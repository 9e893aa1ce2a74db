"""Files for the anomaly scan: whatever is wrong is one clear sentence with row and column."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from service.anomaly_files import read_facts, read_series
from service.district_files import read_flows
from service.table_files import NEVER, TableRefused, number_column, read_columns, seconds_column

AT = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = int(AT.timestamp())


@pytest.fixture
def csv(tmp_path):
    def write(text: str, name: str = "file.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def readings(*rows: str) -> str:
    return "\n".join(["meter_id,ts_utc,index_l", *rows]) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "row 1, column meter_id: is missing; there are: a, b"),
        (readings("A,2026-01-01T00:00:00Z,1", "A,soon,2"), "row 3, column ts_utc: 'soon' is not a time like"),
        (
            readings("A,2026-01-01T00:00:00Z,1", "A,2026-01-01T01:00:00Z,many"),
            "row 3, column index_l: 'many' is not",
        ),
        (readings("A,7,1"), "row 1, column ts_utc: holds no times but int64"),
        (readings("A,2026-01-01T00:00:00Z"), "row 1: cannot be read as CSV"),
        ("", "row 1: cannot be read as CSV: Empty CSV file"),
    ],
)
def test_what_is_wrong_is_said_with_row_and_column(csv, text, said):
    with pytest.raises(TableRefused) as refused:
        list(read_series(csv(text)))
    assert str(refused.value) == "file.csv: cannot be judged"
    assert str(refused.value.faults[0]).startswith(said)


def test_what_is_no_parquet_file_and_what_is_not_there_is_said(csv, tmp_path):
    with pytest.raises(TableRefused) as refused:
        read_columns(csv("PAR1junk", "junk.parquet"), ())
    assert "this is no whole Parquet file" in str(refused.value.faults[0])
    with pytest.raises(TableRefused, match=r"none\.csv: cannot be judged") as missing:
        read_columns(tmp_path / "none.csv", ())
    assert "No such file" in str(missing.value.faults[0])


def test_a_file_without_rows_has_no_meters(csv):
    assert list(read_series(csv("meter_id,ts_utc,index_l\n"))) == []


def test_a_file_is_what_it_begins_with_whatever_its_name(csv, tmp_path):
    assert len(list(read_series(csv(readings("A,2026-01-01T00:00:00Z,1"), "readings.txt")))) == 1
    table = pa.table({"meter_id": ["A"], "ts_utc": pa.array([AT]), "index_l": [1.0]})
    pa.parquet.write_table(table, tmp_path / "readings")
    (series,) = read_series(tmp_path / "readings")
    assert (series.at.tolist(), series.index.tolist()) == ([SECOND], [1.0])


def test_semicolons_go_with_decimal_commas_and_ids_keep_their_zeros(csv):
    (series,) = read_series(csv("meter_id;ts_utc;index_l\n007;2026-01-01T00:00:00Z;5,5\n"))
    assert (series.facts.meter, series.index.tolist()) == ("007", [5.5])


@pytest.mark.parametrize(
    ("column", "seconds"),
    [
        (pa.array([AT, None]), [SECOND, NEVER]),
        (pa.array([AT.replace(tzinfo=None), None]), [SECOND, NEVER]),
        (pa.array([date(2026, 1, 1), None]), [SECOND, NEVER]),
        (pa.array(["2026-01-01T01:00:00+01:00", None]), [SECOND, NEVER]),
        (pa.array([None, None]), [NEVER, NEVER]),
    ],
)
def test_times_of_every_kind_are_utc_seconds(tmp_path, column, seconds):
    assert seconds_column(pa.table({"ts": column}), "ts", tmp_path).tolist() == seconds


def test_numbers_of_every_kind_are_floats_and_nothing_is_nan(tmp_path):
    for column in (pa.array([1, None]), pa.array(["1", None]), pa.array([1.0, None], pa.float32())):
        found = number_column(pa.table({"n": column}), "n", tmp_path)
        assert found[0] == 1
        assert np.isnan(found[1])
    with pytest.raises(TableRefused):
        number_column(pa.table({"n": pa.array([[1.0]])}), "n", tmp_path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,palace,2.5", "row 2: class is palace; it must be one of residential"),
        ("A,residential,-1", "row 2: q3_m3h is -1; it must be a number above zero"),
        ("A,residential,wide", "row 2: q3_m3h is wide; it must be a number above zero"),
        (",residential,2.5", "row 2: meter_id is empty"),
        ("A,residential,2.5\nA,residential,4", "row 3, column meter_id: A stands in an earlier row"),
    ],
)
def test_facts_that_cannot_be_are_refused(csv, row, said):
    with pytest.raises(TableRefused) as refused:
        read_facts(csv(f"meter_id,class,q3_m3h\n{row}\n"))
    assert str(refused.value.faults[0]).startswith(said)


def test_flows_name_their_own_column(csv):
    with pytest.raises(TableRefused) as refused:
        read_flows(csv("dma,ts_utc,inflow_lps\nnorth,2026-01-01T00:00:00Z,much\n"), "inflow_lps")
    assert str(refused.value.faults[0]) == "row 2, column inflow_lps: 'much' is not a number"
