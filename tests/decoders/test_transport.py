"""Transport headers and the configuration field."""

import pytest

from decoders.errors import LayerError
from decoders.wmbus import transport
from decoders.wmbus.transport import TransportHeader

METER = bytes.fromhex("9315785634123303")
ON_WIRE = "7856341293153303"


def parse(hexed: str) -> TransportHeader:
    return transport.parse(bytes.fromhex(hexed), 0)


def test_no_header():
    assert parse("78 2F2F") == TransportHeader(0x78, 0, 1)


def test_short_header_of_the_oms_example():
    header = parse("7A 2A 00 2025 59")
    assert header == TransportHeader(0x7A, 0, 5, None, 0x2A, 0x00, 0x2520)
    assert (header.mode, header.blocks) == (transport.AES_CBC, 2)


def test_long_header_names_the_meter():
    header = parse(f"72 {ON_WIRE} 75 04 2007 10 90")
    assert header.address == METER
    assert (header.access, header.status, header.end) == (0x75, 0x04, 14)


def test_mode_7_has_one_byte_of_extension():
    header = parse("7A 75 00 2007 10 90")
    assert (header.mode, header.blocks, header.extension, header.derivation) == (
        7,
        2,
        b"\x10",
        transport.KDF_A,
    )
    assert (header.counter, header.key_version, header.end) == (b"", None, 6)


def test_mode_7_with_counter_and_key_version_in_the_header():
    """Z (bit 13) brings the counter, V (bit 6 of the extension) the key version after it."""
    header = parse("7A 75 00 2027 50 B30A0000 09 90")
    assert (header.counter, header.key_version, header.end) == (bytes.fromhex("B30A0000"), 9, 11)


def test_mode_10_has_two_bytes_of_extension_and_the_key_version_before_the_counter():
    header = parse("7A 30 10 FF2A 5001 09 8C570E00 6D")
    assert (header.mode, header.extension) == (10, bytes.fromhex("5001"))
    assert (header.counter, header.key_version, header.end) == (bytes.fromhex("8C570E00"), 9, 12)


def test_bit_13_is_no_counter_in_modes_0_and_5():
    assert parse("7A 2A 00 0020 59").end == parse("7A 2A 00 2025 59").end == 5


@pytest.mark.parametrize(
    "hexed",
    [
        "7A 2A 00 2025",
        f"72 {ON_WIRE} 75 04 2025",
        "7A 75 00 2027 50 B30A0000 09",
        "7A 30 10 FF2A 5001 09 8C570E00",
    ],
)
def test_a_header_cut_short_is_truncated_and_a_whole_one_is_not(hexed):
    whole = bytes.fromhex(hexed)
    assert transport.parse(whole, 0).end == len(whole)
    for size in range(1, len(whole)):
        with pytest.raises(LayerError) as caught:
            transport.parse(whole[:size], 0)
        assert (caught.value.code, caught.value.offset) == ("truncated", size)
