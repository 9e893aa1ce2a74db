"""Gateways that publish frames, each in its own wrapping."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from decoders.build import build, build_wired
from decoders.wmbus.encode import record
from metering.meter import MeterId
from metering.uplink import ClockSource, FrameUplink, GatewayState

METER = MeterId("ABC", "12345678", "01", "07")


def wireless(crc="none") -> bytes:
    return build(METER, record(b"\x13", Decimal("7.71"), field=4), access=1, link_crc=crc)


# --- ESPHome -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "radio"), [("T", "T1"), ("C", "C1"), ("S", "S1"), ("X", None), (["T"], None)]
)
def test_esphome_4_publishes_a_frame_with_mode_and_real_dbm(reader, mode, radio):
    raw = {"address": "12345678", "mode": mode, "rssi": -44, "frame": reader("esphome").frame.hex().upper()}
    said = reader("esphome").one(raw)
    assert (said.frame, said.reception.mode, said.reception.rssi_dbm) == (reader("esphome").frame, radio, -44)
    assert (said.reception.heard_at, said.reception.clock) == (reader("esphome").now, ClockSource.NONE)


def test_esphome_5_publishes_lines_or_hexadecimal_on_topics_people_choose(reader):
    read = reader("esphome")
    line = f"T1;1;1;1970-01-01 00:00:05.00Z;-61;;;0x{read.frame.hex()}\n"
    assert read.one(line).reception.rssi_dbm == -61
    assert read.one(read.frame.hex()).frame == read.frame
    assert read.one(line).reception.heard_at == read.now


@pytest.mark.parametrize("frame", [None, 5, "", "zz", "abc"])
def test_a_frame_of_esphome_that_is_none_is_bad_hex(reader, frame):
    assert reader("esphome").reasons({"mode": "T", "rssi": -4, "frame": frame}) == ["bad_hex"]


# --- Kustonium -----------------------------------------------------------------------------------


def test_kustonium_s_telegrams_and_targets_are_frames(reader):
    read = reader("kustonium")
    for leaf in ("telegram", "target_12345678"):
        assert read.one(read.frame.hex(), f"wmbus/roof/{leaf}").frame == read.frame


def test_kustonium_s_health_shows_the_gateway_alive_unless_the_broker_kept_it(reader):
    read = reader("kustonium")
    health = {"uptime_s": 7, "rx_total": 3, "sec_since_last_rx": -1, "rssi": 1, "chip": "SX1262"}
    assert read(health, "wmbus/roof/health") == [GatewayState("roof", online=True, at=read.now)]
    assert read(health, "wmbus/roof/health", retained=True) == []
    assert read.reasons({}, "wmbus/roof/health") == ["bad_field"]


@pytest.mark.parametrize("leaf", ["rx", "diag", "diag/summary", "meters", "rssi/12345678"])
def test_what_kustonium_says_of_its_radio_is_no_telegram(reader, leaf):
    """Not even a dropped frame in hexadecimal: it is not decoded yet."""
    assert reader("kustonium")({"event": "dropped", "raw": "AB12"}, f"wmbus/roof/{leaf}") == []


def test_an_unknown_leaf_of_kustonium_is_told(reader):
    assert reader("kustonium").reasons("00", "wmbus/roof/else") == ["bad_topic"]


# --- rtl_433 -------------------------------------------------------------------------------------


def event(data: str, **more) -> dict[str, object]:
    return {"time": "2026-01-02 03:04:05", "model": "Wireless-MBus", "mode": "C", "data": data, **more}


def test_an_event_of_rtl_433_is_a_frame_without_time_identity_and_strength(reader):
    """Its id lost leading zeros, its time has no zone, its rssi is dB below full scale."""
    read = reader("rtl_433")
    said = read.one(event(read.frame.hex(), id=99, rssi=-12.3))
    assert (said.frame, said.reception.mode) == (read.frame, "C1")
    assert (said.reception.heard_at, said.reception.rssi_dbm) == (read.now, None)


@pytest.mark.parametrize("trimmed", [2, 4])
def test_a_length_rtl_433_left_as_it_was_is_mended(store, make, see, reader, trimmed):
    """Format B: the checksums are cut off, L still counts them."""
    frame = make.frame()
    told = bytes([frame[0] + trimmed]) + frame[1:]
    from ingest.pipeline import Pipeline
    from ingest.routes import Route, Router

    [item] = reader("rtl_433").items(event(told.hex()))
    router = Router([Route(item.delivery.topic, "rtl_433", "attic")])
    [result] = Pipeline(store, router=router).accept([item.delivery])
    assert (result.outcome, see.telegrams(store)[0].frame) == ("stored", frame)


@pytest.mark.parametrize("wrong", [{"model": "KNX-RF"}, {"model": "Acurite"}, {"model": ["Wireless-MBus"]}])
def test_other_devices_of_rtl_433_are_told(reader, wrong):
    assert reader("rtl_433").reasons(event("00") | wrong) == ["unknown_format"]


@pytest.mark.parametrize("data", ["", "xyz", "123", None, 7])
def test_data_of_rtl_433_that_are_none_are_bad_hex(reader, data):
    assert reader("rtl_433").reasons(event(data)) == ["bad_hex"]


# --- CUL -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tail", "dbm"), [("", None), ("9B2E", -51), ("8010", -66), ("80F0", -82)])
@pytest.mark.parametrize("form", [("A", "b", None), ("B", "bY", "C1")])
def test_a_line_of_a_cul_loses_its_checksums_and_may_tell_its_strength(reader, tail, dbm, form):
    crc, start, mode = form
    said = reader("cul").one(f"{start}{wireless(crc).hex().upper()}{tail}\r\n")
    assert (said.frame, said.reception.rssi_dbm, said.reception.mode) == (wireless(), dbm, mode)


def test_a_damaged_line_of_a_cul_is_never_handed_on(reader):
    good = wireless("A")
    bad = good[:5] + bytes([good[5] ^ 1]) + good[6:]
    assert reader("cul").reasons(f"b{bad.hex()}") == ["bad_crc"]
    assert reader("cul").reasons(f"b{good.hex()[:-1]}") == ["bad_hex"]
    assert reader("cul").reasons(f"b{good.hex()[:-4]}") == ["truncated"]
    assert reader("cul").reasons("V 1.67 nanoCUL868") == ["bad_line"]


# --- Elvaco --------------------------------------------------------------------------------------

WIRED = build_wired(METER, record(b"\x13", Decimal("7.71"), field=4), access=1)
HEADER = "serial-number;device-identification;created;value-data-count;mbus-raw-value"


def row(created: str, device: str = "12345678") -> str:
    return f"00000161;{device};{created};00;{WIRED[4:-2].hex()}"


def test_a_row_of_elvaco_becomes_the_long_frame_again(reader):
    said = reader("elvaco").one(f"{HEADER}\n{row('2026-01-02 03:00:00')}\n")
    assert (said.frame, said.reception.heard_at) == (WIRED, reader("elvaco").now)


def test_rows_of_elvaco_have_their_own_times_if_the_zone_is_known(reader):
    report = "\n".join([HEADER, row("2026-01-02 02:00:00"), row("2026-01-02 03:00:00")])
    said = reader("elvaco")(report, zone=ZoneInfo("Europe/Warsaw"))
    hours = [datetime(2026, 1, 2, hour, tzinfo=UTC) for hour in (1, 2)]
    assert [(one.reception.heard_at, one.reception.history) for one in said] == [(at, True) for at in hours]


def test_older_rows_of_elvaco_without_a_zone_are_refused(reader):
    """Only the newest of a device may be taken as of now."""
    rows = [row("2026-01-02 02:00:00"), row("2026-01-02 03:00:00"), row("2026-01-01 00:00:00", "2")]
    assert reader("elvaco").reasons("\n".join([HEADER, *rows])) == ["bad_time", "", ""]


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ("", "unknown_format"),
        ("a;b;c\n1;2;3", "unknown_format"),
        (HEADER, "no_value"),
        (f"{HEADER}\n1;2;3", "bad_line"),
        (f"{HEADER}\n1;2;2026-01-02 03:00:00;00;xyz", "bad_hex"),
        (f"{HEADER}\n1;2;2026-01-02 03:00:00;00;{'00' * 300}", "bad_hex"),
    ],
)
def test_a_report_of_elvaco_that_is_none_is_told(reader, report, reason):
    assert reader("elvaco").reasons(report) == [reason]


# --- bytes ---------------------------------------------------------------------------------------


def test_frames_as_bytes_come_alone_or_end_to_end(reader):
    read = reader("binary")
    assert [one.frame for one in read(read.frame * 2)] == [read.frame] * 2
    assert isinstance(read.one(b"\x00\x01"), FrameUplink)  # what is no frame, the pipeline says
    assert read.reasons(b"") == ["bad_payload"]
