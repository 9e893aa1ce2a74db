"""What every store promises about registers as columns, and about districts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from metering.districts import DistrictHour, DistrictMeter
from metering.errors import InvalidValue
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.reading import Provenance, Quality, Reading, Register, Way

METER, OTHER, BORDER = (MeterId("KAM", f"0000000{number}", "1b", "16") for number in range(3))
VOLUME, FLOW = Register("volume"), Register("volume_flow")
HOUR = timedelta(hours=1)


def reading(make, at, value, *, register=VOLUME, unit="m3", gateway="roof", late=0):
    moment = make.at(at)
    source = Provenance(None, gateway, None, "1")
    came = moment + timedelta(seconds=late, microseconds=250)
    return Reading(METER, register, Decimal(value), unit, moment, came, Way.RADIO, Quality.RAW, source)


def test_a_register_comes_as_columns_by_time_then_value_in_the_unit_asked_for(store, make):
    told = [
        reading(make, 7200, "12.5", gateway="cellar", late=60),
        reading(make, 3600, "10"),
        reading(make, 3600, "9"),
        reading(make, 10_800, "400", unit="gal"),
        reading(make, 3600, "0.2", register=FLOW, unit="m3/h"),
    ]
    with store.writing() as tx:
        tx.readings.add(told)
        found = tx.columns.of(METER, VOLUME, "m3", make.at(0), make.at(20_000))
        early = tx.columns.of(METER, VOLUME, "m3", make.at(0), make.at(7200))
        assert tx.columns.registers([METER, OTHER]) == {METER: {VOLUME, FLOW}}
        assert len(tx.columns.of(OTHER, VOLUME, "m3", make.at(0), make.at(20_000))) == 0
        assert len(tx.columns.of(METER, Register("energy"), "Wh", make.at(0), make.at(20_000))) == 0
    seconds = [int(make.at(at).timestamp()) for at in (3600, 3600, 7200)]
    assert found.at.tolist() == seconds
    assert found.value.tolist() == [9.0, 10.0, 12.5], "by number, not by text"
    assert found.arrived.tolist()[2] == seconds[2] * 1_000_000 + 60_000_250
    assert found.telegram.tolist() == [-1, -1, -1]
    assert [found.gateways[place] for place in found.gateway.tolist()] == ["roof", "roof", "cellar"]
    assert len(early) == 2, "the end is exclusive"


def test_a_digest_changes_when_something_comes_goes_or_is_mended_and_else_not(store, make):
    def digest(tx):
        return tx.columns.digests([METER, OTHER], [VOLUME, FLOW], make.at(0), make.at(20_000)).get(METER)

    first, late, more = (
        reading(make, 3600, "10.5"),
        reading(make, 1800, "10", late=9000),
        reading(make, 7200, "11"),
    )
    mended = reading(make, 3600, "10.4")
    seen = []
    with store.writing() as tx:
        assert digest(tx) is None
        for add, remove in (([first], []), ([more], []), ([late], []), ([mended], [first]), ([], [mended])):
            tx.readings.remove(remove)
            tx.readings.add(add)
            seen.append(digest(tx))
            assert digest(tx) == seen[-1]
    assert len({one.text for one in seen}) == len(seen)
    assert [one.values for one in seen] == [1, 2, 3, 3, 2]
    assert seen[2].until == make.at(7200)
    assert seen[2].arrived == late.received_at


def test_meters_at_borders_are_recorded_once_and_are_no_members(store, make):
    into = DistrictMeter("north", BORDER, 1, VOLUME, make.at(0))
    with store.writing() as tx:
        tx.registry.put_meters([Meter(METER), Meter(OTHER), Meter(BORDER)])
        tx.registry.put_service_points(
            [ServicePoint("A", district="north"), ServicePoint("B", district="south")]
        )
        tx.registry.put_installations(
            [
                Installation(METER, "A", make.at(0), make.at(60)),
                Installation(METER, "B", make.at(60)),
                Installation(OTHER, "A", make.at(60)),
                Installation(BORDER, "A", make.at(0)),
            ]
        )
        tx.districts.put_meters([into])
        tx.districts.put_meters([into, DistrictMeter("south", BORDER, -1, VOLUME, make.at(0), make.at(9))])
        assert list(tx.districts.meters()) == ["north", "south"]
        assert tx.districts.meters()["north"] == [into]
        members = {(one.meter, one.valid_to) for one in tx.districts.members("north")}
        assert members == {(METER, make.at(60)), (OTHER, None)}
        assert (tx.districts.customers("north"), tx.districts.customers("south")) == (2, 1)
        assert tx.districts.remove_meters("south") == 1
        assert tx.districts.remove_meters("south") == 0


def test_hours_are_replaced_and_told_by_time(store, make):
    hours = [DistrictHour("north", make.at(0) + HOUR * place, 10.0 * place, 1.5, 2, 3) for place in range(3)]
    unknown = DistrictHour("north", make.at(0) + HOUR, None, 1.0, 1, 3)
    with store.writing() as tx:
        assert tx.districts.newest("north") is None
        tx.districts.put_hours(hours)
        tx.districts.put_hours([unknown])
        assert tx.districts.hours("north", make.at(0), make.at(0) + 2 * HOUR) == [hours[0], unknown]
        assert tx.districts.newest("north") == make.at(0) + 2 * HOUR


@pytest.mark.parametrize(("name", "sign", "until"), [("n", 2, None), (" ", 1, None), ("n", 1, 0)])
def test_a_border_meter_that_cannot_be_is_refused(make, name, sign, until):
    with pytest.raises(InvalidValue):
        DistrictMeter(name, BORDER, sign, VOLUME, make.at(0), None if until is None else make.at(until))
