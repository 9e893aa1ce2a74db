"""Requests for no telegram, as programs that drive wmbusmeters make them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from decoders.models import models
from metering.clock import FixedClock
from service.asked import Given
from service.decode_stream import DecodeStream

FLAT = DecodeStream(clock=FixedClock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))
LIST = b'{"_":"list_drivers"}'


def test_all_models_are_listed_in_one_line():
    written, good = FLAT.answer(LIST)
    assert good
    assert written.count(b"\n") == 1
    drivers = {one["name"]: one for one in json.loads(written)["drivers"]}
    assert set(drivers) == set(models())
    assert drivers["kamwater"]["type"] == "WaterMeter"
    assert drivers["kamheat"]["type"] == "HeatMeter"
    assert drivers["lansensm"]["type"] == "SmokeDetector"
    assert drivers["izarv2"]["aliases"] == list(models()["izarv2"].aliases)


def test_an_unknown_command_is_told():
    (told,) = map(json.loads, FLAT.answer(b'{"_":"dance"}')[0].splitlines())
    assert told == {"error": "unknown command, expected 'decode' or 'list_drivers'"}


@pytest.mark.parametrize("line", [b'{"_":"decode"}', b"{}", b"[1]", b"{", b'{"_":"dance","telegram":"zz"}'])
def test_other_lines_are_for_telegrams(line):
    assert "drivers" not in json.loads(FLAT.answer(line)[0])
    assert FLAT.answer(line)[0].startswith(b'{"error":"')


def test_in_our_own_form_every_line_is_a_telegram():
    assert json.loads(DecodeStream(Given()).answer(LIST)[0])["error"]["code"] == "bad_hex"
