"""Settings of billing, and the utility the bridge knows made of them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from billing_bridge.arbiter import Arbitration
from billing_bridge.boundary import Rounding
from billing_bridge.duration import read_duration
from billing_bridge.estimate import POLAND, ROMANIA, ROMANIA_THREE_MONTHS, Method, Settings
from billing_bridge.export.json_http import Url
from billing_bridge.export.signature import Secret
from billing_bridge.period import MONTHLY, Calendar, Calendars
from billing_bridge.self_reading import Plausibility, Rules
from billing_bridge.utility import Late, Overdue, Utility
from billing_bridge.validate import STAGES, Policy
from billing_bridge.window import Window
from metering.errors import SettingsError
from service.settings_topics import Section

__all__ = ["BillingSettings"]

_ESTIMATES: dict[str, tuple[Method, ...]] = {
    "none": (),
    "poland": POLAND,
    "romania": ROMANIA,
    "romania three months": ROMANIA_THREE_MONTHS,
}


def _texts(said: object) -> object:
    """Take numbers of a settings file as they are written: rules read text."""
    if not isinstance(said, dict):
        return said
    return {
        rule: {name: str(value) for name, value in known.items()} if isinstance(known, dict) else known
        for rule, known in said.items()
    }


def _class_texts(said: object) -> object:
    return {name: _texts(known) for name, known in said.items()} if isinstance(said, dict) else said


RuleTexts = dict[str, dict[str, str]]


class BillingSettings(Section):
    """Who is billed when, how indices are taken, and where reads go."""

    tenant: str = Field(
        default="utility", description="name of the utility in the keys of reads", min_length=1
    )
    months: list[int] = Field(default=list(MONTHLY), description="months in which a billing period begins")
    first_day: int = Field(default=1, description="day of the month (1-28) on which it begins", ge=1, le=28)
    routes: dict[str, dict[str, list[int] | int]] = Field(
        default={}, description="reading routes with months and first_day of their own"
    )
    step_m3: Decimal = Field(
        default=Decimal(1), description="indices are floored to this for the bill, m3", gt=0
    )
    radio_window: str = Field(default="1 d", description="how far from the end a meter's own read may be")
    manual_window: str = Field(default="3 d", description="how far a reader's or a customer's state may be")
    tolerance_m3: Decimal = Field(
        default=Decimal(1), description="by how much a person's state may leave the meter's reads, m3", ge=0
    )
    estimates: Literal["none", "poland", "romania", "romania three months"] = Field(
        default="none", description="by which law an index is projected where no later read is known"
    )
    norm_m3_per_day: Decimal | None = Field(
        default=None, description="norm of usage where nothing is on record, m3 a day", gt=0
    )
    late: Literal["propose", "absorb"] = Field(
        default="propose", description="late reads propose a correction, or the next period absorbs them"
    )
    wait: str = Field(default="0 h", description="how long after its end a period may be closed")
    four_eyes_m3: Decimal | None = Field(
        default=None, description="decisions that move more than this need a second person, m3", ge=0
    )
    self_reading_days: list[int] = Field(
        default=[1, 31], description="first and last day of the month customers' states are taken"
    )
    self_reading_months: list[int] = Field(
        default=list(MONTHLY), description="months in which they are taken"
    )
    rules: Annotated[RuleTexts, BeforeValidator(_texts)] = Field(
        default={}, description="settings of rules: `nurt billing rules` lists them"
    )
    classes: Annotated[dict[str, RuleTexts], BeforeValidator(_class_texts)] = Field(
        default={}, description="the same for classes of customers"
    )
    class_m3_per_day: dict[str, Annotated[Decimal, Field(gt=0)]] = Field(
        default={}, description="usual m3 a day of a class, where too few were billed to take a median"
    )
    reader_days: int = Field(default=14, description="days a reader has, unless said otherwise", ge=1, le=365)
    after_deadline: Literal["estimate", "wait"] = Field(
        default="estimate", description="a period whose reader did not come in time is estimated, or waits on"
    )
    order_readers: bool = Field(
        default=True, description="a reader is ordered where nobody saw the meter for too long (R13)"
    )
    round_minutes: int = Field(
        default=10, description="minutes between two rounds of `nurt billing round`; 0 = never", ge=0, le=1440
    )
    nightly_hour: int | None = Field(
        default=3, description="local hour of the nightly review and reconciliation", ge=0, le=23
    )
    target: str = Field(default="cis", description="name of the billing system", min_length=1)
    url: str | None = Field(default=None, description="where reads are sent: https://...", repr=False)
    secret_file: Path | None = Field(
        default=None, description="file with the secrets that sign them, a line each"
    )
    inbox_url: str | None = Field(
        default=None, description="where invoices and balances are fetched from", repr=False
    )
    preview_url: str | None = Field(
        default=None, description="where the billing system prices a read without booking it", repr=False
    )
    send: bool = Field(default=True, description="nurt run sends what waits, if there is a url or a folder")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self.utility("UTC")
        self.self_reading_window()
        for url in (self.url, self.inbox_url, self.preview_url):
            if url is not None:
                Url.parse(url)
        if (self.url or self.inbox_url or self.preview_url) and self.secret_file is None:
            raise ValueError("url, inbox_url and preview_url need secret_file: messages are signed")
        return self

    def utility(self, zone: str) -> Utility:
        """Give the utility as the bridge knows it.

        Raises:
            InvalidValue: a calendar, a length of time or a rule's setting cannot be.
        """
        where = ZoneInfo(zone)
        usual = Calendar(where, tuple(self.months), self.first_day)
        policy = Policy(self.rules, self.classes)
        policy.check(rule for stage in STAGES.values() for rule in stage)
        estimates = Settings(_ESTIMATES[self.estimates], self.norm_m3_per_day)
        radio, manual = read_duration(self.radio_window), read_duration(self.manual_window)
        return Utility(
            tenant=self.tenant,
            calendars=Calendars(
                usual, {name: _calendar(name, said, usual) for name, said in self.routes.items()}
            ),
            rounding=Rounding(where, self.step_m3, radio, estimates),
            arbitration=Arbitration(radio, manual, self.tolerance_m3),
            policy=policy,
            target=self.target,
            late=Late(self.late),
            wait=read_duration(self.wait),
            four_eyes_m3=self.four_eyes_m3,
            class_usage=self.class_m3_per_day,
            reader_days=self.reader_days,
            overdue=Overdue(self.after_deadline),
            order_readers=self.order_readers,
        )

    def self_reading_window(self) -> Window:
        """Give when customers' states are taken.

        Raises:
            InvalidValue: not days of a month.
        """
        days = self.self_reading_days
        if len(days) != 2:
            raise ValueError("self_reading_days are two days of the month: [25, 31]")
        return Window(days[0], days[1], tuple(self.self_reading_months))

    def self_reading_rules(self, zone: str) -> Rules:
        """Give what is set for customers' states."""
        return Rules(Plausibility(), self.utility(zone).policy)

    def secrets(self) -> tuple[Secret, ...]:
        """Read the secrets that sign.

        Raises:
            SettingsError: the file cannot be read, or a line of it is no secret; the sentence repeats none.
        """
        if self.secret_file is None:
            return ()
        try:
            lines = self.secret_file.read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as wrong:
            reason = getattr(wrong, "strerror", None) or "not UTF-8 text"
            raise SettingsError(f"billing.secret_file {self.secret_file} cannot be read: {reason}") from wrong
        if not lines:
            raise SettingsError(f"billing.secret_file {self.secret_file} is empty")
        try:
            return tuple(Secret.parse(line) for line in lines)
        except ValueError as wrong:
            raise SettingsError(f"billing.secret_file {self.secret_file}: {wrong}") from None


def _calendar(route: str, said: dict[str, list[int] | int], usual: Calendar) -> Calendar:
    months, first_day = said.get("months", list(usual.begins_in)), said.get("first_day", usual.first_day)
    unknown = said.keys() - {"months", "first_day"}
    if unknown or not isinstance(months, list) or not isinstance(first_day, int):
        raise ValueError(f"route {route} has months = [1, 3, ...] and first_day = 1, nothing else")
    return Calendar(usual.zone, tuple(months), first_day)
