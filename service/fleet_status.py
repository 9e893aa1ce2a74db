"""How every gateway is: what is planned for it, what it says, what came of it.

What gateways say is not trusted: a value of the wrong kind counts as not said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from metering.gateway import Condition, condition
from metering.ports import GatewayRow, Transaction
from metering.upkeep import GatewayCoverage
from metering.uplink import GatewayWord
from service.coverage import WINDOW
from service.fleet_source import NO_PLANS, Plan, Plans

__all__ = ["Drift", "GatewayStatus", "fleet_status", "read_status"]


class Drift(StrEnum):
    """How a gateway's settings differ from what they should be."""

    NOT_TOLD = "not told"
    """gateways.toml says other settings than the gateway was told."""
    WAITING = "waiting"
    """It was told, and has not said yet that it took them."""
    REFUSED = "refused"
    """It was told, and goes on with other settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """One gateway.

    Attributes:
        name: its name.
        profile: what it is; ``None`` if it stands in no file we know.
        board: its board, if its profile has boards.
        condition: online, offline, silent, or never heard.
        last_heard: newest item, health message or word that it is online, UTC.
        meters: registered meters it heard within the window; ``None`` if nobody counted.
        read: those of them that were read within the window.
        firmware: as it says.
        planned: revision gateways.toml has.
        told: revision it was told last; 0 = none.
        in_force: revision it says it uses; 0 = the settings it was installed with.
        reports: whether it ever said which it uses.
        refused: revision it last refused; 0 = none.
        drift: how its settings differ from what they should be, if they do.
        error: why it refused the last order, in its words.
        queue: entries waiting in its spool.
        queue_oldest_s: age of the oldest, seconds.
        per_minute: telegrams heard, forwarded and shed.
        troubles: what is wrong with receivers, in its words, by their names.
        registered: whether it stands in the file of gateways; ``None`` if there is no such file.
    """

    name: str
    profile: str | None = None
    board: str = ""
    condition: Condition = Condition.UNKNOWN
    last_heard: datetime | None = None
    meters: int | None = None
    read: int | None = None
    firmware: str | None = None
    planned: int | None = None
    told: int = 0
    in_force: int = 0
    reports: bool = False
    refused: int = 0
    drift: Drift | None = None
    error: str | None = None
    queue: int | None = None
    queue_oldest_s: int | None = None
    per_minute: Mapping[str, float] | None = None
    troubles: Mapping[str, str] = field(default_factory=dict)
    registered: bool | None = None

    @property
    def share(self) -> float | None:
        """Read success: meters read of those heard."""
        return self.read / self.meters if self.meters and self.read is not None else None

    @property
    def alarming(self) -> bool:
        """Whether a person should look: not there, not as told, or a receiver in trouble."""
        away = self.condition in {Condition.OFFLINE, Condition.SILENT}
        missing = bool(self.registered) and self.condition is Condition.UNKNOWN
        return away or missing or self.drift is not None or bool(self.troubles)


def fleet_status(
    rows: Sequence[GatewayRow],
    words: Iterable[GatewayWord],
    now: datetime,
    *,
    plans: Plans = NO_PLANS,
    coverage: Sequence[GatewayCoverage] | None = None,
) -> list[GatewayStatus]:
    """Put together how all gateways are, by name.

    Args:
        rows: their account.
        words: the newest of what they say and are told.
        now: UTC.
        plans: what gateways.toml says.
        coverage: which meters each heard.
    """
    said: dict[str, dict[str, dict[str, Any]]] = {}
    for word in words:
        said.setdefault(word.gateway, {})[word.leaf] = _fields(word.body)
    accounts = {row.name: row for row in rows}
    heard = {one.gateway: one for one in coverage or ()}
    planned = plans.gateways or {}
    return [
        _status(
            accounts.get(name) or GatewayRow(name, None, None, None, 0, {}),
            said.get(name, {}),
            now,
            (planned.get(name), name in planned if plans.gateways is not None else None),
            None if coverage is None else heard.get(name) or GatewayCoverage(name, 0, 0, 0, None),
        )
        for name in sorted({*accounts, *said, *planned} - {"?"})
    ]


def read_status(transaction: Transaction, now: datetime, plans: Plans = NO_PLANS) -> list[GatewayStatus]:
    """Read how all gateways are, with the meters each heard within the window of coverage."""
    ledger = transaction.ledger
    coverage = transaction.coverage.by_gateway(now - WINDOW)
    return fleet_status(ledger.gateways(), ledger.words(), now, plans=plans, coverage=coverage)


def _status(
    row: GatewayRow,
    said: Mapping[str, Mapping[str, Any]],
    now: datetime,
    planned: tuple[Plan | None, bool | None],
    coverage: GatewayCoverage | None,
) -> GatewayStatus:
    health, told, reported = (said.get(leaf, {}) for leaf in ("health", "cfg/desired", "cfg/reported"))
    plan, registered = planned
    said_online = row.state_at if row.online else None
    moments = [at for at in (row.last_heard, row.alive_at, said_online) if at is not None]
    return GatewayStatus(
        name=row.name,
        profile=plan.profile if plan else None,
        board=plan.board if plan else "",
        condition=condition(row, now),
        last_heard=max(moments, default=None),
        meters=coverage.meters if coverage else None,
        read=coverage.read if coverage else None,
        firmware=_text(health.get("firmware")),
        planned=plan.revision if plan else None,
        told=_count(told.get("rev")) or 0,
        in_force=_count(reported.get("in_force")) or 0,
        reports=_count(reported.get("in_force")) is not None,
        refused=(_count(reported.get("rev")) or 0) if reported.get("err") else 0,
        drift=_drift(plan, told, reported),
        error=_text(reported.get("err")),
        queue=_count(health.get("queue")),
        queue_oldest_s=_count(health.get("queue_oldest_s")),
        per_minute=_rates(health.get("per_minute")),
        troubles=dict(_troubles(health.get("receivers"))),
        registered=registered,
    )


def _drift(plan: Plan | None, told: Mapping[str, Any], reported: Mapping[str, Any]) -> Drift | None:
    """Judge settings; what was never told over MQTT is not judged."""
    rev = _count(told.get("rev"))
    if not rev:
        return None
    if plan is not None and plan.sha256 and _text(told.get("sha256")) not in {None, plan.sha256}:
        return Drift.NOT_TOLD
    if rev == _count(reported.get("in_force")):
        return None
    return Drift.REFUSED if rev == _count(reported.get("rev")) and reported.get("err") else Drift.WAITING


# --- what gateways say -------------------------------------------------------------------------------


def _fields(body: str) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return "".join(sign for sign in value[:200] if sign.isprintable())


def _rates(value: object) -> Mapping[str, float] | None:
    if not isinstance(value, dict):
        return None
    return {
        name: float(value[name])
        for name in ("heard", "forwarded", "shed")
        if isinstance(value.get(name), int | float) and abs(value[name]) < 1e9
    }


def _troubles(receivers: object) -> Iterable[tuple[str, str]]:
    for name, one in receivers.items() if isinstance(receivers, dict) else ():
        if isinstance(one, dict) and (one.get("trouble") or one.get("open") is False):
            yield _text(name) or "?", _text(one.get("trouble")) or "not open"
