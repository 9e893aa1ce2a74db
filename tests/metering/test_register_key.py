"""A register's key: one stable text per register."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.errors import InvalidValue
from metering.reading import Function, Register

words = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=20)
registers = st.builds(
    Register,
    quantity=words,
    function=st.sampled_from(Function),
    storage=st.integers(0, 2**41),
    tariff=st.integers(0, 2**20),
    subunit=st.integers(0, 2**10),
    qualifiers=st.lists(words, max_size=4).map(tuple),
    occurrence=st.integers(0, 99),
)


@given(registers)
def test_a_register_reads_back_from_its_key(register):
    assert Register.parse(register.key) == register


@given(st.sets(registers, max_size=20))
def test_different_registers_have_different_keys(some):
    assert len({register.key for register in some}) == len(some)


@given(st.text())
def test_any_text_is_a_key_or_refused(text):
    with suppress(InvalidValue):
        register = Register.parse(text)
        assert Register.parse(register.key) == register


@pytest.mark.parametrize(
    ("register", "key"),
    [
        (Register("volume"), "volume"),
        (Register("volume", qualifiers=("backward",)), "volume+backward"),
        (Register("volume", storage=1), "volume/s1"),
        (Register("volume_flow", Function.MAXIMUM, 1, 2, 1, (), 1), "volume_flow:maximum/s1/t2/u1#1"),
    ],
)
def test_keys_are_stable(register, key):
    """They are stored in databases and shown in exports: changing one needs a migration."""
    assert register.key == key


@pytest.mark.parametrize("text", ["", "/s1", "volume/x1", "volume/", "volume/s", "volume:mean", "volume#x"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(InvalidValue, match="not a register key like volume"):
        Register.parse(text)
