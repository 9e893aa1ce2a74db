"""What every route needs: the store, the clock, the zone and the texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from billing_bridge.utility import Utility
from metering.errors import TelemetryError
from metering.ports import Clock, Store
from service.anomaly_money import Tariff
from service.fleet_source import NO_PLANS, Plans
from service.operators.book import Person, Role
from service.operators.gate import Gate
from service.web.i18n import Catalogue, chosen

__all__ = [
    "LANGUAGE_COOKIE",
    "Forbidden",
    "IngestStatus",
    "Site",
    "UseSite",
    "demand",
    "name_of",
    "person_of",
    "site_of",
    "texts_of",
]


LANGUAGE_COOKIE = "nurt_language"


class Forbidden(TelemetryError):
    """Who asked may not do that."""


@dataclass(frozen=True, slots=True)
class IngestStatus:
    """How ingest is doing in this process.

    Attributes:
        connected: to the broker, now.
        queue_depth: deliveries waiting for a batch.
        oldest_unacked_s: age of the oldest delivery not acknowledged yet, seconds; 0 if there is none.
        received: deliveries since the process began.
        batches: batches committed since the process began.
        last_commit_at: UTC; ``None`` before the first commit.
        stores_available: whether the last attempt to write, to the series store as well, succeeded.
    """

    connected: bool
    queue_depth: int
    oldest_unacked_s: float
    received: int
    batches: int
    last_commit_at: datetime | None
    stores_available: bool = True


@dataclass(frozen=True, slots=True)
class Site:
    """One web application's own things.

    Attributes:
        store: where everything is.
        clock: the present.
        ingest_status: asks how ingest is doing; ``None`` if no ingest runs in this process.
        zone: the utility's local calendar.
        title: name on the pages.
        plans: asks what is planned for the gateways.
        tariff: price of water, if one is set.
        utility: what is set for billing; ``None`` = nothing is decided here.
        gate: who comes in; ``None`` = whoever reaches the pages, under the name they type.
    """

    store: Store
    clock: Clock
    ingest_status: Callable[[], IngestStatus] | None
    zone: ZoneInfo
    title: str
    plans: Callable[[], Plans] = lambda: NO_PLANS
    tariff: Tariff | None = None
    utility: Utility | None = None
    gate: Gate | None = None


def site_of(request: Request) -> Site:
    """Give the site a request belongs to."""
    return cast("Site", request.app.state.site)


def person_of(request: Request) -> Person | None:
    """Give who sent a request, if the pages ask for that."""
    return cast("Person | None", getattr(request.state, "person", None))


def texts_of(request: Request) -> Catalogue:
    """Give the words of whoever sent a request: those they chose, else those their browser asks for."""
    return chosen(request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", ""))


def name_of(request: Request, typed: str) -> str:
    """Give the name that stands under a decision: whoever is signed in, else the one that was typed."""
    person = person_of(request)
    return person.name if person else typed


def demand(request: Request, role: Role, what: str) -> None:
    """Let through who may do something.

    Raises:
        Forbidden: whoever is signed in may not.
    """
    person = person_of(request)
    if person and not person.role.covers(role):
        raise Forbidden(f"{person.name} may not {what}: that takes the role {role.value}")


UseSite = Annotated[Site, Depends(site_of)]
"""A route's parameter that is given the site."""
