"""The anomaly scan on many processes or machines: parts of the fleet judged by Dask, put together here.

Each task is :func:`anomaly.scan.scan_part` on a list of series, so a cluster tells what one process tells.
Only a few parts are on their way at a time: the fleet need not fit into the workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from anomaly.detector import DETECTORS
from anomaly.scan import ScanPart, ScanResult, parts_of, put_together, scan_part
from anomaly.series import Series
from metering.errors import TelemetryError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["SchedulerUnreachable", "cluster", "scan_on"]

READINGS_A_TASK = 500_000
"""Large enough that sending it costs little, small enough that all workers end together."""
AHEAD = 2
"""Tasks on their way per worker thread."""
CONNECT_S = 10


class SchedulerUnreachable(TelemetryError):
    """No Dask scheduler answers at the address given."""


@contextmanager
def cluster(workers: int | None, scheduler: str | None) -> Iterator[Client]:
    """Give a client: of a cluster at an address, else of as many processes of our own.

    Args:
        workers: processes to start on this machine, if there is no address.
        scheduler: ``tcp://host:8786``.

    Raises:
        SchedulerUnreachable: nobody answers there.
    """
    from distributed import Client, LocalCluster

    if scheduler is None:
        with (
            LocalCluster(
                n_workers=workers or 1,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                host="127.0.0.1",
            ) as own,
            Client(own) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, TimeoutError, ValueError) as wrong:
        raise SchedulerUnreachable(
            f"no Dask scheduler answers at {scheduler}; start one with 'dask scheduler' or use --workers"
        ) from wrong
    with client:
        yield client


def scan_on(client: Client, fleet: Iterable[Series], zone: ZoneInfo, now: int | None = None) -> ScanResult:
    """Judge a fleet on a cluster; the findings are those of :func:`anomaly.scan.scan`."""
    return put_together(_judged(client, parts_of(fleet, READINGS_A_TASK), zone, now), DETECTORS)


def _judged(
    client: Client, parts: Iterator[Sequence[Series]], zone: ZoneInfo, now: int | None
) -> Iterator[ScanPart]:
    """Keep the workers busy, and give parts as they are done."""
    from distributed import as_completed

    threads = sum(client.nthreads().values())
    begun = [_begin(client, part, zone, now) for part in islice(parts, AHEAD * max(threads, 1))]
    done = as_completed(begun)
    for future in done:
        yield future.result()
        future.release()
        for part in islice(parts, 1):
            done.add(_begin(client, part, zone, now))


def _begin(client: Client, part: Sequence[Series], zone: ZoneInfo, now: int | None):  # type: ignore[no-untyped-def]  # noqa: ANN202  Dask has no types
    return client.submit(scan_part, part, zone, now, pure=False)
