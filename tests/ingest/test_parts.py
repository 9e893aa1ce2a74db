"""Frames in parts over LoRaWAN are put together, whatever order and batches they come in."""

from __future__ import annotations

import base64
import json
from itertools import permutations

import pytest

from ingest.items import Delivery
from ingest.pipeline import Pipeline
from ingest.routes import Options, Route, Router

ROUTER = Router([Route("app/+/up", "chirpstack", options=Options(codec="lobaro"))])


@pytest.fixture
def up(make):
    def one(counter: int, port: int, payload: bytes, address: str = "01ab23cd") -> Delivery:
        data = base64.b64encode(payload).decode()
        said = {
            "deviceInfo": {"devEui": "0102030405060708"},
            "devAddr": address,
            "fCnt": counter,
            "fPort": port,
        }
        return Delivery("app/water/up", json.dumps({**said, "data": data}).encode(), make.NOON)

    return one


def ended(store, *batches: list[Delivery]) -> list[str]:
    results = [one for batch in batches for one in Pipeline(store, router=ROUTER).accept(batch)]
    return [f"{result.outcome} {result.reason}".strip() for result in results]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_parts_in_any_order_and_any_batches_are_one_frame(store, make, see, up, *, order, together):
    frame = make.frame()
    parts = [up(7, 13, frame[:9]), up(8, 23, frame[9:15]), up(9, 33, frame[15:])]
    came = [parts[place] for place in order]
    assert ended(store, *([came] if together else [[one] for one in came])) == [
        "held incomplete",
        "held incomplete",
        "stored",
    ]
    assert [one.frame for one in see.telegrams(store)] == [frame]
    assert ended(store, came) == ["duplicate"] * 3
    with store.reading() as view:
        assert view.devices.parts([("water", "0102030405060708-01ab23cd")]) == {}


def test_parts_of_two_frames_and_of_two_sessions_are_not_mixed(store, make, see, up):
    one, two = make.frame(access=1), make.frame(access=2)
    parts = [up(1, 12, one[:9]), up(2, 22, one[9:]), up(3, 12, two[:9]), up(4, 22, two[9:])]
    strangers = [up(2, 22, b"other", "99999999"), up(6, 22, b"other")]
    assert ended(store, [*strangers, parts[3], parts[0], parts[2], parts[1]]) == [
        *["held incomplete"] * 4,
        "stored",
        "stored",
    ]
    assert {telegram.frame for telegram in see.telegrams(store)} == {one, two}


def test_a_lost_part_leaves_the_frame_incomplete(store, make, see, up):
    frame = make.frame()
    assert ended(store, [up(1, 13, frame[:9]), up(3, 33, frame[15:])]) == ["held incomplete"] * 2
    assert ended(store, [up(5, 13, frame[:9]), up(6, 33, frame[15:])]) == [
        "held incomplete",
        "quarantined truncated",
    ]
    assert see.telegrams(store) == []


def test_parts_that_hold_no_frame_are_quarantined_when_they_are_whole(store, up):
    assert ended(store, [up(1, 101, b"\x01ab"), up(2, 101, b"\x02c")]) == [
        "held incomplete",
        "quarantined bad_payload",
    ]
