"""Receivers' framings: bytes of a line -> frames and pulses. No I/O, no clock, never an error.

To add a receiver: one file with a ``look`` function, one entry in :data:`RECEIVERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway_firmware_config.agent.framings import amber, cul, hex_lines, im871a, iu891a, pulse_lines
from gateway_firmware_config.agent.framings.raw import RawTelegrams, radiocrafts_dbm
from gateway_firmware_config.agent.framings.reader import Look, Reader
from gateway_firmware_config.agent.framings.rtl_wmbus import rtl_wmbus

__all__ = ["RECEIVERS", "Reader", "Receiver"]

MakeReader = Callable[[bool | None], Reader]
"""Make a reader; told whether the signal strength is appended: yes, no, ``None`` = not said."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One kind of receiver.

    Attributes:
        title: for people.
        baud: usual speed of its line.
        reader: makes a reader for one connection.
        ask: makes it say what it is, if it can.
        reset: makes it start anew, if it can.
        set_mode: radio mode -> what makes it listen to that, where the agent sets it.
        mode: radio mode it hears if nobody says another.
    """

    title: str
    baud: int
    reader: MakeReader
    ask: bytes = b""
    reset: bytes = b""
    set_mode: Mapping[str, bytes] = field(default_factory=dict)
    mode: str | None = None


def _plain(look: Look) -> MakeReader:
    return lambda _rssi: Reader(look)


def _raw(dbm: Callable[[int], int]) -> MakeReader:
    def make(rssi: bool | None) -> Reader:  # noqa: FBT001  three-valued: yes, no, not said
        telegrams = RawTelegrams(rssi=rssi, dbm=dbm)
        return Reader(telegrams.look, telegrams.last)

    return make


def _amber(rssi: bool | None) -> Reader:  # noqa: FBT001  three-valued: yes, no, not said
    return Reader(amber.command_mode(rssi=rssi is not False))


RECEIVERS: Mapping[str, Receiver] = {
    "im871a": Receiver("IMST iM871A", 57600, _plain(im871a.look), ask=im871a.ASK, reset=im871a.RESET),
    "iu891a": Receiver("IMST iU891A", 115200, _plain(iu891a.look), ask=iu891a.ASK),
    "amber": Receiver("Amber, command mode", 9600, _amber, ask=amber.ASK, reset=amber.RESET),
    "amber-transparent": Receiver("Amber, transparent mode", 9600, _raw(amber.rssi_dbm)),
    "cul": Receiver("CUL", 38400, _plain(cul.look), ask=cul.ASK, set_mode=cul.SET_MODE, mode="T1"),
    "rc1180": Receiver("Radiocrafts RC1180", 19200, _raw(radiocrafts_dbm)),
    "hex": Receiver("lines of hexadecimal digits", 115200, _plain(hex_lines.look)),
    "rtl-wmbus": Receiver("rtl_wmbus", 115200, lambda _rssi: Reader(rtl_wmbus())),
    "pulses": Receiver("pulse board", 9600, _plain(pulse_lines.look)),
}
"""Name in the settings -> kind of receiver."""
