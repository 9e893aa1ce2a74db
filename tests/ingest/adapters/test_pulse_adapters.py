"""Devices that count pulses."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.adapters import Options
from ingest.routes import Route
from metering.errors import InvalidValue
from metering.uplink import ClockSource, GatewayState


def states(said) -> list[tuple[str, int]]:
    return [(one.channel, one.total) for one in said]


# --- Tasmota -------------------------------------------------------------------------------------


def test_counters_of_tasmota_are_channels(reader):
    plain = {"Time": "2021-12-31T09:39:59", "COUNTER": {"C1": 3, "C2": 0}, "ANALOG": {"A0": 1}}
    assert states(reader("tasmota")(plain)) == [("C1", 3), ("C2", 0)]
    assert states(reader("tasmota")({"StatusSNS": plain}, "stat/x/STATUS8")) == [("C1", 3), ("C2", 0)]


@pytest.mark.parametrize(
    "when",
    [{"Time": "2026-01-02T04:00:00", "Epoch": 1767319200}, {"Time": 1767319200}, {"Time": 1767319200000}],
)
def test_only_a_time_since_1970_is_taken_from_tasmota(reader, when):
    heard = reader("tasmota").one({**when, "COUNTER": {"C1": 3}}).reception
    assert (heard.heard_at, heard.clock) == (datetime(2026, 1, 2, 2, tzinfo=UTC), ClockSource.NTP)
    local = reader("tasmota").one({"Time": "2026-01-02T04:00:00", "COUNTER": {"C1": 3}}).reception
    assert (local.heard_at, local.clock) == (reader("hex").now, ClockSource.NONE)


def test_what_tasmota_says_of_other_sensors_is_no_count(reader):
    assert reader("tasmota")({"Time": "2026-01-02T04:00:00", "SI7021": {"Temperature": 20}}) == []


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"SetOption79": "ON"}, "deltas"),
        ({"SI7021": {}}, "no_value"),
        ({"COUNTER": {"C1": -1}}, "bad_number"),
        ({"COUNTER": {"C1": 1.5}}, "bad_number"),
        ({"COUNTER": {"Timer": 1}}, "bad_field"),
        ({"COUNTER": 7}, "no_value"),
    ],
)
def test_what_is_no_count_of_tasmota_is_told(reader, said, reason):
    assert reader("tasmota").reasons(said) == [reason]


@pytest.mark.parametrize(
    ("adapter", "topic", "words"),
    [
        ("tasmota", "tele/x/LWT", ("Online", "Offline")),
        ("esphome_pulse", "x/status", ("online", "offline")),
        ("rtl_433", "rtl_433/x/availability", ("online", "offline")),
    ],
)
def test_a_last_will_is_the_gateway_s_state(reader, adapter, topic, words):
    """Online is believed when it is fresh, offline always."""
    read = reader(adapter)
    online, offline = words
    assert read(online, topic) == [GatewayState("roof", online=True, at=read.now)]
    assert read(online, topic, retained=True) == []
    assert read(offline, topic, retained=True) == [GatewayState("roof", online=False, at=read.now)]
    assert read.reasons("perhaps", topic) == ["bad_field"]


# --- ESPHome -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit", "total", "weight"),
    [
        ("123456", "pulses", 123456, None),
        ("123456.00", "pulses", 123456, None),
        ("16777218", "pulses", 16777218, None),
        ("12.345", "m3", 12_345_000, "0.001"),
        ("12.3456789", "m3", 12_345_678, "0.001"),
        ("7.5", "L", 7500, "0.001"),
    ],
)
def test_a_bare_number_counts_what_the_route_says(reader, text, unit, total, weight):
    """What is finer than a millilitre is cut off: single precision shows more digits than it has."""
    said = reader("esphome_pulse").one(text, "cellar/sensor/water_total/state", unit=unit)
    assert (said.channel, said.total) == ("water_total", total)
    assert said.litres_per_pulse == (Decimal(weight) if weight else None)
    assert said.reception.clock is ClockSource.NONE


@pytest.mark.parametrize("text", ["nan", "inf", "", "-1", "1.5", "1e5", "12 L", "7" * 30, "unavailable"])
def test_what_is_no_count_of_pulses_is_told(reader, text):
    assert reader("esphome_pulse").reasons(text, unit="pulses") == ["bad_number"]


def test_a_number_the_broker_kept_is_a_ghost(reader):
    assert reader("esphome_pulse").reasons("5", "c/sensor/w/state", retained=True, unit="L") == ["retained"]


@pytest.mark.parametrize("adapter", ["esphome_pulse", "zigbee2mqtt"])
@pytest.mark.parametrize("unit", ["", "gal", "l"])
def test_a_sensor_s_unit_is_never_guessed(adapter, unit):
    with pytest.raises(InvalidValue, match="says what its number counts"):
        Route("a/+", adapter, options=Options(unit=unit))


# --- Shelly --------------------------------------------------------------------------------------


def notify(params: object, method: object = "NotifyStatus") -> dict[str, object]:
    return {"src": "shelly", "dst": "x", "method": method, "params": params}


def test_an_update_of_shelly_is_the_raw_total_at_its_own_time(reader):
    counts = {"by_minute": [0], "total": 41, "xtotal": 4.1}
    said = reader("shelly").one(notify({"ts": 1767319200.05, "input:2": {"id": 2, "counts": counts}}))
    assert (said.channel, said.total) == ("2", 41)
    assert said.reception.heard_at == datetime(2026, 1, 2, 2, 0, 0, 50_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"ts": 1, "input:2": {"freq": 0.5}},
        {"input:2": {"counts": {"by_minute": [1]}}},
        {"switch:0": {}},
        None,
    ],
)
def test_a_partial_update_without_a_total_says_nothing(reader, params):
    assert reader("shelly")(notify(params)) == []


def test_answers_of_shelly_are_read_too(reader):
    one = {"id": 1, "src": "s", "result": {"id": 2, "counts": {"total": 41}}}
    assert states(reader("shelly")(one, "s/rpc")) == [("2", 41)]
    whole = {
        "id": 1,
        "src": "s",
        "result": {"input:0": {"counts": {"total": 1}}, "input:2": {"counts": {"total": 2}}},
    }
    assert states(reader("shelly")(whole)) == [("0", 1), ("2", 2)]


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        (notify({}, "NotifyEvent"), []),
        ({"a": 1}, ["unknown_format"]),
        (notify({"input:2": {"counts": {"total": "many"}}}), ["bad_number"]),
        (notify({"input:2": {"counts": 7}}), ["bad_field"]),
        (notify({}, ["NotifyStatus"]), []),
    ],
)
def test_what_shelly_says_besides_is_told_or_no_count(reader, said, reasons):
    assert reader("shelly").reasons(said) == reasons


# --- Zigbee2MQTT ---------------------------------------------------------------------------------


def test_zigbee_counters_are_in_the_unit_of_the_route(reader):
    read = reader("zigbee2mqtt")
    assert states(read({"battery": 1, "water_consumed": 1234}, unit="L")) == [("water_consumed", 1_234_000)]
    assert states(read({"flow_total": 1.5}, unit="m3", key="flow_total")) == [("flow_total", 1_500_000)]
    assert read({"battery": 100}, unit="L") == []
    assert read.reasons({"water_consumed": "x"}, unit="L") == ["bad_number"]
