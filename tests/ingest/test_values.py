"""Values decoded before they reached us become readings of the meter behind the device."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingest.items import Delivery
from ingest.pipeline import Pipeline
from ingest.routes import Options, Route, Router
from metering.device import ANY_GATEWAY, Device
from metering.reading import Quality, Register, Way

DAY = timedelta(days=1)


@pytest.fixture
def outcomes(store, make):
    """Accept wmbusmeters JSON or rows of a field map; how each ended."""
    from ingest.adapters.mapping import FieldMap, FieldValue

    fields = FieldMap(device="id", time="t", values=(FieldValue("v", "volume", "L"),))
    router = Router([Route("w/+", "wmbusmeters"), Route("f/+", "field_map", options=Options(fields=fields))])

    def accept(text: str, topic: str = "w/gw1", at: datetime = make.NOON) -> list[str]:
        results = Pipeline(store, router=router).accept([Delivery(topic, text.encode(), at)])
        return [f"{result.outcome} {result.reason}".strip() for result in results]

    return accept


@pytest.fixture
def known(store, make):
    with store.writing() as transaction:
        transaction.devices.put(
            [Device(ANY_GATEWAY, "12345678", make.meter(), make.NOON - DAY, make.NOON + DAY)]
        )


def telegram(time: str = "2026-03-02T11:59:30Z", **more: str) -> str:
    extra = "".join(f', "{key}": {value}' for key, value in more.items())
    return (
        f'{{"media": "x", "meter": "y", "id": "12345678", "total_m3": 7.710, "timestamp": "{time}"{extra}}}'
    )


@pytest.mark.usefixtures("known")
def test_a_value_becomes_an_exact_reading_with_its_way_and_time(store, make, see, outcomes):
    assert outcomes(telegram()) == ["stored"]
    with store.reading() as view:
        [reading] = view.readings.latest(make.meter())
    assert (reading.value, reading.unit, reading.way) == (Decimal("7.71"), "m3", Way.DECODED)
    assert reading.measured_at == make.NOON - timedelta(seconds=30)
    assert (reading.quality, reading.provenance.gateway) == (Quality.RAW, "gw1")
    with store.reading() as view:
        assert view.registry.details_of(make.meter())[0].last_heard == reading.measured_at
    assert see.account(store)["gw1"][0] == 1


@pytest.mark.usefixtures("known")
def test_the_same_telegram_decoded_by_two_gateways_is_one_reading(store, make, see, outcomes):
    assert outcomes(telegram(), "w/one") == outcomes(telegram(), "w/two") == ["stored"]
    assert len(see.volumes(store, make.meter())) == 1


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("said", "utc"),
    [
        ("2026-02-01", datetime(2026, 1, 31, 23, tzinfo=UTC)),
        ("2025-08-01", datetime(2025, 7, 31, 22, tzinfo=UTC)),
    ],
)
def test_a_local_date_is_taken_in_the_utility_s_zone(store, make, outcomes, said, utc):
    assert outcomes(telegram(target_m3="7", target_date=f'"{said}"')) == ["stored"]
    with store.reading() as view:
        due = view.readings.series(make.meter(), Register("volume", storage=1), utc, utc + DAY)
    assert [one.measured_at for one in due] == [utc]


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("said", ["2026-03-04", "1979-12-31", "9999-12-31", "0001-01-01"])
def test_an_item_with_a_date_that_cannot_be_is_quarantined_whole(store, make, see, outcomes, said):
    assert outcomes(telegram(target_m3="7", target_date=f'"{said}"')) == ["quarantined bad_time"]
    assert see.volumes(store, make.meter()) == []


def test_a_device_nobody_registered_is_foreign(store, make, see, outcomes):
    assert outcomes(telegram()) == ["foreign"]
    assert see.volumes(store, make.meter()) == []


@pytest.mark.usefixtures("known")
def test_a_device_counts_for_its_meter_only_while_it_does(outcomes, make):
    assert outcomes(telegram("2026-02-20T00:00:00Z")) == ["foreign"]
    assert outcomes(telegram("2026-03-09T00:00:00Z"), at=make.NOON + 7 * DAY) == ["foreign"]


def test_a_device_that_says_an_identity_needs_no_mapping_but_a_registered_meter(store, make, see, outcomes):
    rows = [
        f'{{"id": "{make.meter(serial)}", "v": 7710, "t": "2026-03-01T12:00:00Z"}}'
        for serial in (12345678, 9)
    ]
    assert outcomes(f"[{', '.join(rows)}]", "f/plant") == ["stored", "foreign"]
    assert see.volumes(store, make.meter()) == [(make.NOON - DAY, Decimal("7.71"))]


def test_twelve_values_of_their_own_dates_are_twelve_readings_in_any_order(store, make, see, outcomes):
    rows = [
        f'{{"id": "{make.meter()}", "v": {month}, "t": "2025-{month:02}-01T00:00:00Z"}}'
        for month in range(1, 13)
    ]
    for row in reversed(rows):
        assert outcomes(row, "f/plant") == ["stored"]
    assert outcomes(f"[{', '.join(rows)}]", "f/plant") == ["stored"] * 12
    assert [value for _, value in see.volumes(store, make.meter())] == [
        Decimal(m).scaleb(-3) for m in range(1, 13)
    ]
