"""Decoding with the help of the meter's model: what a model may explain, and what it may not cover up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from decoders import DecodeError, SecurityError, decode
from decoders.build import build, build_wired
from decoders.models import by_name, models
from decoders.reading import complete, read, rescue
from metering.meter import MeterId

PLAIN = MeterId("KAM", "12345678", "1b", "16")
UNKNOWN = MeterId("XYZ", "12345678", "01", "07")
ZENNER = MeterId("ZRI", "12345678", "0b", "16")
KEY, OTHER = bytes(range(16)), bytes(16)
TOTAL = bytes.fromhex("0413E8030000")


def manufacturer(meter: MeterId, payload: bytes, ci: int = 0xA0) -> bytes:
    head = build(meter, b"", header="none")[1:10]
    return bytes((len(head) + 1 + len(payload),)) + head + bytes((ci,)) + payload


def test_a_telegram_of_standard_records_is_read_as_decode_reads_it():
    frame = build(PLAIN, TOTAL, mode=5, key=KEY)
    found = read(frame, lambda _: [KEY])
    assert found.telegram == decode(frame, lambda _: [KEY])
    assert found.model is models()["kamwater"]


def test_the_records_of_a_payload_stand_in_the_telegram():
    """Whoever takes readings from records needs to know nothing of payloads."""
    (total,) = read(manufacturer(MeterId("APT", "12345678", "03", "03"), b"\xb8\x0b\0\0")).telegram.records
    assert (total.quantity, total.value, total.unit, total.offset) == ("volume", Decimal(1), "m3", 11)


def test_a_named_model_counts_before_the_identity():
    frame = manufacturer(UNKNOWN, b"\xb8\x0b\0\0")
    assert read(frame, model=by_name("apator08")).telegram.records[0].value == 1
    assert read(frame, model=by_name("apator172")).telegram.records[0].value == 1000


@pytest.mark.parametrize("meter", [UNKNOWN, PLAIN])
def test_a_payload_nobody_knows_stays_manufacturer_specific(meter: MeterId):
    with pytest.raises(DecodeError) as caught:
        read(manufacturer(meter, bytes(20)))
    assert caught.value.code == "manufacturer_specific"
    assert caught.value.known is not None
    assert caught.value.known.meter == meter


@pytest.mark.parametrize(("keys", "code"), [([], "missing_key"), ([OTHER], "wrong_key")])
def test_no_model_replaces_a_key(keys: list[bytes], code: str):
    frame = build(ZENNER, b"\x0f" + bytes(13), mode=5, key=KEY)
    with pytest.raises(SecurityError) as caught:
        read(frame, lambda _: keys)
    assert caught.value.code == code


def test_a_frame_that_is_none_is_told_as_before():
    with pytest.raises(DecodeError) as caught:
        read(b"\x00\x01")
    assert caught.value.code == "not_a_frame"


def test_accidental_records_of_a_payload_do_not_count():
    """All of this payload happens to be records and fillers for an ordinary walk."""
    payload = b"\x2f" * 40
    meter = MeterId("BFW", "12345678", "02", "08")
    assert decode(build(meter, payload)).faults == ()
    found = read(build(meter, payload)).telegram
    assert len(found.records) == 21
    assert found.manufacturer_data == b""


def test_faults_of_a_walk_do_not_stand_beside_a_payload_read_to_its_end():
    payload = bytes.fromhex("2F2F 6F1F") + bytes(36)
    meter = MeterId("BFW", "12345678", "02", "08")
    with pytest.raises(DecodeError):
        decode(build(meter, payload))
    assert read(build(meter, payload)).telegram.faults == ()


def test_both_steps_can_be_taken_alone():
    model = by_name("apator08")
    with pytest.raises(DecodeError) as caught:
        decode(manufacturer(UNKNOWN, b"\xb8\x0b\0\0"))
    assert rescue(caught.value, model=model).telegram.records[0].value == 1
    with pytest.raises(DecodeError) as again:
        rescue(caught.value)
    assert again.value is caught.value
    plain = decode(build(PLAIN, TOTAL))
    assert complete(plain).telegram == plain


def test_keys_are_asked_once_per_address():
    asked: list[MeterId] = []

    def keys(meter: MeterId) -> list[bytes]:
        asked.append(meter)
        return [KEY]

    with pytest.raises(DecodeError):
        read(manufacturer(MeterId("APA", "12345678", "14", "07"), bytes(18)), keys)
    assert asked == [MeterId("APA", "12345678", "14", "07")]


@pytest.mark.parametrize(
    ("meter", "ci", "payload"),
    [
        (MeterId("APT", "12345678", "03", "03"), 0xA0, b"\xb8\x0b\0\0"),
        (ZENNER, 0x78, b"\x0f" + bytes(13)),
    ],
)
def test_a_payload_in_clear_is_refused_where_encryption_is_required(meter: MeterId, ci: int, payload: bytes):
    frame = manufacturer(meter, payload, ci)
    assert read(frame, require_encryption=True).telegram.records
    assert read(frame, lambda _: [KEY]).telegram.records
    with pytest.raises(SecurityError) as caught:
        read(frame, lambda _: [KEY], require_encryption=True)
    assert caught.value.code == "not_encrypted"


def test_a_payload_encrypted_inside_satisfies_the_requirement():
    """Under its own key a scrambled payload counts as encrypted, under a published one it does not."""
    model = models()["apatorna1"]
    (golden,) = model.tests
    found = read(golden.telegram, lambda _: [golden.key], require_encryption=True)
    assert found.telegram.security.encrypted
    assert not read(models()["izarv2"].tests[0].telegram).telegram.security.encrypted


def test_a_wired_meter_keeps_its_places():
    meter = MeterId("GWF", "12345678", "3c", "07")
    found = read(build_wired(meter, TOTAL + bytes.fromhex("0F 01 22 C9"))).telegram
    battery = found.records[-1]
    assert battery.data == found.frame[battery.offset : battery.offset + 1] == b"\xc9"
