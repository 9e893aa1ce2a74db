"""Meter identities, as text and back; pulse inputs count exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.errors import InvalidValue
from metering.meter import MeterId, PulseInput

START = datetime(2026, 1, 1, tzinfo=UTC)

ids = st.builds(
    MeterId,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3),
    st.text("0123456789ABCDEF", min_size=8, max_size=8),
    st.text("0123456789abcdef", min_size=2, max_size=2),
    st.text("0123456789abcdef", min_size=2, max_size=2),
)


@given(ids)
def test_an_identity_reads_back_from_its_text_in_any_case(meter):
    assert MeterId.parse(str(meter)) == meter
    assert MeterId.parse(f" {str(meter).lower()}\n") == MeterId.parse(str(meter).upper()) == meter


@given(st.text())
def test_any_text_is_an_identity_or_refused_with_an_example(text):
    try:
        meter = MeterId.parse(text)
    except InvalidValue:
        with pytest.raises(InvalidValue, match="KAM-76348799-1b-16"):
            MeterId.parse(text)
    else:
        assert str(meter).lower() == text.strip().lower()


NO_IDENTITIES = [
    "KAM-7634879-1b-16",
    "KAM-763487990-1b-16",
    "KA-76348799-1b-16",
    "KAM-76348799-1b",
    "KAM-7634879g-1b-16",
    "KAM-76348799-1b-16-1",
    "K4M-76348799-1b-16",
    "KAM-٧٦٣٤٨٧٩٩-1b-16",
    "KAM_76348799_1b_16",
    "KAM-76348799-1b-160",
    "KAM--76348799-1b-16",
    "76348799",
]


@pytest.mark.parametrize("text", ["", "KAM 76348799 1b 16", *NO_IDENTITIES])
def test_what_is_no_identity_is_refused(text):
    with pytest.raises(InvalidValue):
        MeterId.parse(text)


def test_identities_sort_by_maker_then_serial():
    texts = ["KAM-00000002-1b-16", "KAM-00000001-1b-17", "KAM-00000001-1b-16", "ABC-99999999-ff-07"]
    assert sorted(map(MeterId.parse, texts)) == [MeterId.parse(text) for text in sorted(texts)]


def pulse_input(litres="10", count=1000, index="12.345"):
    meter = MeterId.parse("KAM-76348799-1b-16")
    return PulseInput("roof", "1", meter, Decimal(litres), count, Decimal(index), START)


def test_pulses_count_exactly():
    """Three tenths of a litre stay three tenths: 0.1 + 0.2 in binary floats would not be."""
    assert pulse_input().index_m3(1003) == Decimal("12.375")
    assert pulse_input("0.1", 0, "0").index_m3(3) == Decimal("0.0003")


@given(st.integers(0, 2**63), st.integers(0, 2**63), st.decimals("0.001", 1000, places=3))
def test_an_index_grows_with_its_count_and_never_below_the_start(start, count, litres):
    index = pulse_input(litres, start, "0").index_m3(count)
    if count < start:
        assert index is None
    else:
        assert index * 1000 == (count - start) * litres


@pytest.mark.parametrize("litres", ["0", "-1", "NaN", "Infinity"])
def test_a_pulse_weighs_something(litres):
    with pytest.raises(InvalidValue, match="pulse weight"):
        pulse_input(litres)
