"""What only wired M-Bus has: the fixed data structure, mode 2, frames without data, selections."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, decode
from decoders.trace import Understanding, trace
from decoders.wmbus import wired
from decoders.wmbus.fixed import read_fixed
from metering.reading import Function

STRUCTURE = bytes.fromhex("73 99203112 05 00 E9 7E 41230000 35010000".replace(" ", ""))
"""Our own: water, 2341 l today, 135 l at the last due date."""


def long_frame(body: bytes) -> bytes:
    return wired.encode(b"\x08\x05" + body)


def refused(frame: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(frame)
    return caught.value


def counters(status: int, units: str, first: str, second: str):
    body = bytes((0x73, 1, 2, 3, 4, 5, status)) + bytes.fromhex(units + first + second)
    return read_fixed(body, 0).records


def test_the_two_counters_are_records_of_today():
    fixed = read_fixed(STRUCTURE, 0)
    assert (fixed.serial, fixed.device_type, fixed.access, fixed.status) == ("12312099", "07", 5, 0)
    first, second = fixed.records
    assert (first.difvif, first.value, first.unit, first.storage) == ("0C13", Decimal("2.341"), "m3", 0)
    assert (second.difvif, second.value, second.unit, second.storage) == ("4C13", Decimal("0.135"), "m3", 1)
    assert first.function is Function.INSTANTANEOUS
    assert (first.offset, second.offset) == (9, 13)


@pytest.mark.parametrize(
    ("status", "units", "first", "expected"),
    [
        (0x00, "453F", "41230000", ("energy", "Wh", Decimal(2341000))),
        (0x01, "453F", "41230000", ("energy", "Wh", Decimal(0x2341) * 1000)),
        (0x00, "0A3F", "01000000", ("energy", "Wh", Decimal(100_000_000))),
        (0x00, "133F", "01000000", ("energy", "J", Decimal(100_000_000_000))),
        (0x00, "1C3F", "01000000", ("power", "W", Decimal(100_000_000))),
        (0x00, "2E3F", "01000000", ("volume", "m3", Decimal(100))),
        (0x00, "373F", "01000000", ("volume_flow", "m3/h", Decimal(100))),
        (0x00, "393F", "01000000", ("hca_units", "", Decimal(1))),
        (0x00, "293F", "0A000000", ("volume", "m3", None)),
    ],
)
def test_units_and_codings(status, units, first, expected):
    record, _ = counters(status, units, first, "00000000")
    assert (record.quantity, record.unit, record.value) == expected


def test_values_of_a_fixed_date_are_at_storage_one():
    assert [record.storage for record in counters(0x02, "2929", "01000000", "02000000")] == [1, 1]


def test_two_equal_registers_are_counted():
    assert [record.occurrence for record in counters(0, "2929", "01000000", "02000000")] == [0, 1]


def test_what_may_mean_another_coding_is_said():
    assert "another coding" in counters(0x80, "2929", "01000000", "02000000")[0].remark


def test_a_structure_without_manufacturer_is_told_with_its_values():
    error = refused(long_frame(STRUCTURE))
    assert error.code == "unsupported_layer"
    assert error.evidence == {
        "serial": "12312099",
        "device_type": "07",
        "counter_1": "2.341 m3",
        "counter_2": "0.135 m3",
    }
    found = trace(long_frame(STRUCTURE))
    assert ("counter: volume", "2.341 m3") in [(span.meaning, span.value) for span in found.spans]
    assert found.count(Understanding.NOT) == 0


@pytest.mark.parametrize("size", range(2, 17))
def test_a_structure_cut_short_is_told(size):
    assert refused(long_frame(STRUCTURE[:size])).code == "truncated"


@pytest.mark.parametrize(
    ("ci", "name"),
    [
        (0x55, "command"),
        (0x56, "selection of a device"),
        (0x76, "variable data structure"),
        (0x77, "fixed data structure of mode 2"),
    ],
)
def test_mode_2_is_refused_by_name(ci, name):
    error = refused(long_frame(bytes((ci,)) + bytes(20)))
    assert (error.code, error.evidence["name"]) == ("unsupported_layer", name)
    assert "mode 2" in error.message


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ("105BFD5816", "REQ-UD2, the meter selected by its secondary address"),
        ("107BFE7916", "REQ-UD2, every meter, each to answer"),
        ("1040FD3D16", "SND-NKE, the meter selected by its secondary address"),
        ("1040054516", "SND-NKE, address 5"),
        ("68030368 53FE50 A1 16", "SND-UD, every meter, each to answer"),
    ],
)
def test_frames_without_data_are_named(frame, said):
    error = refused(bytes.fromhex(frame))
    assert error.code == "not_meter_data"
    assert error.message.endswith(said)


def test_a_selection_tells_whom_it_selects():
    """The select-all frame of EN 13757-2, and one for a number of any maker."""
    everyone = refused(bytes.fromhex("680B0B6873FD52FFFFFFFFFFFFFFFFBA16"))
    assert everyone.evidence["selected"] == "FFFFFFFF-FFFF-FF-FF"
    one = refused(wired.encode(bytes.fromhex("53FD5278563412FFFFFF07")))
    assert (one.code, one.evidence["selected"]) == ("not_meter_data", "12345678-FFFF-FF-07")


def test_an_application_reset_tells_the_application():
    error = refused(wired.encode(bytes.fromhex("530550 20")))
    assert error.evidence["name"] == "application reset or select"
    assert error.evidence["application"] == "simple billing, block 0"


@given(st.binary(min_size=1, max_size=40), st.sampled_from([0x08, 0x53, 0x73]))
@settings(max_examples=300, deadline=None)
def test_any_wired_body_is_told(body, control):
    frame = wired.encode(bytes((control, 5)) + body)
    found = trace(frame)
    assert b"".join(span.raw for span in found.spans) == frame


@pytest.mark.shared
def test_the_real_structure_says_what_another_decoder_reads(shared_telegrams):
    lines = (shared_telegrams / "wired.jsonl").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in map(json.loads, lines) if line["name"] == "manual_frame2"]
    fixed = read_fixed(bytes.fromhex(line["telegram"]), wired.CI_AT)
    assert fixed.serial == line["slave"]["Id"]
    assert [record.value * 1000 for record in fixed.records] == [one["value"] for one in line["expected"]]
