"""Telegrams decoded on one core: JSON lines in, JSON lines out, as ``nurt decode --format json`` does it.

The slow way walks every telegram from its first byte to its last; the fast way knows the layouts. Beside each
figure stands a reference loop on the same lines (``json.loads``, and for encrypted telegrams one AES-CBC
decryption): absolute figures drift with the machine, the ratio does not. Time is processor time, for the
machine has other work.
"""

from __future__ import annotations

import json
import os
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from figures import Figure

from decoders.batch import decode_many
from decoders.build import build
from decoders.decode import decode
from decoders.decoder import Decoder
from decoders.shipped_layouts import shipped_layouts
from decoders.telegram import Keys
from metering.clock import SystemClock
from metering.meter import MeterId
from service.asked import read_line
from service.decode_lines import answer, decoding, json_line
from service.decode_stream import DecodeStream

METER = MeterId.parse("SEN-12345699-68-07")
KEY = bytes(range(16))
TELEGRAMS = 4000
ROUNDS = 5
LONG_RUN = 200_000
SHARED = Path(os.environ.get("NURT_TELEGRAMS", Path(__file__).parents[1] / "../shared/telegrams"))


def figures() -> Iterator[Figure]:
    """Measure."""
    yield from _lines("two values", [_line(_two(number)) for number in range(TELEGRAMS)])
    yield from _mode5()
    yield from _lines("60 values, 58 of them from before", [_line(_sixty(i)) for i in range(TELEGRAMS)])
    yield from _lines("55 values, all changing", [_line(_all_new(i)) for i in range(TELEGRAMS)])
    yield from _mixed()
    yield from _many()
    yield _memory()


# --- telegrams -----------------------------------------------------------------------------------

_chance = random.Random(7)


def _two(number: int) -> bytes:
    """Index and flow, both new in each telegram."""
    flow = _chance.randrange(900)
    return b"\x04\x13" + (7704 + 3 * number).to_bytes(4, "little") + b"\x02\x3b" + flow.to_bytes(2, "little")


def _stored(storage: int, field: int, vif: int, data: bytes) -> bytes:
    """One record of the memory."""
    return bytes((0x80 | (storage & 1) << 6 | field, storage >> 1, vif)) + data


def _sixty(number: int) -> bytes:
    """Index and flow, and 58 months before, which stay."""
    volumes = [_stored(month, 0x1, 0x13, bytes((3 * month,))) for month in range(1, 30)]
    flows = [bytes((0x41, 0x5A, month)) for month in range(29)]
    return _two(number) + b"".join(volumes + flows)


def _all_new(number: int) -> bytes:
    """What no meter sends: a memory that changes every time."""
    volumes = [
        _stored(month, 0x2, 0x13, _chance.randrange(30_000).to_bytes(2, "little")) for month in range(1, 28)
    ]
    flows = [bytes((0x41, 0x5A, _chance.randrange(100))) for _ in range(26)]
    return _two(number) + b"".join(volumes + flows)


def _frame(payload: bytes, number: int = 0, key: bytes | None = None) -> bytes:
    sealed = {"mode": 5, "key": key} if key else {}
    return build(METER, payload, access=number & 0xFF, **sealed)


def _line(payload: bytes, number: int = 0, key: bytes | None = None) -> bytes:
    told = {"telegram": _frame(payload, number, key).hex(), "key": key.hex() if key else None}
    return json.dumps(told).encode() + b"\n"


# --- measuring -----------------------------------------------------------------------------------


