"""A meter on two wires, on a pseudo-terminal if asked for: answers as the standard says."""

from __future__ import annotations

import os
import select
import threading

from gateway_firmware_config.agent.wired import frames
from metering.meter import MeterId

METER = MeterId("KAM", "12345678", "1b", "16")
ADDRESS = bytes.fromhex("78563412") + bytes.fromhex("2d2c") + bytes.fromhex("1b16")


def answer(records: bytes, access: int = 1) -> bytes:
    content = bytes((0x08, 0x01, 0x72)) + ADDRESS + bytes((access, 0, 0, 0)) + records
    return b"\x68" + bytes((len(content),)) * 2 + b"\x68" + content + bytes((sum(content) & 255, 0x16))


VOLUME = bytes.fromhex("041339300000")
LAST = answer(VOLUME)
MORE = answer(VOLUME + b"\x1f")


class Bus:
    """A meter on the wire: answers as the standard says, loses every answer a test wants lost."""

    def __init__(self, telegrams: list[bytes], lost: int = 0) -> None:
        self.telegrams = telegrams
        self.lost = lost
        self.asked: list[bytes] = []
        self._selected = False
        self._at = -1
        self._odd: bool | None = None

    def reply(self, question: bytes) -> bytes | None:
        self.asked.append(question)
        said = self._say(question)
        if said is not None and self.lost:
            self.lost -= 1
            return None
        return said

    def _say(self, question: bytes) -> bytes | None:
        if question == frames.reset(frames.BY_SELECTION):
            self._selected = False
            return None
        if question == frames.select(METER):
            self._selected, self._at, self._odd = True, -1, None
            return frames.ACKNOWLEDGE
        if question[1] & ~0x20 == 0x5B and self._selected:
            odd = bool(question[1] & 0x20)
            if odd != self._odd:
                self._at, self._odd = (self._at + 1) % len(self.telegrams), odd
            return self.telegrams[self._at]
        return None


def serve(bus: Bus, master: int, port: int, ended: threading.Event) -> None:
    """Answer on a pseudo-terminal until the end, byte by byte."""
    buffer = b""
    while not ended.is_set():
        if not select.select([master], [], [], 0.05)[0]:
            continue
        buffer += os.read(master, 100)
        size = 5 if buffer[0] == 0x10 else buffer[1] + 6 if len(buffer) > 1 else 100
        if len(buffer) >= size:
            question, buffer = buffer[:size], buffer[size:]
            for byte in bus.reply(question) or b"":
                os.write(master, bytes((byte,)))
    os.close(master)
    os.close(port)
