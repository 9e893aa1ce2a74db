"""What headers tell of payloads of the manufacturer's own is what decoding knows when it refuses them."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, decode
from decoders.build import build
from decoders.decoder import Decoder
from decoders.own_payload import own_payload
from decoders.quick_records import quick_record, quick_telegram
from decoders.telegram import Record, Telegram
from decoders.wmbus.address import wire
from decoders.wmbus.link import CONTROL, normalise
from metering.meter import MeterId

MAKES = ["SEN-12345699-68-07", "SAP-20E4FFDE-00-07", "DME-20481979-78-07", "TCH-62560642-50-72"]
OWN = range(0xA0, 0xB8)


def frame_of(control: int, make: str, ci: int, payload: bytes) -> bytes:
    rest = bytes((control,)) + wire(MeterId.parse(make)) + bytes((ci,)) + payload
    return bytes((len(rest),)) + rest


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([0x44, 0x46, 0x08, 0xC4, *CONTROL]),
    st.sampled_from(MAKES),
    st.sampled_from(OWN) | st.sampled_from([0x71, 0x72, 0x78, 0x7A, 0x8C]),
    st.binary(max_size=40),
)
def test_it_is_the_telegram_decoding_knows_when_it_refuses_the_payload(control, make, ci, payload):
    raw = frame_of(control, make, ci, payload)
    try:
        frame = normalise(raw)
    except DecodeError:
        return
    told = own_payload(frame)
    decoder = Decoder()
    fit = decoder.fit_own(raw)
    assert told == (fit and fit[0].telegram(*fit[1:]))
    assert decoder.fit(raw) == fit
    if told is None:
        assert ci not in OWN or not CONTROL[control & 0x7F].from_meter
        return
    with pytest.raises(DecodeError) as caught:
        decoder.decode(raw)
    assert caught.value.code == "manufacturer_specific"
    assert caught.value.known == told


def test_a_frame_that_ends_before_its_ci_field_has_no_payload():
    whole = frame_of(0x44, MAKES[0], 0xA0, b"")
    assert own_payload(normalise(whole)) is not None
    assert own_payload(normalise(b"\x09" + whole[1:10])) is None


def test_what_is_made_quickly_is_like_any_other():
    telegram = decode(build(MeterId.parse(MAKES[0]), bytes.fromhex("0413181E0000")))
    for example, kind, make in (
        (telegram.records[0], Record, quick_record),
        (telegram, Telegram, quick_telegram),
    ):
        values = [getattr(example, one.name) for one in fields(kind)]
        made, other = make(*values), kind(*values)
        assert type(made) is kind
        assert (made, hash(made), repr(made)) == (other, hash(other), repr(other))
        with pytest.raises(AttributeError):
            setattr(made, fields(kind)[0].name, None)
