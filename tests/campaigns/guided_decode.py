"""Frames guided by coverage: a telegram or a DecodeError, nothing else, and each byte explained.

    python tests/campaigns/guided_decode.py --seconds 600 --seed 1 --corpus .fuzz-corpus

Needs atheris (``pip install atheris``), which is no dependency of the project. Seeds are those of
``fuzz_decode.py``; a frame of a meter that has a key among them is decoded with it and without. Ends with a
traceback and the frame in a file ``crash-...`` if anything else comes out, or a call takes long.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["decoders"]):
    import decoders.reading
    import decoders.trace

from fuzz_decode import LIMIT_S, seeds

from decoders.decode import peek
from decoders.errors import DecodeError
from decoders.telegram import Keys, no_keys
from decoders.wmbus.spans import Understanding

_LIMIT_S = 20 * LIMIT_S
"""Instrumented code that reads and explains twice is so many times slower."""


def keys_of_seeds() -> Keys:
    """Give each meter of the seeds its key."""
    known = {}
    for frame, keys in seeds():
        with suppress(DecodeError):
            meter = peek(frame).meter
            known[meter] = tuple(keys(meter)) or known.get(meter, ())
    return lambda meter: known.get(meter, ())


def tried(data: bytes, keys: Keys) -> None:
    """Decode and explain a frame.

    Raises:
        AssertionError: not every byte is explained.
    """
    with suppress(DecodeError):
        decoders.reading.read(data, keys)
    told = decoders.trace.trace(data, keys)
    assert sum(map(told.count, Understanding)) == len(data), told.spans


def seconds(data: bytes, keys: Keys) -> float:
    """Try a frame without keys and with them; gives the processor time it took."""
    began = time.process_time()
    tried(data, no_keys)
    tried(data, keys)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=600, help="how long")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins")
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz-corpus"), help="frames found so far")
    chosen = parser.parse_args()
    chosen.corpus.mkdir(exist_ok=True)
    for number, (frame, _) in enumerate(seeds()):
        (chosen.corpus / f"seed{number:04}").write_bytes(frame)
    keys = keys_of_seeds()

    def once(data: bytes) -> None:
        if seconds(data, keys) > _LIMIT_S and min(seconds(data, keys) for _ in range(5)) > _LIMIT_S:
            raise TimeoutError(f"over {_LIMIT_S} s")

    atheris.Setup(
        [
            sys.argv[0],
            str(chosen.corpus),
            f"-max_total_time={chosen.seconds}",
            f"-seed={chosen.seed}",
            "-max_len=300",
            "-print_final_stats=1",
        ],
        once,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
