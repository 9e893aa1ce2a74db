"""Extended link layer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.errors import FrameError, LayerError
from decoders.wmbus import ell
from decoders.wmbus.crc import crc_little

RECEIVER = bytes.fromhex("3A63665544330A31")
SESSION = ell.session(0, 0x123456, 7)
LAYERS = {
    0x8C: bytes.fromhex("8C2075"),
    0x8D: bytes.fromhex("8D2075") + SESSION + b"\xaa\xbb",
    0x8E: bytes.fromhex("8E8075") + RECEIVER,
    0x8F: bytes.fromhex("8F8075") + RECEIVER + SESSION + b"\xaa\xbb",
}


@pytest.mark.parametrize("ci", LAYERS)
def test_fields_stand_where_the_standard_says(ci):
    data = b"\xee" * 10 + LAYERS[ci] + b"\x78"
    seen = ell.parse(data, 10)
    assert (seen.ci, seen.start, seen.end, seen.access) == (ci, 10, len(data) - 1, 0x75)
    assert seen.receiver == (RECEIVER if ci >= 0x8E else None)
    assert seen.session == (SESSION if ci in {0x8D, 0x8F} else None)
    assert seen.encryption == 0
    assert seen.synchronous == (ci in {0x8C, 0x8D})


@pytest.mark.parametrize("ci", LAYERS)
def test_a_layer_cut_short_or_with_nothing_behind_it_is_truncated(ci):
    for size in range(1, len(LAYERS[ci]) + 1):
        with pytest.raises(LayerError) as caught:
            ell.parse(LAYERS[ci][:size], 0)
        assert (caught.value.code, caught.value.offset) == ("truncated", size)


def test_ell_v_is_not_guessed():
    with pytest.raises(LayerError) as caught:
        ell.parse(bytes.fromhex("862075") + bytes(20), 0)
    assert caught.value.code == "unsupported_layer"


@given(st.integers(0, 1), st.integers(0, (1 << 25) - 1), st.integers(0, 15))
def test_session_number_places(encryption, minutes, number):
    sent = ell.session(encryption, minutes, number)
    value = int.from_bytes(sent, "little")
    assert (value >> 29, value >> 4 & 0x1FFFFFF, value & 0xF) == (encryption, minutes, number)
    assert ell.parse(bytes.fromhex("8D2075") + sent + b"\xaa\xbb\x78", 0).encryption == encryption


@pytest.mark.parametrize("encryption", range(2, 8))
def test_reserved_encryptions_are_refused(encryption):
    with pytest.raises(LayerError) as caught:
        ell.parse(bytes.fromhex("8D2075") + ell.session(encryption, 1, 1) + b"\xaa\xbb\x78", 0)
    assert (caught.value.code, caught.value.evidence) == ("unsupported_layer", {"enc": encryption})


@given(st.binary(min_size=1, max_size=60), st.integers(0, 479))
def test_payload_checksum_covers_every_byte_behind_it(payload, bit):
    data = bytes.fromhex("8D2075") + SESSION + crc_little(payload) + payload
    layer = ell.parse(data, 0)
    ell.check_payload(data, layer)
    damaged = bytearray(data)
    damaged[layer.crc_at + bit // 8 % (len(payload) + 2)] ^= 1 << bit % 8
    with pytest.raises(FrameError) as caught:
        ell.check_payload(bytes(damaged), layer)
    assert caught.value.code == "bad_crc"
