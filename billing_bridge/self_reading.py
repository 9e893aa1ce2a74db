"""What a customer enters: windows, what is refused and why, in one sentence of the customer's language.

::

    entered ──> refused (kept as evidence)
       │──────> to confirm: more than usual; the same state once more confirms it
       └──────> received ──edited──> received ──accepted──> counts for the bill, no longer editable

Everything entered is kept, refused or not, with who, when and by which way: it is evidence in a complaint.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TypeAlias
from zoneinfo import ZoneInfo

from billing_bridge.validate import CustomerCase, Policy, Verdict, validate_customer
from billing_bridge.window import Window
from metering.consumption import start_of_day
from metering.errors import InvalidValue
from metering.reading import exact

__all__ = [
    "LANGUAGES",
    "Answer",
    "Channel",
    "Entered",
    "Known",
    "Plausibility",
    "Rules",
    "SelfReading",
    "enter",
]

LANGUAGES = ("en", "pl", "ro")

Told: TypeAlias = Mapping[str, Decimal | date | int | str]
"""What a sentence is filled with."""

_NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,6})?", re.ASCII)


class Channel(StrEnum):
    """The way a customer's state came."""

    WEB = "web"
    PHONE = "phone"
    EMAIL = "e-mail"
    PHOTO = "photo"


class Answer(StrEnum):
    """What became of an entry; a refusal is the name of its sentence."""

    RECEIVED = "received"
    TO_CONFIRM = "to_confirm"
    NOT_A_NUMBER = "not_a_number"
    TOO_MANY_DIGITS = "too_many_digits"
    WINDOW_CLOSED = "window_closed"
    BELOW_BOOKED = "below_booked"
    BELOW_SENT = "below_sent"
    ABOVE_SENT = "above_sent"
    THOUSANDFOLD = "thousandfold"
    FAR_TOO_HIGH = "far_too_high"
    ALREADY_ACCEPTED = "already_accepted"


