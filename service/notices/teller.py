"""Who is told what, when: notices asked for with the finding, sent until they are taken.

A notice is asked for in the transaction that keeps the finding, so none is lost. It is sent before it is
booked as sent: after a crash it is sent again, under the same key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from metering.finding import Tier
from metering.findings import Kept, Notice, NoticeState, Wanted
from metering.ports import Clock, Store, Transaction
from service.notices.message import Wording
from service.notices.port import Channel, NotSent

__all__ = ["Teller", "ask_for"]

_log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
MOST_ATTEMPTS = 24
"""Attempts, some three days of them, after which a notice is given up; it stays on the finding's page."""
OLD = timedelta(days=2)
"""A finding that was raised and over before this is history: nobody is woken for it."""
DIGEST_MARK = "notices.digest"
MOST_SUSPECTS = 500


def ask_for(tx: Transaction, kept: Kept, tier: Tier, channels: Sequence[str], now: datetime) -> int:
    """Have a finding that reached a tier told on every channel; gives how many notices are new."""
    stage = kept.finding.at_tier(tier)
    if tier is Tier.SUSPECT or kept.muted or stage is None:
        return 0
    if kept.finding.cleared_at is not None and kept.finding.cleared_at < now - OLD:
        return 0
    return tx.findings.ask(
        [
            Notice(f"{channel}:{kept.id}:{tier}", channel, kept.id, tier, NoticeState.WAITING, 0, now)
            for channel in channels
        ]
    )


@dataclass(frozen=True, slots=True)
class Teller:
    """Sends what is due.

    Attributes:
        store: where notices wait.
        clock: the present.
        channels: there are.
        wording: how findings are said.
        digest_hour: local hour from which the day's suspects are told; below 0 = never.
    """

    store: Store
    clock: Clock
    channels: Sequence[Channel]
    wording: Wording
    digest_hour: int = -1

    def is_due(self) -> bool:
        """Whether there may be something to send now."""
        if not self.channels:
            return False
        now = self.clock.now()
        with self.store.reading() as tx:
            return bool(tx.findings.due(now, 1)) or any(
                self._is_day_due(now) and tx.upkeep.mark(f"{DIGEST_MARK}.{one.name}") < self._day(now)
                for one in self.channels
            )

    def tell(self) -> int:
        """Send what is due now; gives how many messages were taken."""
        if not self.channels:
            return 0
        by_name = {channel.name: channel for channel in self.channels}
        now = self.clock.now()
        with self.store.reading() as tx:
            due = [(notice, tx.findings.finding(notice.finding)) for notice in tx.findings.due(now)]
        told = 0
        for notice, kept in due:
            if kept is not None and notice.channel in by_name:
                told += self._send(by_name[notice.channel], notice, kept)
        return told + self._tell_suspects(now)

    def _day(self, now: datetime) -> str:
        return now.astimezone(self.wording.zone).date().isoformat()

    def _is_day_due(self, now: datetime) -> bool:
        return 0 <= self.digest_hour <= now.astimezone(self.wording.zone).hour

    def _send(self, channel: Channel, notice: Notice, kept: Kept) -> bool:
        now = self.clock.now()
        try:
            channel.send(self.wording.of_finding(notice.key, kept, notice.tier, now))
        except NotSent as wrong:
            self._note(_later(notice, str(wrong), now))
            _log.warning("notice.not_sent", key=notice.key, attempts=notice.attempts + 1, reason=str(wrong))
            return False
        self._note(replace(notice, state=NoticeState.SENT, attempts=notice.attempts + 1, error=""))
        return True

    def _note(self, notice: Notice) -> None:
        with self.store.writing() as tx:
            tx.findings.noted(notice)

    def _tell_suspects(self, now: datetime) -> int:
        """Send the digest of the day, once, from its hour on."""
        local, day = now.astimezone(self.wording.zone), self._day(now)
        if not self._is_day_due(now):
            return 0
        told = 0
        for channel in self.channels:
            mark = f"{DIGEST_MARK}.{channel.name}"
            with self.store.reading() as tx:
                if tx.upkeep.mark(mark) >= day:
                    continue
                suspects = _suspects(tx, now, self.wording.zone)
            if suspects:
                try:
                    channel.send(self.wording.of_day(f"digest:{channel.name}:{day}", local.date(), suspects))
                except NotSent as wrong:
                    _log.warning("digest.not_sent", day=day, reason=str(wrong))
                    continue
                told += 1
            with self.store.writing() as tx:
                tx.upkeep.set_mark(mark, day)
        return told


def _suspects(tx: Transaction, now: datetime, zone: ZoneInfo) -> Sequence[Kept]:
    """Give what came to be suspected since yesterday's local midnight and is still only that."""
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    since = datetime.combine(yesterday, time(), zone)
    found, _ = tx.findings.wanted(Wanted(is_open=True), limit=MOST_SUSPECTS)
    return [one for one in found if one.finding.tier is Tier.SUSPECT and one.kept_at >= since]


def _later(notice: Notice, why: str, now: datetime) -> Notice:
    attempts = notice.attempts + 1
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    state = NoticeState.GIVEN_UP if attempts >= MOST_ATTEMPTS else NoticeState.WAITING
    return replace(notice, state=state, attempts=attempts, next_at=now + pause, error=why)
