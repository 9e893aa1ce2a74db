"""Memory over millions of varied telegrams: what a stream remembers is bounded, so it stays flat.

    python tests/campaigns/soak_decode.py --telegrams 10000000 --seed 1

Of a hundred telegrams forty are fuzzing seeds in clear with another meter's number, forty-five are built of
records chosen by chance with values of chance, three are sealed in mode 5, ten are seeds as they are, two are
spoilt. Both forms of output take turns. Prints what the process holds (RSS) at each tenth.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from fuzz_decode import Seed, mutated, seeds

from decoders.build import build
from metering.clock import SystemClock
from metering.meter import MeterId
from service.decode_stream import DecodeStream

HEADERS = {"0413": 4, "0C13": 4, "0B3B": 3, "426C": 2, "4413": 4, "025A": 2, "0406": 4, "02FD17": 2, "046D": 4, "0D7806": 6}  # fmt: skip  # noqa: E501  one table
"""Headers with their LVAR, and bytes of data."""
KEY = bytes(range(16))
LAYOUTS = 400
"""More than a town's meters have; one built telegram in ten thousand has one nobody had before."""
MAKES = ("SEN-68-07", "KAM-1b-16", "ZRI-88-07", "XYZ-01-04", "ABC-33-08")
_ANY = MeterId("XYZ", "00000000", "00", "00")
_PAYLOAD_AT = 15
_MB = 1 << 20
_PAGE = resource.getpagesize()


def resident() -> int:
    """Give the bytes of memory the process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def line_of(frame: bytes, key: bytes | None) -> bytes:
    return b'{"telegram": "%b", "key": "%b"}' % (frame.hex().encode(), key.hex().encode() if key else b"")


def number(dice: random.Random) -> bytes:
    """Make up a meter's number as it stands in a frame."""
    return bytes.fromhex(f"{dice.randrange(10**8):08}")


def renumbered(dice: random.Random, seed: Seed) -> bytes:
    """Give a seed as another meter of its kind would send it."""
    frame = bytearray(seed[0])
    if len(frame) > 8 and frame[0] != 0x68:
        frame[4:8] = number(dice)
    return bytes(frame)


class Kind(NamedTuple):
    """Telegrams of one layout: an example, and where its data stand."""

    frame: bytes
    data: Sequence[slice]


def kind_of(dice: random.Random) -> Kind:
    maker, version, device_type = dice.choice(MAKES).split("-")
    meter = MeterId(maker, "00000000", version, device_type)
    chosen = [bytes.fromhex(header) for header in dice.choices(sorted(HEADERS), k=dice.randrange(1, 9))]
    payload, data = b"", []
    for header in chosen:
        start = _PAYLOAD_AT + len(payload) + len(header)
        size = HEADERS[header.hex().upper()]
        data.append(slice(start, start + size))
        payload += header + bytes(size)
    return Kind(build(meter, payload), data)


def built(dice: random.Random, kind: Kind) -> bytes:
    """Give a telegram of a kind: of some meter, with some values."""
    frame = bytearray(kind.frame)
    frame[4:8] = number(dice)
    for place in kind.data:
        frame[place] = dice.randbytes(place.stop - place.start)
    return bytes(frame)


def sealed(dice: random.Random) -> bytes:
    meter = MeterId("SEN", f"{dice.randrange(10**8):08}", "68", "07")
    payload = b"\x04\x13" + dice.randbytes(4) + b"\x02\x3b" + dice.randbytes(2)
    return build(meter, payload, mode=5, key=KEY, access=dice.randrange(256))


class Source:
    """Gives line after line."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._seeds = seeds()
        self._plain = [seed for seed in self._seeds if not seed[1](_ANY)]
        self._kinds = [kind_of(self._dice) for _ in range(LAYOUTS)]

    def line(self) -> bytes:
        """Make the next line."""
        dice, which = self._dice, self._dice.random()
        if which < 0.4:
            return line_of(renumbered(dice, dice.choice(self._plain)), None)
        if which < 0.85:
            kind = dice.choice(self._kinds) if dice.random() < 0.9999 else kind_of(dice)
            return line_of(built(dice, kind), None)
        if which < 0.88:
            return line_of(sealed(dice), KEY)
        seed = dice.choice(self._seeds)
        known = seed[1](_ANY)
        key = known[0] if known else None
        return line_of(seed[0], key) if which < 0.98 else line_of(mutated(dice, self._seeds), key)


def run(count: int, seed: int, told: Callable[[str], object] = print) -> list[int]:
    """Answer so many lines; gives the bytes held after each tenth."""
    source = Source(seed)
    streams = [DecodeStream(), DecodeStream(clock=SystemClock())]
    held, good = [], 0
    began = time.monotonic()
    for done in range(1, count + 1):
        good += streams[done & 1].answer(source.line())[1]
        if done % (count // 10) == 0:
            held.append(resident())
            took = time.monotonic() - began
            told(f"{done:>12,} telegrams  {good:>12,} decoded  {held[-1] / _MB:8.1f} MB held  {took:7,.0f} s")
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--telegrams", type=int, default=10_000_000, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins")
    chosen = parser.parse_args()
    held = run(chosen.telegrams, chosen.seed, lambda text: print(text, flush=True))
    print(f"from the third tenth to the last: {(held[-1] - held[2]) / _MB:+.1f} MB")


if __name__ == "__main__":
    main()
