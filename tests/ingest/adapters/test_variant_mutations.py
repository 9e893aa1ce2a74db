"""Every form of a message an adapter knows, mutated: something read or a reason, and a unit never guessed."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.build import build, build_wired
from decoders.wmbus.encode import record
from ingest.adapters import ADAPTERS, Options
from ingest.adapters.mapping import UNITS, FieldMap, FieldValue
from ingest.adapters.wmbusmeters import _FIELDS
from ingest.codecs import CODECS
from ingest.items import Delivery, Unreadable
from ingest.routes import Route, Router
from metering.meter import MeterId
from metering.uplink import FrameUplink, PulseUplink, ValueUplink

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
METER = MeterId("ABC", "12345678", "01", "07")
VOLUME = record(b"\x13", Decimal("7.71"), field=4)
HEX = build(METER, VOLUME, access=1).hex()
FORMAT_A = build(METER, VOLUME, access=1, link_crc="A").hex()
WIRED = build_wired(METER, VOLUME, access=1).hex()
EUI = "0102030405060708"
TOTAL = FieldMap(values=(FieldValue("total", "volume", "L"),), device="id", format="csv", separator=";")
"""A map of a table."""

LORAWAN = {
    "axioma_w1": (100, bytes.fromhex("01ae61986a0032170000") + (116).to_bytes(41, "little")),
    "milesight_em300_di": (85, bytes.fromhex("01755c05c80001000020ce802757690000000000fa000000")),
    "adeunis_pulse": (1, bytes.fromhex("5a6700000127000100020003000414aba3e9")),
    "izar_to_lorawan": (20, bytes(3) + (7710).to_bytes(4, "little")),
    "kamstrup_flowiq": (1, bytes.fromhex("7801001005") + VOLUME),
    "lobaro": (102, bytes([3]) + (1767319200).to_bytes(5, "big") + bytes([71]) + bytes.fromhex(HEX)),
}


def chirpstack(port: int, payload: bytes) -> dict[str, object]:
    info = {"deviceInfo": {"devEui": EUI}, "devAddr": "01ab23cd", "fCnt": 341, "fPort": port}
    return {**info, "time": "2026-01-02T03:04:05Z", "data": base64.b64encode(payload).decode()}


def things(port: int, payload: bytes) -> dict[str, object]:
    message = {"f_port": port, "f_cnt": 341, "frm_payload": base64.b64encode(payload).decode()}
    ids = {"device_id": "m1", "dev_eui": EUI, "dev_addr": "01AB23CD"}
    return {"end_device_ids": ids, "uplink_message": message | {"received_at": "2026-01-02T03:04:05Z"}}


def forms() -> list[tuple[str, str, str, Options]]:
    """Give adapter, name, message and options of every form."""
    line = f"T1;1;1;2026-01-02 03:04:05.000;114;83;A0C74FD7;0x{HEX}"
    elvaco = "serial-number;device-identification;created;value-data-count;mbus-raw-value"
    plain: dict[str, list[Any]] = {
        "contract": [
            [{"v": 1, "k": "frame", "boot": "b", "seq": n, "hex": HEX, "rssi": -70} for n in (1, 2)],
            {"v": 1, "k": "pulse", "boot": "b", "seq": 3, "ch": "1", "total": 7, "pulse_l": "10"},
            {"v": 1, "k": "frame", "hex": FORMAT_A, "ts": "2026-01-02T03:04:05Z", "hist": True},
        ],
        "rtl_wmbus": [line, f"rla;{line}", line.replace("2026-01-02 03:04:05.000", ""), f"{line}{line}"],
        "esphome": [line, HEX, {"address": "1", "mode": "C", "rssi": -44, "frame": HEX.upper()}],
        "cul": [f"b{FORMAT_A}", f"b{FORMAT_A}9B2E"],
        "elvaco": [f"{elvaco}\n1;12345678;2026-01-02 03:00:00;00;{WIRED[8:-4]}\n"],
        "auto": [line, FORMAT_A, {"_": "telegram", "id": "12345678", "total_m3": 1.5}],
        "tasmota": [
            {"Time": 1767319200, "COUNTER": {"C1": 3, "C4": 7}},
            {"StatusSNS": {"Time": "2021-12-31T09:39:59", "COUNTER": {"C1": 3}}},
        ],
        "shelly": [
            {"id": 1, "src": "s", "result": {"id": 2, "counts": {"total": 41}}},
            {"id": 1, "src": "s", "result": {"input:0": {"counts": {"total": 1}}}},
        ],
        "wmbusmeters": [
            {"id": "12345678", "_": "telegram", **dict.fromkeys(_FIELDS, 1.5), "target_date": "2026-01-01"},
            {
                "id": "12345678",
                "media": "water",
                "meter": "x",
                "timestamp": "x",
                "error": "decryption failed",
            },
        ],
    }
    found = [
        (name, f"{name} {number}", said if isinstance(said, str) else json.dumps(said), Options())
        for name, messages in plain.items()
        for number, said in enumerate(messages)
    ]
    for codec, (port, payload) in LORAWAN.items():
        for server, event in (("chirpstack", chirpstack), ("the_things_stack", things)):
            text = json.dumps(event(port, payload))
            found.append((server, f"{server} {codec}", text, Options(codec=codec)))
    for unit in ("pulses", "L", "m3"):
        found.append(("esphome_pulse", f"esphome_pulse {unit}", "1234", Options(unit=unit)))
        said = json.dumps({"battery": 1, "water_consumed": 1234})
        found.append(("zigbee2mqtt", f"zigbee2mqtt {unit}", said, Options(unit=unit)))
    found.append(("field_map", "field_map csv", "id;total\nA;7\nB;8\n", Options(fields=TOTAL)))
    return found


FORMS = {name: (adapter, text, options) for adapter, name, text, options in forms()}


def read(name: str, payload: bytes) -> list[Any]:
    adapter, _, options = FORMS[name]
    card = ADAPTERS[adapter]
    router = Router([Route("#", adapter, "roof", options)])
    return [item.said for item in router.read(Delivery(card.example[0], payload, NOW))]


def test_every_codec_has_a_form():
    assert set(LORAWAN) == set(CODECS)


@pytest.mark.parametrize("name", FORMS)
def test_the_form_itself_is_read(name):
    found = read(name, FORMS[name][1].encode())
    unreadable = [one for one in found if isinstance(one, Unreadable)]
    assert found
    assert [one.reason for one in unreadable] == (["decoder_error"] if name == "wmbusmeters 1" else [])


@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_something_is_read_or_a_reason_told(name, data):
    raw = FORMS[name][1].encode()
    place = data.draw(st.integers(0, len(raw)))
    junk = data.draw(st.binary(max_size=4) | st.sampled_from([b"-", b"9" * 30, b"e9", b"null", b'"', b"\n"]))
    gone = data.draw(st.integers(0, 6))
    units = {unit for unit, _ in UNITS.values()}
    for said in read(name, raw[:place] + junk + raw[place + gone :]):
        match said:
            case Unreadable(reason, sentence):
                assert reason
                assert sentence
            case ValueUplink(_, _, values):
                assert all(one.value.is_finite() for one in values)
                if "flowiq" not in name:  # its records say their units themselves, whatever they are
                    assert all(one.unit in units for one in values)
            case PulseUplink(_, _, total, weight):
                assert total >= 0
                assert weight is None or weight > 0
            case FrameUplink(_, frame):
                assert frame


@pytest.mark.parametrize("adapter", ["esphome_pulse", "zigbee2mqtt"])
@given(litres=st.decimals(0, 10**6, places=2))
@settings(max_examples=30, deadline=None)
def test_what_the_route_says_a_number_counts_is_what_comes_out(adapter, litres):
    """The same number is a thousand times as much in cubic metres, and no volume at all in pulses."""

    def one(unit: str, number: Decimal) -> PulseUplink | Unreadable:
        said = str(number) if adapter == "esphome_pulse" else json.dumps({"water_consumed": float(number)})
        (found,) = read(f"{adapter} {unit}", said.encode())
        return found

    in_litres, in_cubic_metres = one("L", litres), one("m3", litres)
    assert in_cubic_metres.total * in_cubic_metres.litres_per_pulse == litres * 1000
    assert in_litres.total * in_litres.litres_per_pulse == litres
    pulses = one("pulses", litres)
    if litres == litres.to_integral_value():
        assert (pulses.total, pulses.litres_per_pulse) == (int(litres), None)
    else:
        assert isinstance(pulses, Unreadable)


@pytest.mark.parametrize("field", _FIELDS)
@given(suffix=st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_a_field_under_another_unit_is_not_taken_for_the_one_known(field, suffix):
    """``total_l`` is not ``total_m3``: what is not known by its whole name is left alone."""
    other = f"{field.rpartition('_')[0]}_{suffix}"
    said = {"_": "telegram", "id": "12345678", "target_date": "2026-01-01", other: 1.5}
    (found,) = read("wmbusmeters 0", json.dumps(said).encode())
    assert isinstance(found, ValueUplink if other in _FIELDS else Unreadable)


@pytest.mark.parametrize("unit", UNITS)
@given(number=st.decimals(-(10**9), 10**9, places=4))
@settings(max_examples=20, deadline=None)
def test_a_mapped_value_is_exactly_what_its_unit_says(unit, number):
    held, factor = UNITS[unit]
    register = {"m3": "volume", "m3/h": "volume_flow", "Wh": "energy", "W": "power"}.get(held, "x")
    mapped = Options(fields=FieldMap(values=(FieldValue("v", register, unit),), device="id"))
    router = Router([Route("#", "field_map", "roof", mapped)])
    payload = json.dumps({"id": "A", "v": str(number)}).encode()
    (item,) = router.read(Delivery("a/b", payload, NOW))
    (value,) = item.said.values
    assert (value.value, value.unit) == (number * factor, held)
