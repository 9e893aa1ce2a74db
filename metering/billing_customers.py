"""Whom a utility bills for which service point from when, and what people tell of dials.

::

    customer ──< contract ──< tenancy >── service point ──< sub-meters that are deducted
    meter ── facts (digits, Q3, legalization), protocols (index installed, removed), states people told

Names, not rights: who may see what is decided elsewhere, by tenancies. All times are UTC; a span ends before
``valid_to``, ``None`` = until further notice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from metering.meter import MeterId

__all__ = [
    "Contract",
    "Customer",
    "Customers",
    "CutMade",
    "Deductible",
    "Event",
    "MeterFacts",
    "ProtocolIndex",
    "Tenancy",
    "ToldState",
]


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who is billed.

    Attributes:
        code: the billing system's own.
        name: for people; personal, never logged.
        customer_class: whose rule settings count, empty = everybody's.
        language: ``pl``, ``ro``, ``en``.
        email: where notices go, empty if none.
    """

    code: str
    name: str = ""
    customer_class: str = ""
    language: str = "en"
    email: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a customer signed.

    Attributes:
        number: the billing system's own.
        customer: code.
        tariff: the billing system's name of it.
    """

    number: str
    customer: str
    tariff: str = ""


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A contract at a service point from..to."""

    contract: str
    service_point: str
    valid_from: datetime
    valid_to: datetime | None = None

    def holds_at(self, moment: datetime) -> bool:
        """Whether it was in force then."""
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)


@dataclass(frozen=True, slots=True)
class Deductible:
    """A service point behind another whose volume is taken off (garden, a flat with its own contract)."""

    service_point: str
    sub: str
    valid_from: datetime
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class MeterFacts:
    """What is engraved on a meter.

    Attributes:
        meter: which.
        digits: whole digits on the dial.
        q3_m3h: permanent flow rate (ISO 4064-1), m3/h.
        legal_until: last local day of its legalization.
    """

    meter: MeterId
    digits: int | None = None
    q3_m3h: Decimal | None = None
    legal_until: date | None = None


class Event(StrEnum):
    """What a protocol is about."""

    INSTALLED = "installed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ProtocolIndex:
    """The index somebody wrote down when a meter was installed or removed, m3.

    Attributes:
        meter: which.
        service_point: where.
        at: when, UTC: the installation's begin or end.
        event: which of the two.
        value: index, m3, exact.
        by: who wrote it down.
        reference: number of the protocol, or a photo's.
    """

    meter: MeterId
    service_point: str
    at: datetime
    event: Event
    value: Decimal
    by: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ToldState:
    """A state a person told, taken or refused: kept as evidence.

    Attributes:
        meter: whose dial.
        service_point: where it hung.
        register: key of the register.
        read_at: when it was read, UTC.
        value: m3; ``None`` = what was typed is no number.
        typed: what was typed or told.
        channel: ``visit`` (of before: ``reader``), ``web``, ``phone``, ``e-mail``, ``photo``.
        by: who entered it.
        reference: of a photo or a route, empty if none.
        entered_at: UTC.
        answer: what came of it: ``received``, or the reason it was refused.
        told: what the answer's sentence is filled with, as JSON.
        window: the self-reading window or the reader's route it belongs to.
        accepted_at: when the utility took it over, UTC; from then on it counts and cannot be edited.
        number: as it was stored; 0 before.
    """

    meter: MeterId
    service_point: str
    register: str
    read_at: datetime
    value: Decimal | None
    typed: str
    channel: str
    by: str
    entered_at: datetime
    answer: str
    reference: str = ""
    told: str = "{}"
    window: str = ""
    accepted_at: datetime | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class CutMade:
    """A moment at which a period ends out of turn, with who said so and why.

    Attributes:
        service_point: where.
        at: UTC.
        cause: ``final`` or ``on demand``.
        reason: one sentence.
        by: who.
        entered_at: UTC.
    """

    service_point: str
    at: datetime
    cause: str
    reason: str
    by: str
    entered_at: datetime


class Customers(Protocol):
    """Whom, for what, from when; and what people told."""

    def put_customers(self, customers: Sequence[Customer]) -> None:
        """Enter customers or replace what is said of them."""
        ...

    def put_contracts(self, contracts: Sequence[Contract]) -> None:
        """Enter contracts or replace what is said of them."""
        ...

    def put_tenancies(self, tenancies: Sequence[Tenancy]) -> None:
        """Enter tenancies; the same contract, service point and begin replaces."""
        ...

    def put_deductibles(self, deductibles: Sequence[Deductible]) -> None:
        """Enter who is deducted from whom; the same pair and begin replaces."""
        ...

    def put_meter_facts(self, facts: Sequence[MeterFacts]) -> None:
        """Enter what is engraved on meters, or replace it."""
        ...

    def put_protocols(self, protocols: Sequence[ProtocolIndex]) -> None:
        """Enter indices of protocols; the same meter, place, time and event replaces."""
        ...

    def put_cuts(self, cuts: Sequence[CutMade]) -> None:
        """Enter cuts; one that is there stays as it is."""
        ...

    def customers(self, codes: Collection[str]) -> Mapping[str, Customer]:
        """Give those of the customers that are known."""
        ...

    def contracts(self, numbers: Collection[str]) -> Mapping[str, Contract]:
        """Give those of the contracts that are known."""
        ...

    def contracts_of(self, customer: str) -> Sequence[Contract]:
        """Give the contracts of a customer, by number."""
        ...

    def tenancies_of(self, contracts: Collection[str]) -> Sequence[Tenancy]:
        """Give the tenancies of contracts, by begin."""
        ...

    def tenancies_at(self, service_points: Collection[str]) -> Mapping[str, Sequence[Tenancy]]:
        """Give the tenancies at service points, by begin; nothing for those without."""
        ...

    def any_tenancy(self) -> bool:
        """Whether tenancies are kept here at all."""
        ...

    def deductibles(self, service_points: Collection[str]) -> Mapping[str, Sequence[Deductible]]:
        """Give what is deducted from service points, by sub-meter's service point."""
        ...

    def meter_facts(self, meters: Collection[MeterId]) -> Mapping[MeterId, MeterFacts]:
        """Give what is known of meters."""
        ...

    def protocols(self, meters: Collection[MeterId]) -> Mapping[MeterId, Sequence[ProtocolIndex]]:
        """Give the indices of protocols, by time."""
        ...

    def cuts(self, service_points: Collection[str]) -> Mapping[str, Sequence[CutMade]]:
        """Give the cuts at service points, by time."""
        ...

    def add_states(self, states: Sequence[ToldState]) -> Sequence[int]:
        """Keep states people told; gives their numbers."""
        ...

    def accept_state(self, number: int, at: datetime) -> bool:
        """Take a state over, so that it counts. Gives whether it was received and not taken over yet."""
        ...

    def accepted_states(
        self, meters: Collection[MeterId], register: str, since: datetime, until: datetime
    ) -> Mapping[MeterId, Sequence[ToldState]]:
        """Give states that were taken over, read within ``since <= t <= until``, by time."""
        ...

    def states_at(self, service_point: str, window: str | None = None) -> Sequence[ToldState]:
        """Give all states told at a service point, of one window if named, by number."""
        ...

    def waiting_states(self, limit: int = 500) -> Sequence[ToldState]:
        """Give states that were received and not taken over yet, by number."""
        ...
