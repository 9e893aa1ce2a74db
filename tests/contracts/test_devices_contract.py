"""What every store promises about devices behind gateways."""

from __future__ import annotations

from metering.device import ANY_GATEWAY, Device, PulseReset, PulseState
from metering.uplink import PartUplink, Reception

EUI = "0102030405060708"


def test_devices_are_found_by_gateway_and_name_and_replaced_by_start(store, make):
    """A device of any gateway is found under each; one of this gateway comes first."""
    anywhere = Device(ANY_GATEWAY, EUI, make.meter, make.at(0))
    here = Device("water", "A-17", make.other, make.at(5), make.at(9))
    with store.writing() as tx:
        tx.devices.put([anywhere, here, Device("water", "A-17", make.meter, make.at(1))])
        tx.devices.put([Device("water", "A-17", make.other, make.at(1))])
    asked = [("water", EUI), ("roof", EUI), ("water", "a-17"), ("roof", "a-17")]
    with store.reading() as tx:
        found = {pair: list(those) for pair, those in tx.devices.named(asked).items()}
        assert dict(tx.devices.named([])) == {}
    first = Device("water", "A-17", make.other, make.at(1))
    assert found == {("water", EUI): [anywhere], ("roof", EUI): [anywhere], ("water", "a-17"): [first, here]}


def test_what_a_pulse_input_said_last_is_remembered(store, make):
    old, new = PulseState(7, make.at(0)), PulseState(3, make.at(1), (PulseReset(make.at(1), 3, 4),))
    with store.writing() as tx:
        tx.devices.put_pulse_states({("roof", "1"): old, ("roof", "2"): old})
        tx.devices.put_pulse_states({("roof", "1"): new})
        tx.devices.put_pulse_states({("roof", "1"): new})
        tx.devices.put_pulse_states({})
    with store.reading() as tx:
        found = tx.devices.pulse_states([("roof", "1"), ("roof", "2"), ("roof", "3")])
    assert dict(found) == {("roof", "1"): new, ("roof", "2"): old}


def test_parts_wait_in_the_order_of_their_numbers_until_they_are_dropped(store, make):
    def part(seq, boot="b1"):
        heard = Reception("water", make.at(0), make.at(1), boot=boot, seq=seq)
        return PartUplink(heard, seq == 1, seq == 3, "lobaro0", bytes([seq]))

    with store.writing() as tx:
        tx.devices.keep_parts([part(2), part(1), part(3, "b2")])
        tx.devices.keep_parts([part(2)])
    with store.reading() as tx:
        found = {pair: list(those) for pair, those in tx.devices.parts([("water", "b1")]).items()}
    assert found == {("water", "b1"): [part(1), part(2)]}
    with store.writing() as tx:
        tx.devices.drop_parts([part(1), part(2)])
    with store.reading() as tx:
        assert list(tx.devices.parts([("water", "b1"), ("water", "b2")])) == [("water", "b2")]
