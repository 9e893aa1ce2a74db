"""CRC-16/EN-13757."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.wmbus.crc import crc16, crc_big, crc_little


def bit_by_bit(data: bytes) -> int:
    """The definition: polynomial 3D65, initial 0000, not reflected, final XOR FFFF."""
    remainder = 0
    for byte in data:
        remainder ^= byte << 8
        for _ in range(8):
            remainder = (remainder << 1 ^ 0x3D65 if remainder & 0x8000 else remainder << 1) & 0xFFFF
    return remainder ^ 0xFFFF


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"123456789", 0xC2B7), (b"", 0xFFFF), (bytes.fromhex("0C740C740C740C740C74"), 0x64E5)],
)
def test_published_check_values(data, expected):
    assert crc16(data) == expected


@given(st.binary(max_size=600))
def test_equals_the_bitwise_definition(data):
    assert crc16(data) == bit_by_bit(data)


def test_byte_orders():
    assert crc_big(b"123456789") == b"\xc2\xb7"
    assert crc_little(b"123456789") == b"\xb7\xc2"


def test_first_block_of_an_oms_example():
    """OMS Annex N.2.1: the first ten bytes and the checksum that follows them on air."""
    assert crc_big(bytes.fromhex("2E449315785634123303")) == bytes.fromhex("3363")
