"""``nurt anomaly districts``: the contract of its input and output."""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from service.cli import app, main

START = 1_704_067_200  # 2024-01-01 00:00 UTC
DAYS, LEAK_DAY = 120, 90
KEYS = {
    "dma", "meter_id", "name", "tier", "onset", "raised_at", "cleared_at",
    "rate_lph", "loss_l", "text", "evidence",
}  # fmt: skip


@pytest.fixture(scope="module")
def inflow(tmp_path_factory):
    """Two districts; 2 L/s more run in the first one from the 90th day on."""
    rng = np.random.default_rng(7)
    hour = np.arange(DAYS * 24)
    usual = 20 + 8 * np.sin((hour % 24 - 9) / 24 * 2 * np.pi)
    flow = [usual + rng.normal(0, 0.5, len(hour)) for _ in range(2)]
    flow[0] = flow[0] + 2.0 * (hour >= LEAK_DAY * 24)
    times = pa.array(np.tile(START + hour * 3600, 2)).cast(pa.timestamp("s", tz="UTC"))
    names = ["D1"] * len(hour) + ["D2"] * len(hour)
    path = tmp_path_factory.mktemp("districts") / "inflow.parquet"
    table = pa.table({"dma": names, "ts_utc": times, "inflow_lps": np.concatenate(flow)})
    pa.parquet.write_table(table, path)
    pa.csv.write_csv(table, path.with_suffix(".csv"))
    return path


def run(*arguments: object, code: int = 0):
    result = CliRunner().invoke(app, ["anomaly", "districts", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_a_line_has_the_keys_of_a_finding_and_names_the_district(inflow):
    told = [json.loads(line) for line in run(inflow, "--format", "jsonl").stdout.splitlines()]
    leak = next(line for line in told if line["dma"] == "D1" and line["cleared_at"] is None)
    assert set(leak) == KEYS
    assert leak["meter_id"] == "D1"
    assert leak["name"] == "district.leak"
    delay = datetime.fromisoformat(leak["raised_at"]).timestamp() - (START + LEAK_DAY * 86_400)
    assert 0 < delay <= 5 * 86_400


def test_csv_says_the_same_as_parquet(inflow):
    assert run(inflow).stdout == run(inflow.with_suffix(".csv")).stdout


def test_the_smallest_leak_of_each_district_is_stated(inflow):
    limits = [json.loads(line) for line in run(inflow, "--limits", "--format", "jsonl").stdout.splitlines()]
    assert [limit["dma"] for limit in limits] == ["D1", "D2"]
    assert all(0 < limit["minimum_detectable_lps"] < 2 for limit in limits)
    assert "D2: leaks from" in run(inflow).stderr


def test_what_customers_used_is_no_leak(inflow, tmp_path):
    hour = np.arange(DAYS * 24)
    times = pa.array(START + hour * 3600).cast(pa.timestamp("s", tz="UTC"))
    use = pa.table({"dma": ["D1"] * len(hour), "ts_utc": times, "use_lps": 2.0 * (hour >= LEAK_DAY * 24)})
    pa.parquet.write_table(use, tmp_path / "use.parquet")
    told = run(inflow, "--customers", tmp_path / "use.parquet", "--format", "jsonl").stdout
    assert '"dma":"D1"' not in told


def test_a_calendar_with_local_times_sets_the_zone(inflow, tmp_path):
    day = pa.array([START, START + 86_400]).cast(pa.timestamp("s", tz="Europe/Warsaw"))
    pa.parquet.write_table(pa.table({"ts": day, "Holiday": [True, False]}), tmp_path / "calendar.parquet")
    told = json.loads(
        run(inflow, "--calendar", tmp_path / "calendar.parquet", "--format", "jsonl").stdout.splitlines()[0]
    )
    raised = datetime.fromisoformat(told["raised_at"])
    assert raised.hour in {2, 3}, "the last hour before 05:00 in Warsaw"


@pytest.mark.parametrize(
    ("content", "said"),
    [("dma,ts_utc\nD1,2024-01-01\n", "inflow_lps"), ("dma,ts_utc,inflow_lps\nD1,yesterday,3\n", "yesterday")],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path, capsys, content, said):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(SystemExit) as ended:
        main(["anomaly", "districts", str(path)])
    assert ended.value.code == 1
    assert said in capsys.readouterr().err


def test_the_balance_needs_customers_and_is_stated_by_month(inflow, tmp_path):
    hour = np.arange(DAYS * 24)
    times = pa.array(START + hour * 3600).cast(pa.timestamp("s", tz="UTC"))
    use = pa.table({"dma": ["D1"] * len(hour), "ts_utc": times, "use_lps": np.full(len(hour), 8.0)})
    pa.parquet.write_table(use, tmp_path / "use.parquet")
    told = run(inflow, "--customers", tmp_path / "use.parquet", "--balance", "--format", "jsonl").stdout
    months = [json.loads(line) for line in told.splitlines()]
    assert [one["month"] for one in months] == ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]
    assert months[0]["losses_share"] == pytest.approx(0.6, abs=0.02)
    assert "m3 lost" in run(inflow, "--customers", tmp_path / "use.parquet", "--balance").stdout
    assert "--customers" in run(inflow, "--balance", code=2).output
