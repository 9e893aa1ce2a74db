"""The anomaly scan in other processes and its plots, by the command as its user runs it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from typer.testing import CliRunner

from anomaly.scan import scan
from anomaly.series import MeterFacts, Series
from service.anomaly_cluster import SchedulerUnreachable, cluster, scan_on
from service.cli import app

ZONE = ZoneInfo("Europe/Bucharest")
START = 1_704_067_200


def fleet(meters=6, days=60):
    """Homes with use by day; from day 45 on every second one leaks 40 L/h."""
    made = []
    for number in range(meters):
        rng = np.random.default_rng(number)
        hours = days * 24
        litres = np.where(
            np.arange(hours) % 24 >= 6, rng.gamma(1.2, 20, hours) * (rng.random(hours) < 0.5), 0
        )
        litres[45 * 24 :] += 40 * (number % 2)
        index = np.floor(1000 + np.concatenate([[0.0], np.cumsum(litres)]))
        made.append(Series.arrived(MeterFacts(f"M/{number}"), START + np.arange(len(index)) * 3600, index))
    return made


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("anomaly") / "readings.csv"
    with path.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["meter_id", "ts_utc", "index_l"])
        for series in fleet():
            for at, index in zip(series.at.tolist(), series.index.tolist(), strict=True):
                rows.writerow(
                    [series.facts.meter, f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}", index]
                )
    return path


@pytest.mark.servers
def test_a_cluster_of_two_processes_tells_what_one_process_tells(monkeypatch):
    monkeypatch.setattr("service.anomaly_cluster.READINGS_A_TASK", 3000)
    homes = fleet()
    with cluster(2, None) as client:
        assert len(client.nthreads()) == 2
        on_cluster = scan_on(client, homes, ZONE)
        address = client.scheduler.address
        with cluster(None, address) as other:
            assert scan_on(other, homes, ZONE) == on_cluster
    assert on_cluster == scan(homes, ZONE)
    assert sum(finding.name == "leak.continuous" for finding in on_cluster.findings) == 3


@pytest.mark.servers
def test_a_scheduler_that_does_not_answer_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr("service.anomaly_cluster.CONNECT_S", 0.2)
    with (
        pytest.raises(SchedulerUnreachable, match="no Dask scheduler answers at"),
        cluster(None, "tcp://127.0.0.1:1"),
    ):
        pass


def test_plots_are_written_for_what_is_told(file, tmp_path):
    run = CliRunner().invoke(
        app, ["anomaly", "scan", str(file), "--lang", "ro", "--plots", str(tmp_path / "p")]
    )
    assert run.exit_code == 0, run.output
    assert run.stdout.count("leak.continuous") == 3
    names = sorted(path.name for path in (tmp_path / "p").iterdir())
    assert len(names) == 3
    assert names[0].endswith("-M_1-leak.continuous.svg")
    assert "debut" in (tmp_path / "p" / names[0]).read_text(encoding="utf-8")
    assert "3 plot(s) in" in run.stderr


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(file, tmp_path):
    (tmp_path / "file").write_text("")
    run = CliRunner().invoke(app, ["anomaly", "scan", str(file), "--plots", str(tmp_path / "file" / "p")])
    assert run.exit_code != 0
    assert "Traceback" not in run.output
