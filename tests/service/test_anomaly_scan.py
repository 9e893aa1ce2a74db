"""``nurt anomaly scan``: the contract of its input and output."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from service.cli import app, main

KEYS = {
    "meter_id", "name", "tier", "onset", "raised_at", "cleared_at", "rate_lph", "loss_l", "text", "evidence",
}  # fmt: skip
START = 1_704_067_200  # 2024-01-01 00:00 UTC
HOURS = 24 * 60


def table(meters=("0001", "0002"), leak_from=24 * 45, rate=20):
    """Two quiet households that use water in the daytime; the first one leaks."""
    rng = np.random.default_rng(7)
    columns = {"meter_id": [], "ts_utc": [], "index_l": []}
    for place, meter in enumerate(meters):
        hour = np.arange(HOURS)
        use = np.where((hour % 24 >= 7) & (rng.random(HOURS) < 0.5), rng.integers(5, 80, HOURS), 0)
        use = use + (rate if place == 0 else 0) * (hour >= leak_from)
        columns["meter_id"] += [meter] * (HOURS + 1)
        columns["ts_utc"] += (START + np.arange(HOURS + 1) * 3600).tolist()
        columns["index_l"] += (1000 + np.concatenate([[0], np.cumsum(use)])).tolist()
    times = pa.array(columns["ts_utc"], pa.int64()).cast(pa.timestamp("s", tz="UTC"))
    return pa.table({**columns, "ts_utc": times})


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "readings.parquet"
    pa.parquet.write_table(table(), path)
    return path


def run(*arguments: object):
    result = CliRunner().invoke(app, ["anomaly", "scan", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result


def lines(*arguments: object):
    return [json.loads(line) for line in run(*arguments, "--format", "jsonl").stdout.splitlines()]


def test_a_line_has_the_keys_of_the_contract_and_times_in_utc(parquet):
    (line,) = lines(parquet, "--tz", "Europe/Madrid")
    assert set(line) == KEYS
    assert (line["meter_id"], line["name"], line["tier"]) == ("0001", "leak.continuous", "notify")
    onset, raised = (datetime.fromisoformat(line[key]) for key in ("onset", "raised_at"))
    began = datetime.fromtimestamp(START + 24 * 45 * 3600, UTC)
    assert abs((onset - began).total_seconds()) <= 3600
    assert 0 < (raised - began).total_seconds() <= 30 * 3600
    assert line["cleared_at"] is None
    assert line["rate_lph"] == pytest.approx(20, abs=1)
    assert line["loss_l"] == pytest.approx(20 * (raised - onset).total_seconds() / 3600, rel=0.1)
    assert raised.timestamp() in {START + hour * 3600 for hour in range(HOURS + 1)}, "time of a reading"


def test_csv_and_parquet_tell_the_same(parquet, tmp_path):
    pa.csv.write_csv(pa.parquet.read_table(parquet), tmp_path / "readings.csv")
    assert lines(tmp_path / "readings.csv") == lines(parquet)


def test_rows_in_any_order_with_a_sequence_tell_the_same(parquet, tmp_path):
    told = pa.parquet.read_table(parquet)
    numbered = told.append_column("seq", pa.array(np.arange(told.num_rows)))
    shuffled = numbered.take(np.random.default_rng(1).permutation(told.num_rows))
    pa.parquet.write_table(shuffled, tmp_path / "shuffled.parquet")
    assert lines(tmp_path / "shuffled.parquet") == lines(parquet)


def test_tiers_are_a_lower_limit(parquet):
    assert len(lines(parquet, "--tier", "suspect")) >= len(lines(parquet)) == 1
    assert lines(parquet, "--tier", "suspect")[0]["raised_at"] < lines(parquet)[0]["raised_at"]


@pytest.mark.parametrize(("language", "word"), [("en", "Water"), ("pl", "woda"), ("ro", "Apa")])
def test_sentences_come_in_the_language_asked_for(parquet, language, word):
    assert word in lines(parquet, "--lang", language)[0]["text"]
    assert word in run(parquet, "--lang", language).stdout


def test_facts_of_meters_are_used(parquet, tmp_path):
    (tmp_path / "meta.csv").write_text(
        "meter_id,class,q3_m3h,digits,resolution_l\n0001,irrigation,2.5,8,1\n0002,,,,\n"
    )
    (line,) = lines(parquet, "--meters", tmp_path / "meta.csv")
    assert line["raised_at"] > lines(parquet)[0]["raised_at"]


def test_meters_that_cannot_be_judged_are_told_beside_the_findings(tmp_path):
    (tmp_path / "one.csv").write_text("meter_id,ts_utc,index_l\n7,2024-01-01T00:00:00Z,5\n")
    result = run(tmp_path / "one.csv", "--format", "jsonl")
    assert result.stdout == ""
    assert "one_reading: 1 meter(s): 7" in result.stderr


def test_holes_and_nonsense_in_a_file_are_not_a_fault(tmp_path):
    (tmp_path / "bad.csv").write_text(
        "meter_id,ts_utc,index_l\n7,2024-01-01T00:00:00Z,\n7,,12\n,2024-01-01T00:00:00Z,5\n7,2024-01-01T02:00:00Z,9007199254740992\n"
    )
    assert run(tmp_path / "bad.csv", "--format", "jsonl").stdout == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("meter_id,ts_utc\n7,2024-01-01T00:00:00Z\n", "index_l: is missing"),
        ("meter_id,ts_utc,index_l\n7,yesterday,5\n", "ts_utc"),
        ("", "cannot be read"),
    ],
)
def test_a_file_of_something_else_is_refused_in_one_sentence(tmp_path, capsys, text, said):
    (tmp_path / "other.csv").write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(["anomaly", "scan", str(tmp_path / "other.csv")])
    assert ended.value.code == 1
    assert said in capsys.readouterr().err


def test_wrong_facts_of_meters_are_refused_with_their_rows(parquet, tmp_path, capsys):
    (tmp_path / "meta.csv").write_text("meter_id,class,q3_m3h\n1,castle,\n2,,-3\n")
    with pytest.raises(SystemExit):
        main(["anomaly", "scan", str(parquet), "--meters", str(tmp_path / "meta.csv")])
    told = capsys.readouterr().err
    assert "row 2" in told
    assert "row 3" in told


def test_an_unknown_time_zone_is_a_fault_of_the_command_line(parquet):
    result = CliRunner().invoke(app, ["anomaly", "scan", str(parquet), "--tz", "Mars/Olympus"])
    assert result.exit_code == 2
