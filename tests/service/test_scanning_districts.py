"""Districts in the store: hours summed from meters, judged in the nightly scan, imported, listed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from typer.testing import CliRunner

from anomaly.gate import gate
from anomaly.hour_volumes import hour_volumes
from anomaly.series import MeterFacts, Series
from metering.clock import FixedClock
from metering.districts import DistrictMeter
from metering.findings import Wanted
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import memory_store, upgrade
from metering.store.sql.store import SqlStore
from service.anomaly_settings import AnomalySettings
from service.cli import app
from service.scanning import Scanner
from service.scanning_districts import read_districts, state_of

ZONE = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOURS = 24 * 75
BEGAN = NOW - timedelta(hours=HOURS)
LEAK_H = 24 * 63
VOLUME = Register("volume")
SOURCE = Provenance(None, "mast", None, "1")
NAMES = ("east", "north", "south")
HOUSES = 2


def border(number):
    return MeterId("KAM", f"9000000{number}", "1b", "16")


def house(district, number):
    return MeterId("KAM", f"1000{district}00{number}", "1b", "16")


def readings(meter, litres):
    index = np.concatenate([[1000.0], 1000 + np.cumsum(np.round(litres))])
    return [
        Reading(meter, VOLUME, Decimal(int(value)) / 1000, "m3", at, at, Way.RADIO, Quality.RAW, SOURCE)
        for hour, value in enumerate(index)
        for at in [BEGAN + timedelta(hours=hour)]
    ]


def use_of(district):
    """Litres an hour of all customers of a district: lively by day, little at night."""
    hour = np.arange(HOURS) % 24
    random = np.random.default_rng(district)
    usual = np.where((hour >= 5) & (hour < 22), 4000.0, 400.0)
    return np.round(usual * random.normal(1, 0.03, HOURS) / HOUSES) * HOUSES


def fill(store, leak_lph=1500.0):
    with store.writing() as tx:
        for district, name in enumerate(NAMES):
            use = use_of(district)
            loss = np.where((np.arange(HOURS) >= LEAK_H) & (name == "north"), leak_lph, 0.0)
            meters = [house(district, number) for number in range(HOUSES)]
            tx.registry.put_meters([Meter(one, "water") for one in (*meters, border(district))])
            points = [ServicePoint(f"{name}-{number}", district=name) for number in range(HOUSES)]
            tx.registry.put_service_points(points)
            tx.registry.put_installations(
                Installation(one, point.id, BEGAN) for one, point in zip(meters, points, strict=True)
            )
            for one in meters:
                tx.readings.add(readings(one, use / HOUSES))
            tx.readings.add(readings(border(district), use + loss + 600))
            tx.districts.put_meters([DistrictMeter(name, border(district), 1, VOLUME, BEGAN)])


@pytest.fixture
def store():
    made = memory_store(FixedClock(NOW))
    yield made
    made.close()


def scanned(store, at=NOW):
    return Scanner(store, FixedClock(at), ZONE, AnomalySettings()).run()


def test_a_leak_in_the_network_is_found_in_its_district_alone_after_customers_use_is_taken_off(store):
    fill(store)
    report = scanned(store)
    assert report.districts == 3
    with store.reading() as tx:
        found, _ = tx.findings.wanted(Wanted(family="district"))
        state = state_of(tx, "north")
        inflow, use = read_districts(tx, "north", NOW)
        of_border = tx.findings.of(str(border(1)))
    assert {one.finding.subject for one in found} == {"north"}
    assert not {one.finding.family for one in of_border} & {"leak", "burst", "use"}, "no customer's"
    assert str(border(1)) not in {one.meter for one in report.insufficiencies}
    rate = found[0].finding.stages[-1].rate_lph
    assert 1000 < rate < 2000
    assert state.net
    assert 0 < state.detectable_lps < 0.5
    assert float(np.median(inflow.less(use).inflow)) * 3600 == pytest.approx(600, abs=5)


def test_a_night_costs_the_last_week_and_finds_nothing_twice(store):
    fill(store)
    scanned(store)
    with store.reading() as tx:
        before = [one.id for one in tx.findings.wanted(Wanted(family="district"))[0]]
        hours = len(tx.districts.hours("north", BEGAN, NOW))
    scanned(store, NOW + timedelta(days=1))
    with store.reading() as tx:
        assert [one.id for one in tx.findings.wanted(Wanted(family="district"))[0]] == before
        assert len(tx.districts.hours("north", BEGAN, NOW)) == hours


def test_what_flows_out_is_subtracted_and_a_border_meter_that_does_not_tell_leaves_the_hour_unknown(store):
    fill(store)
    with store.writing() as tx:
        tx.districts.put_meters([DistrictMeter("north", border(2), -1, VOLUME, BEGAN + timedelta(days=40))])
    scanned(store)
    with store.reading() as tx:
        hours = tx.districts.hours("north", BEGAN, NOW)
        assert tx.districts.members("north"), "border meters are no customers"
    early, late = hours[10], hours[24 * 50]
    assert early.inflow_l == pytest.approx(use_of(1)[10] + 600)
    assert late.inflow_l == pytest.approx(use_of(1)[24 * 50] - use_of(2)[24 * 50])
    assert (late.known, late.meters) == (HOUSES, HOUSES)


def test_hours_of_any_cadence_add_up_to_what_the_register_counted():
    random = np.random.default_rng(5)
    at = np.cumsum(random.integers(60, 3000, 400)) + 1_700_000_000
    index = np.cumsum(random.integers(0, 30, 400)).astype(np.float64)
    first = int(at[0]) // 3600 * 3600 + 3600
    hours = int(at[-1]) // 3600 - first // 3600
    litres = hour_volumes(gate(Series.arrived(MeterFacts("M"), at, index)), first, hours)
    assert np.isfinite(litres).all()
    edges = np.interp([first, first + hours * 3600], at, index)
    assert litres.sum() == pytest.approx(edges[1] - edges[0])


def test_over_a_gap_nothing_is_known_unless_the_index_stood_still():
    at = np.array([0, 3600, 3600 * 6, 3600 * 12, 3600 * 13]) + 1_700_006_400
    index = np.array([0.0, 10, 10, 40, 50])
    litres = hour_volumes(gate(Series.arrived(MeterFacts("M"), at, index)), 1_700_006_400, 13)
    assert litres[0] == 10
    assert (litres[1:6] == 0).all()
    assert np.isnan(litres[6:12]).all()
    assert litres[12] == 10


@pytest.fixture
def config(tmp_path):
    url = f"sqlite:///{tmp_path}/nurt.db"
    upgrade(url)
    opened = SqlStore(url, FixedClock(NOW), lambda: bytes(32))
    with opened.writing() as tx:
        tx.registry.put_meters([Meter(border(1), "water"), Meter(border(2), "water")])
    opened.close()
    path = tmp_path / "nurt.toml"
    path.write_text(f'[store]\ndata = "{tmp_path}"\n')
    (tmp_path / "master.key").write_bytes(bytes(32))
    return path


def command(config, *words: str, code=0):
    result = CliRunner().invoke(app, ["districts", *words, "--config", str(config)])
    assert result.exit_code == code, result.output
    return result


def test_districts_are_imported_listed_and_forgotten(config, tmp_path):
    table = tmp_path / "borders.csv"
    table.write_text(
        f"district,meter_id,direction,valid_from\nnorth,{border(1)},in,2026-01-01\nnorth,{border(2)},out,\n"
    )
    assert "2 new or changed" in command(config, "import", str(table), "--dry-run").stdout
    assert "0 district(s)" in command(config, "list").stderr
    assert "2 new or changed, 0 as before, in 1 district(s)" in command(config, "import", str(table)).stdout
    assert "0 new or changed, 2 as before" in command(config, "import", str(table)).stdout
    assert "north  1 meter(s) in, 1 out, 0 customers' meters; not judged: not scanned yet" in (
        command(config, "list").stdout
    )
    assert "2 border meter(s) forgotten" in command(config, "remove", "north").stdout
    assert command(config, "remove", "north", code=1).exception


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"north,{border(1)},through", "'through' is neither in nor out"),
        (f",{border(1)},in", "is empty"),
        ("north,KAM-77777777-1b-16,in", "is not registered"),
        ("north,nonsense,in", "nonsense"),
    ],
)
def test_a_faulty_table_is_refused_whole_with_row_and_reason(config, tmp_path, row, said):
    table = tmp_path / "borders.csv"
    table.write_text(f"district,meter_id,direction\nnorth,{border(2)},in\n{row}\n")
    refused = command(config, "import", str(table), code=1).exception
    assert said in " ".join(map(str, refused.faults))
    assert {fault.row for fault in refused.faults} == {3}
    assert "0 district(s)" in command(config, "list").stderr
