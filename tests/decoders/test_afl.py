"""Authentication and fragmentation layer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.errors import LayerError
from decoders.wmbus import afl


def refused(data: bytes) -> LayerError:
    with pytest.raises(LayerError) as caught:
        afl.parse(data, 0)
    return caught.value


def test_the_oms_example():
    layer = afl.parse(b"\xee" * 13 + bytes.fromhex("900F002C25B30A000021924D4F2FB66E017A"), 13)
    assert (layer.start, layer.end) == (13, 30)
    assert (layer.fragmentation, layer.control, layer.algorithm) == (0x2C00, 0x25, 5)
    assert layer.counter == bytes.fromhex("B30A0000")
    assert layer.mac == bytes.fromhex("21924D4F2FB66E01")
    assert (layer.key_information, layer.length) == (b"", b"")


def test_what_the_mac_covers():
    layer = afl.parse(bytes.fromhex("900F002C25B30A000021924D4F2FB66E017A"), 0)
    assert layer.authenticated(b"\x7a\x75") == bytes.fromhex("25B30A00007A75")


@given(
    st.sets(st.sampled_from(["mcl", "ki", "mcr", "mac", "ml"])),
    st.sampled_from([3, 4, 5, 6, 7, 8, 9]),
    st.binary(min_size=24),
)
def test_every_combination_of_fields_is_cut_in_wire_order(there, kind, material):
    """FCL alone says which fields stand there; MCL only says how long the MAC is."""
    sizes = {"ki": 2, "mcr": 4, "mac": afl.MAC_SIZES[kind] if "mcl" in there else 0, "ml": 2}
    bits = {"mcl": 13, "ml": 12, "mcr": 11, "mac": 10, "ki": 9}
    fields, at = {}, 0
    for name, size in sizes.items():
        end = at + size * (name in there)
        fields[name], at = material[at:end], end
    control = bytes((0x20 | kind,)) * ("mcl" in there)
    body = sum(1 << bits[name] for name in there).to_bytes(2, "little") + control + b"".join(fields.values())
    layer = afl.parse(bytes((0x90, len(body))) + body + b"\x7a", 0)
    assert layer.end == len(body) + 2
    assert layer.control == (0x20 | kind if control else None)
    assert (layer.key_information, layer.counter, layer.mac, layer.length) == tuple(fields.values())


@pytest.mark.parametrize(("flags", "fragment", "more"), [(0x4001, 1, True), (0x0002, 2, False)])
def test_fragments_are_told(flags, fragment, more):
    layer = afl.parse(bytes((0x90, 2)) + flags.to_bytes(2, "little") + b"\x7a", 0)
    assert (layer.fragment, layer.more) == (fragment, more)


@pytest.mark.parametrize("length", [b"", b"\x20\x00"])
def test_the_last_fragment_has_a_code_whose_size_the_first_one_says(length):
    code = bytes(range(8))
    layer = afl.parse(afl.write(fragment=2, mac=code, length=length) + b"\x7a", 0)
    assert (layer.mac, layer.length, layer.control) == (code, length, None)


@pytest.mark.parametrize("kind", [1, 2, 10, 15])
def test_reserved_authentication_types_are_refused(kind):
    assert refused(bytes((0x90, 3, 0x00, 0x24, 0x20 | kind)) + b"\x7a").code == "unsupported_layer"


def test_fields_must_fill_the_length():
    assert refused(bytes.fromhex("9010002C25B30A000021924D4F2FB66E01007A")).code == "truncated"
    assert refused(bytes.fromhex("900E002C25B30A000021924D4F2FB66E017A")).code == "truncated"


@pytest.mark.parametrize("size", range(1, 18))
def test_a_layer_cut_short_or_with_nothing_behind_it_is_truncated(size):
    assert refused(bytes.fromhex("900F002C25B30A000021924D4F2FB66E01")[:size]).code == "truncated"


def test_encode_gives_the_oms_example():
    sent = afl.encode(bytes.fromhex("B30A0000"), bytes.fromhex("21924D4F2FB66E01"))
    assert sent.hex() == "900f002c25b30a000021924d4f2fb66e01"
