"""Mutated frames against the decoder: a telegram or a DecodeError, nothing else, and no call over 5 ms.

    python tests/campaigns/fuzz_decode.py --frames 20000000 --seed 1 --processes 2
    python tests/campaigns/fuzz_decode.py --frames 1000000 --lines --seed 1 # as lines of a stream, and alone
    python tests/campaigns/guided_decode.py --seconds 600                  # guided by coverage (atheris)

Seeds are the golden telegrams of all meter models and, where it is there, the shared corpus of real
telegrams (NURT_TELEGRAMS). Each frame is decoded with its meter's model looked up, without keys and with the
seed's own key in turn.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from decoders.errors import DecodeError
from decoders.models import models
from decoders.reading import read
from decoders.shipped_layouts import shipped_layouts
from decoders.telegram import Keys, no_keys
from metering.meter import MeterId
from service.asked import read_line
from service.decode_lines import answer, decoding, json_line
from service.decode_stream import DecodeStream

LIMIT_S = 0.005
Seed = tuple[bytes, Keys]
_TOLD_EVERY = 250_000
_ANY = MeterId("XYZ", "00000000", "00", "00")
"""Each seed's keys are those of whatever meter asks."""


def seeds() -> list[Seed]:
    """Give the frames mutations start from, each with its key, if it has one."""
    found = [(test.telegram, test.key or None) for model in models().values() for test in model.tests]
    default = Path(__file__).parents[2] / "../shared/telegrams"
    folder = Path(os.environ.get("NURT_TELEGRAMS", default))
    for name in ("wmbus.jsonl", "independent.jsonl", "wired.jsonl"):
        if (folder / name).exists():
            for line in map(json.loads, (folder / name).read_text().splitlines()):
                key = line.get("key")
                found.append((bytes.fromhex(line["telegram"]), bytes.fromhex(key) if key else None))
    return [(frame, _giving(key)) for frame, key in found]


def _giving(key: bytes | None) -> Keys:
    return (lambda _meter: (key,)) if key else no_keys


def mutated(dice: random.Random, frames: Sequence[Seed]) -> bytes:
    """Take a seed and spoil it as radios, gateways and people do."""
    frame = bytearray(frames[dice.randrange(len(frames))][0])
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        kind = dice.randrange(8)
        at = dice.randrange(len(frame)) if frame else 0
        if kind <= 2 and frame:
            frame[at] ^= 1 << dice.randrange(8)
        elif kind == 3 and frame:
            frame[at] = dice.choice((0x00, 0xFF, 0x7F, 0x80, 0x2F, 0x0F, 0x1F, dice.randrange(256)))
        elif kind == 4:
            del frame[at:]
        elif kind == 5:
            frame[at:at] = dice.randbytes(dice.randrange(1, 20))
        elif kind == 6:
            del frame[at : at + dice.randrange(1, 20)]
        else:
            other = frames[dice.randrange(len(frames))][0]
            frame[at:] = other[at:]
    if dice.random() < 0.7 and frame:  # keep the length true, to get past the door
        frame[0] = (len(frame) - 1) & 0xFF
    return bytes(frame)


def tried_alone(frame: bytes, keys: Keys) -> str:
    """Decode one frame; gives how it ended.

    Raises:
        Exception: whatever else came out; that is the finding.
    """
    began = time.perf_counter()
    try:
        read(frame, keys)
        ended = "telegram"
    except DecodeError as error:
        ended = error.code
    if time.perf_counter() - began > LIMIT_S and _fastest(frame, keys) > LIMIT_S:
        raise TimeoutError(f"over {LIMIT_S * 1000:.0f} ms")
    return ended


def tried_in_stream() -> Callable[[bytes, Keys], str]:
    """Return what answers a frame as a line of one stream and compares that with its answer alone."""
    stream = DecodeStream()
    using = decoding(shipped_layouts())  # learns along the way, as the stream does

    def tried(frame: bytes, keys: Keys) -> str:
        known = keys(_ANY)
        line = json.dumps({"telegram": frame.hex(), "key": known[0].hex() if known else None})
        told = stream.answer(line.encode())[0]
        alone = [answer(asked, using) for asked in read_line(line)]
        if told != b"".join(map(json_line, alone)):
            raise ArithmeticError("the stream says something else")
        return alone[0].trouble.code if alone[0].trouble else "telegram"

    return tried


def _fastest(frame: bytes, keys: Keys) -> float:
    """Seconds of processor time of the fastest of five: what other processes took from us does not count."""
    times = []
    for _ in range(5):
        began = time.process_time()
        with suppress(DecodeError):
            read(frame, keys)
        times.append(time.process_time() - began)
    return min(times)


def run(count: int, seed: int, *, lines: bool = False) -> Counter[str]:
    """Try so many mutated frames.

    Raises:
        RuntimeError: with the frame, if something else than a telegram or a DecodeError came out.
    """
    dice, frames = random.Random(seed), seeds()
    tried = tried_in_stream() if lines else tried_alone
    ended = Counter[str]()
    for number in range(count):
        frame = mutated(dice, frames)
        keys = frames[number % len(frames)][1]
        try:
            ended[tried(frame, keys)] += 1
        except Exception as wrong:
            raise RuntimeError(f"seed {seed}, frame {number}: {wrong!r} for {frame.hex()}") from wrong
        if number and number % _TOLD_EVERY == 0:
            print(f"seed {seed}: {number:,} of {count:,} frames", file=sys.stderr, flush=True)
    return ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--frames", type=int, default=20_000_000, help="how many mutated frames")
    parser.add_argument("--seed", type=int, default=1, help="the first process' seed; others count on")
    parser.add_argument("--lines", action="store_true", help="as lines of a stream, compared with each alone")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    began = time.monotonic()
    share = chosen.frames // chosen.processes
    with multiprocessing.Pool(chosen.processes) as pool:
        work = partial(run, lines=chosen.lines)
        try:
            parts = pool.starmap(work, [(share, chosen.seed + place) for place in range(chosen.processes)])
        except RuntimeError as found:
            raise SystemExit(str(found)) from found
    ended = sum(parts, Counter[str]())
    took = time.monotonic() - began
    frames = sum(ended.values())
    print(f"{frames:,} mutated frames of {len(seeds())} seeds in {took:,.0f} s, seed {chosen.seed}")
    for how, count in ended.most_common():
        print(f"  {how:24} {count:>12,}")


if __name__ == "__main__":
    main()
