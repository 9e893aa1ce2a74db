"""Words, numbers and dates as customers read them, in Polish, Romanian and English."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib import resources
from zoneinfo import ZoneInfo

from service.customers.asked import Asked
from service.web.i18n import Catalogue
from service.web.periods import Span

__all__ = ["LANGUAGES", "Words", "words"]

LANGUAGES = ("pl", "ro", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """A language.

    Attributes:
        texts: its catalogue.
    """

    texts: Catalogue

    @property
    def language(self) -> str:
        """``pl``, ``ro``, ``en``."""
        return self.texts.language

    def __call__(self, key: str, **values: object) -> str:
        """Give a text."""
        return self.texts(key, **values)

    def number(self, value: Decimal, places: int = 0) -> str:
        """Give a number exactly, with the language's decimal sign; zeros up to ``places``."""
        whole, _, fraction = format(abs(value), "f").partition(".")
        fraction = fraction.ljust(places, "0")
        grouped = f"{int(whole):,}".replace(",", self.texts("number.group"))
        text = grouped + (self.texts("number.point") + fraction if fraction else "")
        return f"\N{MINUS SIGN}{text}" if value < 0 else text

    def cubic_metres(self, value: Decimal) -> str:
        """Give a volume with its unit."""
        return f"{self.number(value)}\N{NO-BREAK SPACE}m³"

    def day(self, day: date) -> str:
        """Give a date as it is written there."""
        return self.texts("number.day", day=day.day, month=day.month, year=day.year)

    def moment(self, moment: datetime, zone: ZoneInfo) -> str:
        """Give a local date and time."""
        local = moment.astimezone(zone)
        return f"{self.day(local.date())} {local:%H:%M}"

    def stretch(self, start: datetime, end: datetime, zone: ZoneInfo) -> str:
        """Give a stretch in local time, as short as it can be said."""
        begin, finish = start.astimezone(zone), end.astimezone(zone)
        last = finish.date() - timedelta(days=1)
        if begin.time() == finish.time() == time():
            if begin.day == finish.day == 1 and (last.year, last.month) == (begin.year, begin.month):
                return f"{self.texts(f'month_name.{begin.month}')} {begin.year}"
            if last == begin.date():
                return self.day(last)
            return f"{self.day(begin.date())} \N{EN DASH} {self.day(last)}"
        name = "" if begin.utcoffset() == finish.utcoffset() else " %Z"  # the hour that comes twice
        if begin.date() == finish.date():
            return f"{self.day(begin.date())} {begin:%H:%M{name}}\N{EN DASH}{finish:%H:%M{name}}"
        if last == begin.date() and finish.time() == time():
            return f"{self.day(begin.date())} {begin:%H:%M}\N{EN DASH}24:00"
        return f"{self.moment(start, zone)} \N{EN DASH} {self.moment(end, zone)}"

    def title(self, asked: Asked) -> str:
        """Name what was asked for."""
        return self.days(asked.first, asked.last, asked.span)

    def days(self, first: date, last: date, span: Span | None = None) -> str:
        """Name a span of days, ``last`` exclusive."""
        last_day = last - timedelta(days=1)
        return self.texts(
            f"period.{span or 'range'}",
            day=first.day,
            weekday=self.texts(f"weekday.{first.isoweekday()}"),
            month=self.texts(f"month.{first.month}"),
            month_name=self.texts(f"month_name.{first.month}"),
            year=first.year,
            last_day=last_day.day,
            last_month=self.texts(f"month.{last_day.month}"),
            last_year=last_day.year,
            first=self.day(first),
            last=self.day(last_day),
        )


@functools.cache
def words(language: str) -> Words:
    """Give a language; English for one we do not have."""
    known = language if language in LANGUAGES else "en"
    source = resources.files("service.customers").joinpath("locales", f"{known}.toml")
    return Words(Catalogue(known, dict(_flat(tomllib.loads(source.read_text(encoding="utf-8"))))))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
