"""Two gateways hear part of the town each, number what they hear, and publish what the contract says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from ingest.adapters.contract import read
from ingest.items import Delivery
from metering.uplink import ClockSource, FrameUplink, GatewayState, PulseUplink
from service.demo.gateways import Air, Gateway
from service.demo.radio import RECEIVERS, cut_off, strength_dbm
from service.demo.telegrams import Transmitter, pulse_total
from service.demo.town import Kind, Town

NOW = datetime(2026, 3, 30, 15, 20, tzinfo=UTC)


class Messages:
    """A link that keeps what is published."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bool]] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.sent.append((topic, payload, retain))

    def uplinks(self) -> list:
        return [
            item.said
            for topic, payload, _ in self.sent
            for item in read(Delivery(topic, payload, NOW), topic.split("/")[2])
        ]


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(7, NOW)


def pair() -> tuple[Messages, list[Gateway]]:
    link = Messages()
    return link, [Gateway(receiver, link) for receiver in RECEIVERS]


def test_each_gateway_hears_part_of_the_town_and_together_they_hear_all(town: Town):
    random = Random(1)
    heard = {
        receiver.name: {
            house.number
            for house in town.on_air
            if any(strength_dbm(receiver, house, random) is not None for _ in range(10))
        }
        for receiver in RECEIVERS
    }
    upper, lower = heard.values()
    assert upper | lower == {house.number for house in town.on_air}
    assert 30 < len(upper & lower) < 150
    assert upper - lower
    assert lower - upper


def test_the_nearer_the_stronger(town: Town):
    receiver = RECEIVERS[0]
    near = min(
        town.houses, key=lambda h: abs(h.place[0] - receiver.place[0]) + abs(h.place[1] - receiver.place[1])
    )
    random = Random(1)
    near_by = [s for _ in range(20) if (s := strength_dbm(receiver, near, random)) is not None]
    far = [
        s for h in town.houses if h.place[0] > 850 and (s := strength_dbm(receiver, h, random)) is not None
    ]
    assert min(near_by) > max(far)
    assert all(-130 < strength < 0 for strength in near_by + far)


def test_only_at_the_edge_of_hearing_frames_are_cut_off():
    frame, random = bytes(range(60)), Random(1)
    assert all(cut_off(frame, -80, random) == frame for _ in range(500))
    cut = [cut_off(frame, -94, random) for _ in range(500)]
    assert 0 < sum(received != frame for received in cut) < 50
    assert all(frame.startswith(received) and len(received) > 10 for received in cut)


def test_a_frame_arrives_as_it_was_sent_with_its_time_and_strength(town: Town):
    link, gateways = pair()
    house = next(h for h in town.houses if h.model.kind is Kind.FLOW)
    Air(town, gateways, seed=7).transmit(house, NOW - timedelta(hours=1), history=True)
    for gateway in gateways:
        gateway.publish()
    uplinks = link.uplinks()
    assert uplinks
    for uplink in uplinks:
        assert isinstance(uplink, FrameUplink)
        assert uplink.reception.heard_at == NOW - timedelta(hours=1)
        assert uplink.reception.clock is ClockSource.NTP
        assert uplink.reception.history
        assert uplink.reception.mode == "T1"
        assert uplink.reception.rssi_dbm < 0
        assert uplink.frame == Transmitter(house, 7).frame(NOW - timedelta(hours=1))


def test_in_the_history_every_transmission_is_heard_by_somebody(town: Town):
    _, gateways = pair()
    air = Air(town, gateways, seed=7)
    for house in town.on_air:
        before = sum(gateway.waiting for gateway in gateways)
        air.transmit(house, NOW, history=True)
        assert 1 <= sum(gateway.waiting for gateway in gateways) - before <= 2


def test_pulses_come_from_the_gateway_with_the_input_only(town: Town):
    link, gateways = pair()
    house = next(h for h in town.houses if h.model.kind is Kind.PULSE)
    Air(town, gateways, seed=7).transmit(house, NOW, history=False)
    for gateway in gateways:
        gateway.publish()
    [uplink] = link.uplinks()
    assert isinstance(uplink, PulseUplink)
    assert (uplink.reception.gateway, uplink.channel) == (house.gateway, house.channel)
    assert uplink.total == pulse_total(house, NOW)
    assert uplink.litres_per_pulse == house.pulse_input.litres_per_pulse


def test_items_are_numbered_without_a_gap_within_one_boot(town: Town):
    link, gateways = pair()
    air = Air(town, gateways, seed=7)
    for house in town.on_air:
        air.transmit(house, NOW, history=False)
    for gateway in gateways:
        gateway.publish()
        assert gateway.waiting == 0
    for gateway in gateways:
        numbers = [u.reception.sequence for u in link.uplinks() if u.reception.gateway == gateway.name]
        assert [seq for _, _, seq in numbers] == list(range(1, gateway.published + 1))
        assert len({boot for _, boot, _ in numbers}) == 1


def test_two_runs_are_two_boots():
    link, gateways = pair()
    again, others = pair()
    for gateway in (*gateways, *others):
        gateway.say("online", NOW)
    boots = {said.boot for said in (*link.uplinks(), *again.uplinks()) if isinstance(said, GatewayState)}
    assert len(boots) == 4
    assert all(retained for _, _, retained in link.sent)
