"""A telegram explained to people."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from decoders.build import build
from metering.meter import MeterId
from service.asked import Given, read_line
from service.decode_lines import answer
from service.explain import explain

METER = MeterId.parse("SEN-12345699-68-07")
KEY = bytes(range(16))
VOLUME = bytes.fromhex("0413181E0000")


def explained(line: str, key: bytes | None = None, **kind) -> str:
    out = io.StringIO()
    console = Console(file=out, width=80, highlight=False, markup=False, emoji=False, **kind)
    for asked in read_line(line, Given(key)):
        explain(answer(asked), console)
    return out.getvalue()


def test_every_byte_of_a_plain_telegram_is_shown():
    frame = build(METER, VOLUME, access=1, mode=0)
    shown = "".join(line[5:28] for line in explained(frame.hex()).splitlines() if line[:4].strip().isdigit())
    assert bytes.fromhex(shown) == frame


def test_the_head_names_meter_medium_and_protection_and_the_end_the_fields():
    text = explained(build(METER, VOLUME, access=1, mode=5, key=KEY).hex(), KEY)
    assert text.startswith(
        "SEN-12345699-68-07  water  model iperl  security mode 5, decrypted with the key\n"
    )
    assert text.splitlines()[-1].split() == ["total_m3", "7.704", "m³"]
    assert KEY.hex() not in text.replace(" ", "")


def test_data_say_which_field_they_are_and_all_bytes_are_counted():
    text = explained(build(METER, VOLUME + bytes.fromhex("0F0102"), access=1).hex())
    assert "7.704 m3 = total_m3" in text
    assert "24 bytes: 22 understood, 2 not understood (?)" in text


def test_without_a_key_the_code_and_its_place_are_told():
    text = explained(build(METER, VOLUME, access=1, mode=5, key=KEY).hex())
    assert "security mode 5, not decrypted" in text
    assert text.splitlines()[-1].startswith("missing_key: ") or "missing_key: " in text


@pytest.mark.parametrize("size", [1, 20, 100])
def test_nothing_is_wider_than_80_columns(size):
    payload = VOLUME + bytes((0x0F,)) + bytes(range(size))
    for line in explained(build(METER, payload, access=1, mode=0).hex()).splitlines():
        assert len(line) <= 80


def test_a_pipe_gets_no_colours_and_a_terminal_with_no_color_neither(monkeypatch):
    frame = build(METER, VOLUME, access=1, mode=0).hex()
    assert "\x1b" not in explained(frame)
    assert "\x1b[" in explained(frame, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in explained(frame, force_terminal=True)


def test_text_from_a_meter_cannot_steer_the_terminal():
    text = bytes.fromhex("0DFD0C04") + b"\x1b[2J"[::-1]
    shown = explained(build(METER, VOLUME + text, access=1, mode=0).hex())
    assert "\x1b" not in shown


def test_a_line_without_a_telegram_says_so():
    assert explained("zz").startswith("bad_hex: 'zz' is not a telegram in hexadecimal")
