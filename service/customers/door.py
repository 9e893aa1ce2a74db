"""Who a token lets in: a contract's holder, to the span of their tenancies at one service point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing_bridge.utility import Utility
from metering.access import HOURLY, Consent, Look
from metering.billing_customers import Customer, Tenancy
from metering.consumption import Step
from metering.errors import TelemetryError
from metering.meter import ServicePoint
from metering.ports import Clock, Store
from service.customers.asked import Asked
from service.customers.token import Claims, Refused, Secrets, verify
from service.customers.view import View, view

__all__ = ["CONSENT_TEXT", "Door", "Guest", "HoursTooOld", "NeedsConsent"]

CONSENT_TEXT = "2026-11"
"""Version of the text customers agree to; a new one when its meaning changes."""

_MONTH = timedelta(days=30.44)


class NeedsConsent(TelemetryError):
    """Hours are shown only to who agreed to it."""

    def __init__(self) -> None:
        super().__init__("hourly values need the customer's recorded consent")


class HoursTooOld(TelemetryError):
    """Hours of so long ago are not shown any more."""

    def __init__(self, months: int) -> None:
        self.months = months
        super().__init__(f"hourly values are shown for {months} months; older ones by day")


@dataclass(frozen=True, slots=True)
class Guest:
    """Who came in.

    Attributes:
        claims: what the token says.
        customer: the contract's holder, if on record.
        point: the service point.
        tenancies: of the contract there, by begin; at least one.
        agreed: whether hours may be shown.
    """

    claims: Claims
    customer: Customer | None
    point: ServicePoint
    tenancies: Sequence[Tenancy]
    agreed: bool


class Door:
    """Lets customers in, shows them what is theirs, and writes down that it did."""

    def __init__(  # noqa: PLR0913  what it needs, by name
        self,
        *,
        store: Store,
        secrets: Secrets,
        clock: Clock,
        utility: Utility,
        zone: ZoneInfo,
        hourly_months: int,
        looks_months: int = 24,
    ) -> None:
        """Prepare; nothing is read."""
        self._store = store
        self._secrets = secrets
        self._clock = clock
        self._utility = utility
        self.zone = zone
        self._hourly_months = hourly_months
        self._looks_months = looks_months
        self._tidied: date | None = None

    def open(self, token: str) -> Guest:
        """Say who a token lets in.

        Raises:
            Refused: nobody.
            StoreUnavailable: cannot be told now.
        """
        claims = verify(token, self._secrets, self._clock.now())
        with self._store.reading() as tx:
            contract = tx.customers.contracts([claims.contract]).get(claims.contract)
            point = tx.registry.service_points([claims.service_point]).get(claims.service_point)
            tenancies = [
                one
                for one in tx.customers.tenancies_of([claims.contract])
                if one.service_point == claims.service_point
            ]
            if contract is None or point is None or not tenancies:
                raise Refused
            customer = tx.customers.customers([contract.customer]).get(contract.customer)
            return Guest(claims, customer, point, tenancies, tx.access.agreed(claims.contract, HOURLY))

    def show(self, guest: Guest, asked: Asked, what: str) -> View:
        """Give what a guest is shown, and write down that it was.

        Args:
            guest: who.
            asked: which span.
            what: ``page``, ``json``, ``csv``, ``green button``.

        Raises:
            NeedsConsent: hours, without consent.
            HoursTooOld: hours, of too long ago.
            StoreUnavailable: nothing is shown that cannot be written down.
        """
        now = self._clock.now()
        if asked.step is Step.HOUR:
            self._demand_hours(guest, asked, now)
        with self._store.reading() as tx:
            shown = view(tx, self._utility, guest.point, guest.tenancies, asked, zone=self.zone, now=now)
        whole = shown.volumes.stretch or shown.whole
        self.write_down(guest, what, whole.since, whole.until, asked.step.value)
        return shown

    def write_down(self, guest: Guest, what: str, since: datetime, until: datetime, step: str = "") -> None:
        """Record a look."""
        claims = guest.claims
        now = self._clock.now()
        look = Look(claims.contract, claims.service_point, now, claims.portal, what, since, until, step)
        with self._store.writing() as tx:
            tx.access.add_look(look)
            if self._tidied != now.date():
                tx.access.forget_looks(now - self._looks_months * _MONTH)
        self._tidied = now.date()

    def agree(self, guest: Guest, *, given: bool) -> None:
        """Record that a guest agrees to hours, or takes that back."""
        now, claims = self._clock.now(), guest.claims
        consent = Consent(claims.contract, HOURLY, given, now, f"page, by {claims.portal}", CONSENT_TEXT)
        with self._store.writing() as tx:
            tx.access.add_consent(consent)

    def _demand_hours(self, guest: Guest, asked: Asked, now: datetime) -> None:
        if not guest.agreed:
            raise NeedsConsent
        oldest = (now - self._hourly_months * _MONTH).astimezone(self.zone).date()
        if asked.first < oldest:
            raise HoursTooOld(self._hourly_months)
