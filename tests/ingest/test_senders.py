"""Who sent a frame is told without reading all its headers, and is what reading them tells."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from decoders.decode import peek_frame
from decoders.errors import DecodeError
from decoders.wmbus.link import Frame
from ingest.senders import addresses

LINK = bytes.fromhex("2e 44 93 15 78 56 34 12 33 03")
DIEHL = bytes.fromhex("2e 44 a5 11 78 56 34 12 33 03")
LONG = bytes.fromhex("72 21 43 65 87 2d 2c 35 08 01 00 00 00")
SHORT = bytes.fromhex("7a 01 00 10 25")
ELL = bytes.fromhex("8c 20 01")
REST = bytes.fromhex("2f2f 0413 7856 3412")


def told(reader, frame):
    """What a reader tells of a frame: addresses, or that it can tell none."""
    try:
        said = reader(frame)
    except DecodeError as wrong:
        return wrong.code
    return said if isinstance(said, tuple) else (said.meter, said.sender)


upper = st.one_of(
    st.sampled_from([SHORT, LONG, ELL + SHORT, ELL + LONG, ELL + ELL, b"\x90\x0f"]),
    st.binary(max_size=20),
    st.builds(lambda ci, rest: bytes([ci]) + rest, st.integers(0, 255), st.binary(max_size=24)),
    st.builds(lambda ci, rest: ELL + bytes([ci]) + rest, st.integers(0, 255), st.binary(max_size=24)),
)


@given(st.one_of(st.sampled_from([LINK, DIEHL]), st.binary(min_size=10, max_size=10)), upper, st.booleans())
@example(LINK, LONG + REST, False)
@example(LINK, ELL + LONG + REST, False)
@example(LINK, LONG[:5] + b"\x00\x00" + LONG[7:] + REST, False)
@example(LINK, LONG[:12], False)
@example(DIEHL, SHORT + REST, False)
@settings(max_examples=800, deadline=None)
def test_the_addresses_are_those_the_headers_tell(link, rest, wired):
    frame = Frame(link + rest, wired=wired and len(link + rest) > 12)
    assert told(addresses, frame) == told(peek_frame, frame)


def test_a_meter_behind_a_radio_adapter_is_told_from_it():
    meter, sender = addresses(Frame(LINK + LONG + REST))
    assert str(meter) == "KAM-87654321-35-08"
    assert sender.serial == "12345678"
