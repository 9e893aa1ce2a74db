"""The meters of a street, what they say, and what became of it in the service."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from service_process import NurtService

from decoders.build import build
from decoders.wmbus.encode import record
from metering.meter import MeterId

METERS = [MeterId("SEN", f"{number:08d}", "68", "07") for number in range(1, 31)]


def telegrams() -> Iterator[bytes]:
    """Give telegrams that are all different: the index counts them."""
    number = 0
    while True:
        number += 1
        meter = METERS[number % len(METERS)]
        yield build(meter, record(b"\x13", Decimal(number).scaleb(-3), field=4), access=number % 256)


def stored(nurt: NurtService) -> Counter[str]:
    """How often each telegram is in the archive, in hex."""
    store = nurt.store()
    with store.reading() as view:
        found = Counter(telegram.frame.hex() for telegram in view.archive.telegrams(limit=1_000_000))
    store.close()
    return found


def await_stored(nurt: NurtService, wanted: set[str], seconds: float = 60) -> Counter[str]:
    end = time.monotonic() + seconds
    while not wanted <= (found := stored(nurt)).keys():
        assert time.monotonic() < end, f"{len(wanted - found.keys())} of {len(wanted)} missing"
        time.sleep(0.2)
    return found
