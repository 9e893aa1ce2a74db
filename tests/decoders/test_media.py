"""The device type table in words."""

from __future__ import annotations

import pytest

from decoders.media import MEDIA, medium
from metering.meter import MeterId


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("KAM-76348799-1b-16", "cold water"),
        ("SEN-12345699-68-07", "water"),
        ("SEN-12345699-68-06", "warm water"),
        ("SEN-12345699-68-22", "reserved"),
        ("SEN-12345699-68-62", "unknown"),
        ("TCH-12345699-68-62", "warm water"),
    ],
)
def test_a_device_type_has_a_name(identity, name):
    assert medium(MeterId.parse(identity)) == name


def test_every_device_type_has_some_name():
    names = {medium(MeterId("SEN", "12345699", "68", f"{code:02x}")) for code in range(256)}
    assert names == {*MEDIA.values(), "reserved"}