def _microseconds(work: Callable[[], object], count: int) -> float:
    """Processor time of the best round, a piece."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best / count * 1e6


def _slow(lines: Sequence[bytes]) -> float:
    using = decoding(shipped_layouts())

    def work() -> None:
        for line in lines:
            for asked in read_line(line.decode()):
                json_line(answer(asked, using))

    return _microseconds(work, len(lines))


def _fast(lines: Sequence[bytes], *, forgetful: bool = False, flat: bool = False) -> float:
    """Time the fast way; ``forgetful``: every text of a value is made anew in each round."""
    stream = DecodeStream(clock=SystemClock() if flat else None)

    def work() -> None:
        if forgetful:
            stream.forget_texts()
        for line in lines:
            stream.answer(line)

    work()  # layouts are learnt here
    return _microseconds(work, len(lines))


def _reference(lines: Sequence[bytes]) -> float:
    """Time ``json.loads``, and one AES-CBC decryption of two blocks where the line has a key."""
    block = bytes(32)

    def work() -> None:
        for line in lines:
            key = json.loads(line)["key"]
            if key and len(key) == 32:
                cipher = Cipher(algorithms.AES(bytes.fromhex(key)), modes.CBC(block[:16]))
                cipher.decryptor().update(block)

    return _microseconds(work, len(lines))


def _lines(what: str, lines: Sequence[bytes]) -> Iterator[Figure]:
    reference, slow = _reference(lines), _slow(lines)
    fast = _fast(lines, forgetful=True)
    yield Figure(f"decode, {what}", slow, "us", f"the full walk; {_against(slow, reference)}")
    yield Figure(f"decode, {what}", fast, "us", f"layout known; {_against(fast, reference)}")


def _against(time_taken: float, reference: float) -> str:
    return f"{1e6 / time_taken:,.0f} a second, {time_taken / reference:.1f} times the reference loop"


def _mode5() -> Iterator[Figure]:
    """Time the same telegrams in clear and sealed, alternately."""
    payloads = [_two(number) for number in range(TELEGRAMS)]
    clear = _fast([_line(payload, n) for n, payload in enumerate(payloads)], forgetful=True)
    sealed_lines = [_line(payload, n, KEY) for n, payload in enumerate(payloads)]
    sealed = _fast(sealed_lines, forgetful=True)
    added = sealed - clear
    yield Figure("decode, mode 5 adds", added, "us", f"{_against(sealed, _reference(sealed_lines))} in all")


def _mixed() -> Iterator[Figure]:
    """Real telegrams if they are there, in their order; else one of each kind built here."""
    file = SHARED / "wmbus.jsonl"
    if file.is_file():
        told = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        lines = [json.dumps({"telegram": one["telegram"], "key": one["key"]}).encode() for one in told]
        what = f"{len(lines)} real telegrams mixed"
        lines *= 5
    else:
        payloads = [_two(1), _sixty(1), _all_new(1)]
        lines = [_line(payload, 1, key) for payload in payloads for key in (None, KEY) if len(payload) < 200]
        what = f"{len(lines)} built telegrams mixed (the shared ones are not at {SHARED})"
    reference, slow = _reference(lines), _slow(lines)
    fast, new = _fast(lines), _fast(lines, forgetful=True)
    yield Figure(f"decode, {what}", slow, "us", f"the full walk; {_against(slow, reference)}")
    flat = _fast(lines, flat=True)
    yield Figure(f"decode, {what}", fast, "us", f"layouts known; {_against(fast, reference)}")
    yield Figure(
        f"decode, {what}", flat, "us", f"the same as --format wmbusmeters; {_against(flat, reference)}"
    )
    yield Figure(f"decode, {what}", new, "us", f"and no text remembered; {_against(new, reference)}")


def _many() -> Iterator[Figure]:
    """Time batches of one layout, bytes to columns; the full walk gives telegrams of the same bytes."""
    for what, key in (("in clear", None), ("mode 5", KEY)):
        frames = [_frame(_two(number), number, key) for number in range(20_000)]
        decoder, keys = Decoder(), _keys(key)
        fast = _microseconds(lambda: decode_many(frames, decoder, keys), len(frames))  # noqa: B023  at once
        slow = _microseconds(lambda: [decode(frame, keys) for frame in frames[:2000]], 2000)  # noqa: B023
        yield Figure(f"decode_many, one layout, {what}", fast, "us", f"one by one {slow:.1f} us")


def _keys(key: bytes | None) -> Keys:
    return lambda _: (key,) if key else ()


def _memory() -> Figure:
    """Grow a stream of ever new meters and values and see what memory does after the first tenth."""
    stream = DecodeStream()
    peaks = []
    for part in range(10):
        for number in range(LONG_RUN // 10):
            meter = MeterId("SEN", f"{part * LONG_RUN + number:08}", "68", "07")
            stream.answer(build(meter, _two(part * LONG_RUN + number)).hex().encode())
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    grown = peaks[-1] - peaks[2]
    return Figure(
        "decode, memory",
        peaks[-1],
        "MB at most",
        f"{LONG_RUN:,} telegrams of as many meters; {grown:.1f} MB more than after 30 %",
    )
