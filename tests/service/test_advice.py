"""What ``nurt decode --why-not`` says of telegrams that fail; of one that does not it says nothing."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from decoders.build import build
from decoders.models import models
from metering.meter import MeterId
from service.advice import json_advice, text_advice
from service.asked import Given, read_line
from service.decode_lines import answer

METER = MeterId("SEN", "12345699", "68", "07")
KEY = bytes(range(16))
VOLUME = bytes.fromhex("0413181E0000")
PLAIN = build(METER, VOLUME)
SEALED = build(METER, VOLUME, mode=5, key=KEY)
RADIO4 = models()["mkradio4"].tests[0].telegram


def advised(line: str, given: Given | None = None) -> dict:
    (asked,) = read_line(line, given or Given())
    return json.loads(json_advice(answer(asked)))


def names(line: str, given: Given | None = None) -> list[str]:
    return [one["name"] for one in advised(line, given)["advice"]]


def test_the_answer_has_meter_error_and_advice():
    told = advised(SEALED.hex())
    assert list(told) == ["meter_id", "error", "advice"]
    assert (told["meter_id"], told["error"]["code"]) == (str(METER), "missing_key")
    assert told["advice"][0] == {
        "name": "key_missing",
        "sentence": told["advice"][0]["sentence"],
        "evidence": {"meter": str(METER)},
    }


@pytest.mark.parametrize(
    ("line", "given", "name"),
    [
        (SEALED.hex(), Given(KEY[::-1]), "key_reversed"),
        (SEALED.hex(), Given(b"\xa5" * 16), "key_wrong"),
        (PLAIN[:-3].hex(), None, "truncated_by_receiver"),
        ("00" * 3 + PLAIN.hex(), None, "begins_later"),
        ("zz", None, "not_hexadecimal"),
        (json.dumps({"telegram": PLAIN.hex(), "model": "nosuch"}), None, "model_wrong"),
    ],
)
def test_what_to_try_is_named(line, given, name):
    assert name in names(line, given)


def test_a_model_that_reads_the_payload_of_a_meter_nobody_knows_is_named():
    """Version ff is no version of these meters; the form of the payload is."""
    stranger = RADIO4[:8] + b"\xff" + RADIO4[9:]
    (advice,) = [one for one in advised(stranger.hex())["advice"] if one["name"] == "another_model_fits"]
    assert "mkradio4" in advice["evidence"]["models"].split()
    assert "another_model_fits" not in names(RADIO4.hex())


def test_of_a_telegram_that_decodes_there_is_nothing_to_say():
    assert advised(PLAIN.hex()) == {"meter_id": str(METER), "error": None, "advice": []}


def test_no_key_is_repeated():
    for key in (KEY[::-1], b"\xa5" * 16):
        (asked,) = read_line(SEALED.hex(), Given(key))
        assert key.hex() not in json_advice(answer(asked)).decode().lower()


@pytest.mark.parametrize(("line", "said"), [(PLAIN.hex(), "nothing to try"), (SEALED.hex(), "[key_missing]")])
def test_text_is_for_people(line, said):
    out = io.StringIO()
    (asked,) = read_line(line)
    Console(file=out, width=80, markup=False).print(text_advice(answer(asked)))
    assert str(METER) in out.getvalue()
    assert said in out.getvalue()
