"""The scan on the store: incremental, restartable, never twice, and whose finding it is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from anomaly.texts import sentence
from anomaly.together import together
from metering.billing_customers import Contract, Customer, Tenancy
from metering.clock import FixedClock, SystemClock
from metering.finding import Finding, Stage, Tier
from metering.findings import FindingState, Verdict, Wanted
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.ports import NewTelegram, TelegramState
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.status import STATUS, StatusFlag
from metering.store import memory_store, upgrade
from metering.store.sql.store import SqlStore
from metering.uplink import Reception
from service.anomaly_settings import AnomalySettings
from service.cli import app
from service.fleet_status import Drift, GatewayStatus
from service.notices.message import Wording
from service.scanning import Scanner
from service.scanning_budget import Budget
from service.scanning_gateways import close_over, gateway_findings
from service.scanning_keeping import Keeper, one_a_class
from service.scanning_turn import Turn

ZONE = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAKY = MeterId("KAM", "00000001", "1b", "16")
QUIET = MeterId("KAM", "00000002", "1b", "16")
SOURCE = Provenance(None, "roof", None, "1")
LEAK_H = 24 * 50
HOURS = 24 * 56


def readings(meter, leak=0, first=0, last=HOURS):
    """Used in the mornings and evenings; from the 50th day on so many litres an hour run besides."""
    begin, index, found = NOW - timedelta(hours=HOURS), 1000, []
    for hour in range(last):
        at = begin + timedelta(hours=hour)
        index += (37 if hour % 24 in {6, 7, 18, 20} else 0) + (leak if hour >= LEAK_H else 0)
        value = Decimal(index) / 1000
        if hour >= first:
            register = Register("volume")
            found.append(Reading(meter, register, value, "m3", at, at, Way.RADIO, Quality.RAW, SOURCE))
    return found


@pytest.fixture
def clock():
    return FixedClock(NOW)


def fill(store):
    with store.writing() as tx:
        tx.registry.put_meters([Meter(LEAKY, "water"), Meter(QUIET, "water")])
        tx.readings.add(readings(LEAKY, leak=20))
        tx.readings.add(readings(QUIET))


@pytest.fixture
def store(clock):
    made = memory_store(clock)
    fill(made)
    yield made
    made.close()


@pytest.fixture
def scanner(store, clock):
    return Scanner(store, clock, ZONE, AnomalySettings())


def leaks(store):
    with store.reading() as tx:
        return tx.findings.wanted(Wanted(family="leak"))[0]


def test_a_leak_in_the_store_is_found_and_kept(scanner, store):
    report = scanner.run()
    assert (report.meters, report.judged) == (2, 2)
    (kept,) = leaks(store)
    assert kept.finding.subject == str(LEAKY)
    assert kept.finding.tier.rank >= Tier.NOTIFY.rank
    assert kept.state is FindingState.NEW
    assert [one.kept.id for one in report.raised if one.kept.finding.family == "leak"] == [kept.id]


def test_nothing_new_is_not_judged_again_and_nothing_is_found_twice(scanner, store):
    scanner.run()
    before = leaks(store)
    again = scanner.run()
    assert (again.judged, again.raised) == (0, [])
    forced = scanner.run(meters=[LEAKY, QUIET])
    assert forced.judged == 2
    assert forced.raised == []
    assert leaks(store) == before


def test_a_scan_that_was_stopped_goes_on_where_it_was(scanner, store, monkeypatch):
    monkeypatch.setattr("service.scanning.TOGETHER", 1)
    first = scanner.run(ended=lambda: True)
    assert first.judged == 1
    rest = scanner.run()
    assert rest.judged == 1
    assert len(leaks(store)) == 1


def test_late_readings_that_show_there_was_no_leak_close_the_finding(scanner, store):
    scanner.run()
    (kept,) = leaks(store)
    with store.writing() as tx:
        tx.readings.remove(readings(LEAKY, leak=20))
        tx.readings.add(readings(LEAKY))
    scanner.run()
    (closed,) = leaks(store)
    assert closed.id == kept.id
    assert closed.finding.stages == kept.finding.stages
    assert closed.finding.outcome["no_longer_seen"] is True


def test_a_finding_belongs_to_the_tenancy_of_its_day_not_to_the_next(scanner, store):
    moved = NOW - timedelta(days=1)
    with store.writing() as tx:
        tx.registry.put_service_points([ServicePoint("SP-1")])
        tx.registry.put_installations([Installation(LEAKY, "SP-1", NOW - timedelta(days=400))])
        tx.customers.put_customers([Customer("C-1"), Customer("C-2")])
        tx.customers.put_contracts([Contract("U-1", "C-1"), Contract("U-2", "C-2")])
        tx.customers.put_tenancies(
            [Tenancy("U-1", "SP-1", NOW - timedelta(days=400), moved), Tenancy("U-2", "SP-1", moved)]
        )
    scanner.run()
    (kept,) = leaks(store)
    assert kept.tenancy == "U-1"


def test_the_budget_of_a_day_goes_to_what_loses_most(store):
    settings = AnomalySettings(notify_per_day=1, dispatch_per_day=0)
    with store.writing() as tx:
        budget = Budget.of(tx, settings, NOW, ZONE)
        large, small = (finding(f"M{rate}", rate=rate) for rate in (100.0, 5.0))
        assert budget.worth(large) > budget.worth(small)
        assert budget.refuses(large) == ""
        kept, reached = tx.findings.keep(large, NOW)
        budget.spend(kept, reached)
        budget.book(tx)
        assert budget.refuses(small) == "budget of the day"
        assert Budget.of(tx, settings, NOW, ZONE).left[Tier.NOTIFY] == 0
        tomorrow = NOW + timedelta(days=1)
        assert Budget.of(tx, settings, tomorrow, ZONE).left[Tier.NOTIFY] == 1


def test_a_class_that_is_dismissed_again_and_again_is_not_told_any_more(store):
    with store.writing() as tx:
        for number in range(12):
            kept, _ = tx.findings.keep(finding(f"M{number}", name="vacancy.x"), NOW)
            tx.findings.judge(kept.id, Verdict(FindingState.DISMISSED, "anna", "holidays", NOW))
        budget = Budget.of(tx, AnomalySettings(), NOW, ZONE)
    assert budget.refuses(finding("N", name="vacancy.x")) == "dismissed too often"
    assert budget.refuses(finding("N")) == ""


def test_many_meters_within_an_hour_are_one_event():
    many = [finding(f"M{number}", name="backflow.micro") for number in range(8)]
    late = replace(many[0].stages[0], raised_at=NOW + timedelta(hours=5))
    (one,) = together([*many, Finding("M9", (late,))], fleet=100)
    assert one.event.name == "together.many"
    assert one.event.stages[0].evidence["count"] == 8
    assert len(one.members) == 8
    assert together(many, fleet=1000) == []


def finding(subject, rate=5.0, name="leak.continuous"):
    stage = Stage(Tier.NOTIFY, name, NOW - timedelta(hours=1), NOW - timedelta(hours=9), rate, rate * 8)
    return Finding(subject, (stage,))


@pytest.fixture
def config(tmp_path):
    url = f"sqlite:///{tmp_path}/nurt.db"
    upgrade(url)
    opened = SqlStore(url, FixedClock(NOW), lambda: bytes(32))
    fill(opened)
    opened.close()
    path = tmp_path / "nurt.toml"
    path.write_text(f'[store]\ndata = "{tmp_path}"\n[anomaly]\nhistory_days = 730\n')
    (tmp_path / "master.key").write_bytes(bytes(32))
    return path


def command(config, *words: str, code=0):
    result = CliRunner().invoke(app, [*words, "--config", str(config)])
    assert result.exit_code == code, result.output
    return result


def test_the_commands_scan_list_and_judge(config):
    scanned = command(config, "scan", "--format", "jsonl", "--tier", "notify")
    found = [json.loads(line) for line in scanned.stdout.splitlines()]
    leak = next(line for line in found if line["name"].startswith("leak"))
    assert leak["meter_id"] == str(LEAKY)
    assert "2 of 2 meters judged" in scanned.stderr
    number = str(leak["id"])
    assert "leak.continuous" in command(config, "findings", "list", "--class", "leak", "--all").stdout
    assert "acknowledged" in command(config, "findings", "ack", number, "--by", "anna").stdout
    command(config, "findings", "dismiss", number, "--by", "anna", "--reason", "garden")
    shown = json.loads(command(config, "findings", "show", number).stdout)
    assert shown["state"] == "dismissed"
    assert [one["by"] for one in shown["verdicts"]] == ["anna", "anna"]
    assert "there is no finding 999" in command(config, "findings", "show", "999", code=2).output


def test_a_command_says_what_it_was_asked_wrongly(config):
    unknown = command(config, "scan", "--meter", "KAM-11111111-1b-16", code=1)
    assert "not in the registry: KAM-11111111-1b-16" in str(unknown.exception)
    assert "is not over yet" in command(config, "scan", "--since", "2199-01-01", code=2).output
    assert "no class 'leaks'" in command(config, "findings", "list", "--class", "leaks", code=2).output


def test_a_scan_under_way_elsewhere_is_said_and_waited_for_by_nobody(config, tmp_path):
    opened = SqlStore(f"sqlite:///{tmp_path}/nurt.db", SystemClock(), lambda: bytes(32))
    turn = Turn(opened, SystemClock())
    assert turn.take() is None
    assert "a scan is under way" in str(command(config, "scan", code=1).exception)
    turn.give_up()
    command(config, "scan")
    opened.close()


def test_while_a_gateway_is_silent_its_meters_are_not_told_one_by_one(store):
    keeper = Keeper(store, AnomalySettings(), ZONE, ())
    silent = Finding("roof", (replace(finding("roof").stages[0], name="silent.gateway"),))
    stopped, leak = finding(str(QUIET), name="stopped.no_use"), finding(str(QUIET))
    elsewhere = finding("KAM-00000009-1b-16", name="stopped.no_use")
    with store.writing() as tx:
        keeper.keep(tx, [silent, stopped, leak, elsewhere], NOW, [])
        settled = keeper.settle(tx, 1000, NOW).values()
        muted = {(one.finding.subject, one.finding.name): one.muted for one in settled}
    assert muted.pop((str(QUIET), "stopped.no_use")) == "its gateway is silent"
    assert set(muted.values()) == {""}


def test_many_at_once_over_all_parts_of_a_fleet_are_one_event(store):
    keeper = Keeper(store, AnomalySettings(), ZONE, ())
    with store.writing() as tx:
        for number in range(8):  # each in a part of its own
            keeper.keep(tx, [finding(f"M{number}", name="backflow.micro")], NOW, [])
        settled = keeper.settle(tx, 100, NOW).values()
    assert {one.muted for one in settled if one.finding.name == "backflow.micro"} == {"many at once"}
    assert [one.finding.name for one in settled if not one.muted] == ["together.many"]


def test_what_the_budget_refused_is_told_on_a_later_day_if_it_still_lasts(store):
    keeper = Keeper(store, AnomalySettings(notify_per_day=1), ZONE, ("smtp",))
    with store.writing() as tx:
        keeper.keep(tx, [finding("M1", rate=100.0), finding("M2", rate=5.0)], NOW, [])
        first = {one.finding.subject: one.muted for one in keeper.settle(tx, 1000, NOW).values()}
        assert first == {"M1": "", "M2": "budget of the day"}
        later = {
            one.finding.subject: one.muted
            for one in keeper.settle(tx, 1000, NOW + timedelta(days=1)).values()
        }
        assert later == {"M2": ""}
        assert sum(len(tx.findings.notices(one.id)) for one in tx.findings.wanted(Wanted())[0]) == 2


def test_a_battery_reported_low_and_forecast_to_run_out_is_one_open_finding():
    reported, forecast = finding("M", name="battery.reported"), finding("M", name="battery.forecast")
    (one,) = one_a_class(
        [forecast, replace(reported, stages=(replace(reported.stages[0], tier=Tier.DISPATCH),))]
    )
    assert one.name == "battery.reported"
    assert len(one_a_class([replace(reported, cleared_at=NOW), forecast])) == 2


def test_a_battery_that_runs_out_is_forecast_from_what_the_meter_says(scanner, store):
    battery = Register("remaining_battery_life")
    told = [
        Reading(QUIET, battery, Decimal(100 - day), "d", at, at, Way.RADIO, Quality.RAW, SOURCE)
        for day in range(0, 56, 7)
        for at in [NOW - timedelta(days=56 - day)]
    ]
    with store.writing() as tx:
        tx.readings.add(told)
    scanner.run()
    with store.reading() as tx:
        found, _ = tx.findings.wanted(Wanted(family="battery"))
    assert [(one.finding.subject, one.finding.name) for one in found] == [(str(QUIET), "battery.forecast")]


def test_flags_in_telegrams_become_findings_and_a_verdict_ends_what_is_latched(scanner, store):
    told = readings(QUIET, first=HOURS - 72)
    framed = [replace(one, provenance=replace(SOURCE, telegram=number)) for number, one in enumerate(told, 1)]
    tamper = StatusFlag.TAMPER | StatusFlag.BATTERY
    flagged = [
        replace(one, register=STATUS, unit="", value=Decimal(tamper.value))
        for number, one in enumerate(framed)
        if 24 <= number < 48
    ]
    with store.writing() as tx:
        tx.readings.remove(told)
        archive_numbers(tx, len(framed))
        tx.readings.add([*framed, *flagged])
    scanner.run()
    with store.reading() as tx:
        found = {one.finding.name: one for one in tx.findings.of(str(QUIET))}
    assert {"tamper.reported", "battery.reported"} <= set(found)
    assert found["battery.reported"].finding.cleared_at == framed[48].measured_at
    assert found["tamper.reported"].finding.cleared_at is None, "a person must look"
    assert found["tamper.reported"].finding.stages[0].evidence["telegram"] == 25
    with store.writing() as tx:
        tx.findings.judge(found["tamper.reported"].id, Verdict(FindingState.CONFIRMED, "anna", "", NOW))
    scanner.run()
    with store.reading() as tx:
        (seen_to,) = tx.findings.wanted(Wanted(family="tamper"))[0]
    assert seen_to.finding.cleared_at == NOW


def archive_numbers(tx, count):
    """Archive so many telegrams, so that readings may say which brought them."""
    reception = Reception("roof", NOW, NOW)
    for number in range(count):
        mark = number.to_bytes(16)
        tx.archive.add([NewTelegram(QUIET, mark, mark, TelegramState.STORED, "", [(reception, None)])])


def gateway(**more):
    return GatewayStatus(name="roof", told=7, in_force=6, **more)


def test_a_gateway_that_refuses_its_settings_is_told_by_mail_until_it_takes_them(store):
    keeper = Keeper(store, AnomalySettings(notify_per_day=0), ZONE, ("smtp",))
    refused = gateway(drift=Drift.REFUSED, error="no such receiver")
    with store.writing() as tx:
        for _ in range(2):
            keeper.keep(tx, gateway_findings(tx, [refused], NOW), NOW, [])
            keeper.settle(tx, 100, NOW)
        (kept,) = tx.findings.of("roof")
        notices = tx.findings.due(NOW)
        assert [(one.channel, one.finding) for one in notices] == [("smtp", kept.id)]
        said = Wording("pl", ZONE).of_finding("key", kept, Tier.NOTIFY, NOW)
        assert "przekazano wersję 7, obowiązuje 6" in said.text
        assert close_over(tx, [gateway()], set(), NOW + timedelta(hours=1)) == 1
        assert tx.findings.finding(kept.id).finding.cleared_at == NOW + timedelta(hours=1)


def test_a_gateway_that_was_told_has_a_day_before_anybody_is(store):
    keeper = Keeper(store, AnomalySettings(), ZONE, ("smtp",))
    waiting, later = gateway(drift=Drift.WAITING), NOW + timedelta(days=1)
    with store.writing() as tx:
        keeper.keep(tx, gateway_findings(tx, [waiting], NOW), NOW, [])
        keeper.settle(tx, 100, NOW)
        assert tx.findings.due(NOW) == []
        keeper.keep(tx, gateway_findings(tx, [waiting], later), later, [])
        keeper.settle(tx, 100, later)
        assert len(tx.findings.due(later)) == 1


def test_a_receiver_in_trouble_is_a_finding_of_its_gateway(store):
    with store.reading() as tx:
        (one,) = gateway_findings(tx, [gateway(troubles={"stick": "not open", "aerial": "silent"})], NOW)
    assert sentence(one.stages[0], "en", ZONE).endswith("receiver aerial, stick is in trouble.")
