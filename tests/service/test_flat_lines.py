"""The lines of ``nurt decode --format wmbusmeters``: their shape, and how errors are told there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from decoders.build import build
from decoders.models import models
from metering.meter import MeterId
from service.asked import Given, read_line
from service.decode_lines import answer
from service.flat_lines import flat_line

NOON = datetime(2026, 1, 2, 12, 0, 5, tzinfo=UTC)
METER = MeterId("SEN", "12345699", "68", "07")
UNKNOWN = MeterId("XYZ", "1234569A", "68", "07")
KEY = bytes(range(16))
VOLUME = bytes.fromhex("0413181E0000")
PLAIN = build(METER, VOLUME).hex()
SEALED = build(METER, VOLUME, mode=5, key=KEY).hex()


def told(line: str, given: Given | None = None, at: datetime = NOON) -> dict:
    (asked,) = read_line(line, given or Given())
    written = flat_line(answer(asked), at)
    assert written.count(b"\n") == 1
    assert written.endswith(b"\n")
    return json.loads(written, parse_float=Decimal, parse_int=Decimal)


def test_a_telegram_has_the_shape_people_know():
    line = told(PLAIN)
    assert line == {
        "_": "telegram",
        "media": "water",
        "meter": "iperl",
        "name": "",
        "id": "12345699",
        "total_m3": Decimal("7.704"),
        "timestamp": "2026-01-02T12:00:05Z",
    }
    assert (list(line)[:5], list(line)[-1]) == (["_", "media", "meter", "name", "id"], "timestamp")


def test_a_status_stands_before_the_timestamp():
    (golden, *_) = models()["kamwater"].tests
    assert list(told(golden.telegram.hex()))[-2:] == ["status", "timestamp"]


def test_a_meter_without_a_model_is_auto():
    line = told(build(UNKNOWN, VOLUME).hex())
    assert (line["meter"], line["id"], line["total_m3"]) == ("auto", "1234569a", Decimal("7.704"))


def test_the_time_of_reception_is_told_in_utc():
    at = NOON.astimezone(timezone(timedelta(hours=2)))
    assert told(PLAIN, at=at)["timestamp"] == "2026-01-02T12:00:05Z"


@pytest.mark.parametrize(
    "asked",
    [
        {"_": "decode", "telegram": PLAIN, "key": "NOKEY", "driver": "auto", "format": "wmbus"},
        {"telegram": PLAIN, "driver": "iperl"},
        {"telegram": PLAIN, "model": "IPERL"},
    ],
)
def test_questions_may_be_asked_as_there(asked):
    assert told(json.dumps(asked)) == told(PLAIN)


def test_a_named_model_counts_before_the_identity():
    assert told(PLAIN, Given(model=models()["kamwater"]))["meter"] == "kamwater"
    assert told(json.dumps({"telegram": PLAIN, "driver": "kamwater"}))["meter"] == "kamwater"


@pytest.mark.parametrize(("key", "code"), [(None, "missing_key"), (b"\xa5" * 16, "wrong_key")])
def test_a_key_that_is_missing_or_wrong_is_told_in_their_words_and_ours(key, code):
    line = told(SEALED, Given(key))
    assert list(line) == [
        "_", "media", "meter", "name", "id", "timestamp", "error", "error_analyze", "telegram",
    ]  # fmt: skip
    assert line["error"] == "decryption failed, please check key"
    assert line["error_analyze"].startswith(f"{code}: ")
    assert line["telegram"] == SEALED.upper()


def test_a_payload_nobody_reads_is_a_failed_decoding():
    stranger = bytes.fromhex(build(UNKNOWN, VOLUME, header="none").hex())
    stranger = stranger[:10] + b"\xa0" + stranger[11:]
    assert told(stranger.hex())["error"] == "decoding failed"


def test_a_cut_record_list_has_its_fields_and_a_warning():
    line = told(build(METER, VOLUME + bytes.fromhex("0413")).hex())
    assert line["total_m3"] == Decimal("7.704")
    assert "error" not in line
    assert line["warning"].startswith("telegram only partially decoded (")
    assert line["warning"].endswith(" of 23 bytes)")


@pytest.mark.parametrize(
    ("line", "document"),
    [
        ("zz", {"error": "invalid hex string in 'telegram' field", "telegram": "zz"}),
        ('{"telegram": "zz"}', {"error": "invalid hex string in 'telegram' field", "telegram": "zz"}),
        ("{}", {"error": "missing 'telegram' field in JSON input"}),
    ],
)
def test_a_line_without_a_telegram_is_told_so(line, document):
    assert told(line) == document


def test_a_telegram_whose_header_cannot_be_read_is_told_so():
    line = told("1444")
    assert line["error"] == "failed to parse telegram header"
    assert line["telegram"] == "1444"


def test_an_unknown_model_is_an_error_beside_what_the_standard_says():
    line = told(json.dumps({"telegram": PLAIN, "driver": "nosuch"}))
    assert "'nosuch' is not a meter model" in line["error"]
    assert (line["meter"], line["total_m3"]) == ("auto", Decimal("7.704"))


def test_a_key_that_is_no_key_is_told_without_repeating_it():
    line = told(json.dumps({"telegram": PLAIN, "key": "s3cret"}))
    assert "s3cret" not in json.dumps(line, default=str)
    assert line["error_analyze"].startswith("bad_key: ")