@dataclass(frozen=True, slots=True)
class Plausibility:
    """How far above the usual a customer's state may be.

    Attributes:
        confirm_ratio: from here on the customer confirms.
        refuse_ratio: from here on it is refused.
        excess_m3: less than this above the usual is never asked about.
        norm_m3_per_day: usual usage where nothing is on record.
    """

    confirm_ratio: Decimal = Decimal("2.0")
    refuse_ratio: Decimal = Decimal("4.0")
    excess_m3: Decimal = Decimal(5)
    norm_m3_per_day: Decimal = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a utility sets for customers' states."""

    plausibility: Plausibility = field(default_factory=Plausibility)
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the register.

    Attributes:
        zone: the utility's.
        booked: index of the last billing read, m3; ``None`` = never billed.
        booked_at: when that was, UTC.
        sent: last index the meter sent before now; ``None`` = none.
        usual_m3_per_day: from history; ``None`` = nothing is on record.
        digits: whole digits on the dial; ``None`` = not known.
    """

    zone: ZoneInfo
    booked: Decimal | None = None
    booked_at: datetime | None = None
    sent: Decimal | None = None
    usual_m3_per_day: Decimal | None = None
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """One entry, as it was made.

    Attributes:
        text: what was typed or told.
        at: UTC.
        by: who entered it: the customer, or the clerk who took the call.
        channel: by which way.
        answer: what became of it.
        value: the state, m3; ``None`` if it is no number.
        told: what the sentence is filled with.
        photo: reference of a photo, empty if none.
    """

    text: str
    at: datetime
    by: str
    channel: Channel
    answer: Answer = Answer.RECEIVED
    value: Decimal | None = None
    told: Told | None = None
    photo: str = ""

    def sentence(self, language: str) -> str:
        """Say why it was not taken, in one sentence; empty if it was.

        Raises:
            InvalidValue: a language there are no texts in.
        """
        if language not in LANGUAGES:
            raise InvalidValue(f"no texts in {language!r}; there are {', '.join(LANGUAGES)}")
        if self.answer is Answer.RECEIVED:
            return ""
        filled = {name: _shown(value, language) for name, value in (self.told or {}).items()}
        return _texts()[self.answer][language].format_map(filled)


@dataclass(frozen=True, slots=True)
class SelfReading:
    """What came of one register in one window.

    Attributes:
        entries: everything entered, in order; nothing is ever taken out.
        accepted: when the utility took the state over, UTC; ``None`` = it can still be edited.
    """

    entries: tuple[Entered, ...] = ()
    accepted: datetime | None = None

    @property
    def current(self) -> Entered | None:
        """The entry that counts: the last one received."""
        received = [one for one in self.entries if one.answer is Answer.RECEIVED]
        return received[-1] if received else None

    def accept(self, at: datetime) -> SelfReading:
        """Take the state over: from now on it cannot be edited.

        Raises:
            InvalidValue: no state was received.
        """
        if self.current is None:
            raise InvalidValue("there is no state to accept")
        return replace(self, accepted=self.accepted or at)


def enter(
    so_far: SelfReading, entry: Entered, known: Known, window: Window, rules: Rules | None = None
) -> SelfReading:
    """Judge an entry and keep it, whatever came of it: the answer is that of the last of ``entries``."""
    set_to = rules or Rules()
    value = _value(entry.text)
    days = window.days(entry.at.astimezone(known.zone).date())
    if value is None:
        answer = Answer.NOT_A_NUMBER
    else:
        answer = _against_records(value, so_far, entry.at, known, days, set_to.policy)
        if answer is Answer.RECEIVED:
            answer = _plausible(value, so_far, entry.at, known, set_to.plausibility)
    kept = replace(entry, answer=answer, value=value, told=_told(entry.text, value, known, days))
    return replace(so_far, entries=(*so_far.entries, kept))


def _value(text: str) -> Decimal | None:
    plain = text.strip().replace("\u00a0", "").replace(" ", "")
    return Decimal(plain.replace(",", ".")) if _NUMBER.fullmatch(plain) else None


def _told(text: str, value: Decimal | None, known: Known, days: tuple[date, date]) -> Told:
    told: dict[str, Decimal | date | int | str] = {
        "entered": text.strip()[:40] if value is None else value,
        "opens": days[0],
        "closes": days[1],
    }
    if value is not None:
        told["black"] = value // 1000
    if known.booked is not None:
        told["booked"] = known.booked
    if known.digits is not None:
        told["digits"] = known.digits
    return told


def _against_records(  # noqa: PLR0913, PLR0917  one rule, everything it looks at
    value: Decimal, so_far: SelfReading, at: datetime, known: Known, days: tuple[date, date], policy: Policy
) -> Answer:
    """R19, and which sentence tells it."""
    opens, closes = start_of_day(days[0], known.zone), start_of_day(days[1] + timedelta(days=1), known.zone)
    settled = so_far.accepted is not None
    case = CustomerCase(value, at, opens, closes, known.booked, known.sent, settled)
    (told,) = validate_customer(case, policy)
    refusal = Answer.RECEIVED if told.verdict is Verdict.PASSED else _refusal(case)
    if refusal in {Answer.WINDOW_CLOSED, Answer.ALREADY_ACCEPTED}:
        return refusal
    if known.booked is not None and _thousandfold(value, known.booked):
        return Answer.THOUSANDFOLD
    if known.digits is not None and value >= Decimal(10) ** known.digits:
        return Answer.TOO_MANY_DIGITS
    return refusal


def _refusal(case: CustomerCase) -> Answer:
    if (case.opens and case.at < case.opens) or (case.closes and case.at >= case.closes):
        return Answer.WINDOW_CLOSED
    if case.settled:
        return Answer.ALREADY_ACCEPTED
    if case.booked is not None and case.value < case.booked:
        return Answer.BELOW_BOOKED
    return Answer.BELOW_SENT if case.radio is not None and case.value < case.radio else Answer.ABOVE_SENT


def _thousandfold(value: Decimal, booked: Decimal) -> bool:
    """Whether the red digits were typed too: a thousandth of it goes on from what was booked."""
    return booked <= value // 1000 <= 2 * booked + 100 and value > 10 * (booked + 100)


def _plausible(
    value: Decimal, so_far: SelfReading, at: datetime, known: Known, limits: Plausibility
) -> Answer:
    if known.booked is None or known.booked_at is None:
        return Answer.RECEIVED
    used = value - known.booked
    days = Decimal(max((at - known.booked_at) // timedelta(days=1), 1))
    usual = days * (known.usual_m3_per_day or limits.norm_m3_per_day)
    if used - usual <= limits.excess_m3 or used <= limits.confirm_ratio * usual:
        return Answer.RECEIVED
    if used > limits.refuse_ratio * usual:
        return Answer.FAR_TOO_HIGH
    return Answer.RECEIVED if _confirms(so_far, value) else Answer.TO_CONFIRM


def _confirms(so_far: SelfReading, value: Decimal) -> bool:
    """Whether this very state was asked about just before."""
    before = so_far.entries[-1:] or ()
    return any(one.answer is Answer.TO_CONFIRM and one.value == value for one in before)


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("billing_bridge").joinpath("self_reading.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _shown(value: Decimal | date | int | str, language: str) -> str:
    """Numbers with the language's decimal sign, dates as ISO 8601."""
    if isinstance(value, Decimal):
        plain = format(exact(value), "f")
        return plain if language == "en" else plain.replace(".", ",")
    return value.isoformat() if isinstance(value, date) else str(value)
