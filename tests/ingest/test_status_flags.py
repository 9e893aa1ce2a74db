"""What a meter says of itself reaches the store: the status byte and its model's words, as a few flags."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from decoders import reading
from decoders.models import by_name, models
from ingest.registers import readings_of
from ingest.status import status_flags
from metering.ports import ArchivedTelegram, TelegramState
from metering.status import STATUS, StatusFlag, flags_of_words, names_of
from metering.uplink import Reception

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAMPLES = [(model, golden) for model in models().values() for golden in model.tests]


def golden(name, comment="every field once"):
    model = by_name(name)
    test = next(one for one in model.tests if comment in one.comment)
    return model, reading.read(test.telegram, lambda _meter: [test.key] if test.key else [], model).telegram


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("kamwater", StatusFlag.DRY | StatusFlag.LEAK | StatusFlag.TAMPER | StatusFlag.BATTERY),
        ("engelmann_faw", StatusFlag.MAGNET | StatusFlag.FAULT | StatusFlag.BATTERY),
        ("minomess", StatusFlag.BURST | StatusFlag.FAULT),
        ("gwfwater", StatusFlag.BATTERY | StatusFlag.LEAK),
        ("iwmtx5", StatusFlag.TAMPER | StatusFlag.BATTERY),
    ],
)
def test_words_of_a_model_and_the_status_byte_become_flags(name, flags):
    model, telegram = golden(name)
    assert status_flags(telegram, model) == flags


def test_words_in_a_payload_of_the_manufacturers_own_form_count_too():
    model, telegram = golden("izarv2", "first published key")
    assert status_flags(telegram, model) == StatusFlag.LEAK


def test_a_meter_without_model_has_its_status_byte():
    _, telegram = golden("kamwater")
    assert status_flags(telegram, None) == StatusFlag.BATTERY
    assert status_flags(replace(telegram, status=0), None) == StatusFlag(0)
    assert status_flags(replace(telegram, status=0x08), None) == StatusFlag.FAULT
    assert status_flags(replace(telegram, status=0xE0), None) == StatusFlag(0), "the manufacturer's own bits"


def test_a_model_that_gives_standard_bits_another_meaning_is_believed():
    model, telegram = golden("rfmamb")
    assert status_flags(replace(telegram, status=0x08), model) == StatusFlag.REMOVAL


@pytest.mark.parametrize(
    "word", ["WAS_REMOVED", "LEAK_PREV_MONTH", "P_MAGNETIC_FIELD", "FRAUD_DATE", "OK", ""]
)
def test_what_is_over_is_no_flag(word):
    assert flags_of_words([word]) == StatusFlag(0)


def test_only_telegrams_with_a_flag_get_a_reading_and_it_says_where_it_came_from():
    model, telegram = golden("kamwater")
    heard = [(Reception("roof", NOON, NOON), None)]
    archived = ArchivedTelegram(7, telegram.meter, telegram.frame, b"", TelegramState.STORED, "", NOON, heard)
    readings, _ = readings_of(telegram, archived, ZoneInfo("UTC"), model)
    (kept,) = [one for one in readings if one.register == STATUS]
    assert (kept.value, kept.unit, kept.measured_at) == (Decimal(85), "", NOON)
    assert (kept.provenance.telegram, kept.provenance.model) == (7, "kamwater")
    quiet = replace(
        telegram, status=0, records=tuple(one for one in telegram.records if "error" not in one.quantity)
    )
    others, _ = readings_of(quiet, archived, ZoneInfo("UTC"), None)
    assert STATUS not in {one.register for one in others}


@pytest.mark.parametrize(
    ("model", "test"), SAMPLES, ids=lambda one: getattr(one, "name", getattr(one, "comment", ""))
)
def test_every_model_tells_its_flags_and_twice_the_same(model, test):
    telegram = reading.read(test.telegram, lambda _meter: [test.key] if test.key else [], model).telegram
    flags = status_flags(telegram, model)
    assert status_flags(telegram, model) == flags
    assert 0 <= flags < 512


def test_a_kept_number_says_its_flags():
    assert names_of(85) == "battery tamper dry leak"
    assert names_of(0) == ""
