"""Addresses of the page: the same span with something else chosen, earlier, later, finer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from fastapi import Request

from metering.consumption import Step
from service.customers.asked import Asked, Compare, Shape
from service.web.periods import Period, Span

__all__ = ["address", "around", "finer"]


def address(request: Request, asked: Asked, **change: object) -> str:
    """Give the address of this page with something else asked for; a span and a range replace each other."""
    said: dict[str, object] = {"compare": asked.compare, "shape": asked.shape}
    if asked.span is not None:
        said |= {"span": asked.span, "day": asked.first, "step": asked.step}
    else:
        said |= {"first": asked.first, "last": request.query_params.get("last", ""), "step": asked.step}
    if "span" in change or "day" in change:
        said = {name: value for name, value in said.items() if name not in {"first", "last", "step"}}
    said |= {"lang": request.query_params.get("lang", ""), **change}
    usual = {"compare": Compare.NONE, "shape": Shape.COLUMNS}
    given = {
        name: value for name, value in said.items() if value not in {"", None} and usual.get(name) != value
    }
    return f"?{urlencode(given)}"


def finer(to: Callable[..., str], asked: Asked, start: datetime, end: datetime, *, hours: bool) -> str:
    """Give where a column leads: a month to its days, a day to its hours if those may be shown."""
    days = (end.date() - start.date()).days
    if asked.step is Step.MONTH and days >= 1:
        return to(span=Span.MONTH, day=start.date())
    if asked.step is Step.WEEK:
        return to(span=Span.WEEK, day=start.date())
    if asked.step is Step.DAY and hours:
        return to(span=Span.DAY, day=start.date())
    return ""


def around(to: Callable[..., str], asked: Asked) -> dict[str, str]:
    """Give where earlier, later and wider lead."""
    if asked.span is None:
        length = asked.last - asked.first
        return {
            "previous": to(first=asked.first - length, last=asked.first - length / length.days),
            "next": to(first=asked.last, last=asked.last + length - length / length.days),
        }
    period = Period.around(asked.span, asked.first)
    return {
        "previous": to(span=asked.span, day=period.previous),
        "next": to(span=asked.span, day=period.following),
    }
