"""A deployment as an operator has one, and the books compared at the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from gateways import BOOT, KEYLESS, READ, START, STEP, STRANGERS, Sent, Town

from ingest.roster import members_of
from metering.clock import SystemClock
from metering.errors import StoreUnavailable
from metering.meter import Meter, MeterId
from metering.ports import Outcome, TelegramState, Transaction
from metering.reading import Register
from metering.store import SqlStore, upgrade
from metering.store.sql.looking_after import check as look

NURT = (sys.executable, "-m", "service.cli")

Program = Sequence[str]


class Deployment:
    """One machine's folder, and the process while it runs."""

    def __init__(
        self,
        folder: Path,
        broker_port: int,
        url: str | None = None,
        *,
        machine: str = "box",
        receive_maximum: int = 1000,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.machine = folder, machine
        self.url = url or f"sqlite:///{folder / 'data' / 'nurt.db'}"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "nurt.toml").write_text(
            f"[store]\ndata = '{folder / 'data'}'\nurl = '{self.url}'\n"
            f"[mqtt]\nport = {broker_port}\nreceive_maximum = {receive_maximum}\n"
            f"[ingest]\nalarm_s = 1\nmachine = '{machine}'\nforeign_days = 3650\n"
            "batch_items = 200\nbatch_seconds = 0.1\n"
        )

    def command(self, *arguments: str, code: int = 0, program: Program = NURT) -> str:
        """Run a command and give what it said."""
        done = subprocess.run(
            [*program, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def register(self) -> None:
        """Make the database and register the meters of the town, without keys."""
        upgrade(self.url)
        store = self.store()
        with store.writing() as transaction:
            transaction.registry.put_meters(Meter(one) for one in [*READ, *KEYLESS])
        store.close()

    def start(self, *arguments: str, program: Program = NURT) -> None:
        """Start `nurt ingest`; returns at once."""
        with (self.folder / "log").open("ab") as log:
            command = [*program, "ingest", *arguments]
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)

    @property
    def pid(self) -> int:
        """The process started: of a crew, the parent."""
        assert self._process is not None
        assert self._process.poll() is None, self.log()[-3000:]
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers of a crew."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(one) for one in children.split()]

    def await_listening(self, number: int) -> None:
        """Wait until so many workers have their subscriptions: what comes is kept then."""

        def listening() -> int:
            store = self.store()
            try:
                with store.reading() as view:
                    return sum(one.listening and not one.away for one in members_of(view))
            finally:
                store.close()

        until(lambda: listening() == number, f"{number} workers listen")

    def kill(self) -> None:
        """Kill -9 the process and its workers: no goodbye, no flush, no handler."""
        if self._process is None or self._process.poll() is not None:
            return
        for pid in (self.pid, *self.workers):
            os.kill(pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> float:
        """End it in order; gives the seconds that took."""
        began = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        assert self._process is not None
        assert self._process.wait(10) == 0, self.log()[-3000:]
        return time.monotonic() - began

    def log(self) -> str:
        """What it said."""
        return (self.folder / "log").read_text()

    def told(self, event: str) -> int:
        """How often an event is in the log."""
        return len(re.findall(rf'"event": "{re.escape(event)}"', self.log()))

    def store(self) -> SqlStore:
        """Open its database beside the process."""
        return SqlStore(self.url, SystemClock())


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it never happened: {what}"
        time.sleep(0.05)


# --- the books -----------------------------------------------------------------------------------


def came(store: SqlStore) -> dict[str, int]:
    """How many of its numbers came, by gateway; none while the store is away."""
    try:
        with store.reading() as view:
            gateways = [row.name for row in view.ledger.gateways()]
            return {name: sum(boot.came for boot in view.ledger.boots(name)) for name in gateways}
    except StoreUnavailable:
        return {}


def compare(deployment: Deployment, town: Town) -> dict[str, int]:
    """Compare what the gateways published with what the database holds; gives the sums.

    Raises:
        AssertionError: something was lost, is there twice, or ended as what it should not.
    """
    store = deployment.store()
    published = town.published
    numbers = {gateway: len(log) for gateway, log in published.items()}
    try:
        until(lambda: came(store) == numbers, f"all came: {numbers}, {came(store)} at first", 180)
        with store.reading() as view:
            _compare_ledger(view, numbers)
            sums = _compare_account(view, published)
            _compare_archive(view, published)
            _compare_readings(view, published)
        assert look(store.database) == [], "sound, and nothing in it contradicts itself"
    finally:
        store.close()
    return sums


def _compare_ledger(view: Transaction, numbers: dict[str, int]) -> None:
    """Every number of every boot came, and no other."""
    assert list(view.ledger.gaps()) == []
    for gateway, last in numbers.items():
        [boot] = view.ledger.boots(gateway)
        assert (boot.boot, boot.first, boot.last, boot.came) == (BOOT, 1, last, last)


def _compare_account(view: Transaction, published: dict[str, list[Sent]]) -> dict[str, int]:
    """Received is the sum of the five; each transmission ended once as what it is; the rest is repeated."""
    sums: Counter[Outcome] = Counter()
    received = 0
    for row in view.ledger.gateways():
        assert row.received == sum(row.outcomes.values())
        received += row.received
        sums.update(row.outcomes)
    items = [one for log in published.values() for one in log]
    distinct = {(one.meter, one.round) for one in items if one.meter}
    expected = Counter(_kind(meter) for meter, _ in distinct)
    ended = {outcome: sums[outcome] for outcome in (Outcome.STORED, Outcome.HELD, Outcome.FOREIGN)}
    assert ended == dict(expected), f"{ended} instead of {dict(expected)}: {sums}, {received} received"
    noise = sum(one.meter is None for one in items)
    assert sums[Outcome.QUARANTINED] == noise
    overheard = len(items) - noise - len(distinct)
    redelivered = sums[Outcome.DUPLICATE] - overheard
    assert redelivered == received - len(items)
    assert redelivered >= 0
    return {
        "published": len(items),
        **{outcome.value: sums[outcome] for outcome in Outcome},
        "of them delivered again": redelivered,
    }


def _kind(meter: MeterId) -> Outcome:
    return Outcome.HELD if meter in KEYLESS else Outcome.FOREIGN if meter in STRANGERS else Outcome.STORED


def _compare_archive(view: Transaction, published: dict[str, list[Sent]]) -> None:
    """Each transmission is one telegram, and every gateway that heard it is among its receptions once."""
    telegrams = view.archive.telegrams(limit=10_000_000)
    found = Counter(
        (telegram.meter, _round(telegram.heard_at), reception.gateway)
        for telegram in telegrams
        for reception, _ in telegram.receptions
    )
    expected = Counter(
        (one.meter, one.round, one.gateway) for log in published.values() for one in log if one.meter
    )
    assert found == expected
    states = Counter((telegram.meter, telegram.state) for telegram in telegrams)
    heard = Counter(meter for meter, _ in {(meter, round_) for meter, round_, _ in expected})
    assert states == {(meter, TelegramState(_kind(meter))): count for meter, count in heard.items()}


def _round(heard_at: datetime) -> int:
    return int((heard_at - START) / STEP)


def _compare_readings(view: Transaction, published: dict[str, list[Sent]]) -> None:
    """Each telegram that can be read gave one reading, at the time it was first heard."""
    expected = Counter(
        {(one.meter, one.round): 1 for log in published.values() for one in log if one.meter in READ}
    )
    found: Counter[tuple[MeterId, int]] = Counter()
    for meter in READ:
        series = view.readings.series(meter, Register("volume"), START, START + timedelta(days=36_500))
        for reading in series:
            assert _round(reading.measured_at) == int(reading.value * 1000)
            found[meter, int(reading.value * 1000)] += 1
    assert found == expected
