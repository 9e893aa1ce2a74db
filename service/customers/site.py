"""What the customers' pages are made with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from service.billing_self_reading import SelfReadings
from service.customers.door import Door, Guest
from service.customers.words import LANGUAGES, Words, words

__all__ = ["CustomerSite", "site_of", "words_of"]


@dataclass(frozen=True, slots=True)
class CustomerSite:
    """What the pages are made with.

    Attributes:
        door: lets in and shows.
        readings: takes states customers tell; ``None`` = not here.
        language: of pages, unless the customer has one.
        embed: origins that may show our pages in frames.
        title: name of the utility.
        now: the present.
    """

    door: Door
    readings: SelfReadings | None
    language: str
    embed: Sequence[str]
    title: str
    now: Callable[[], datetime]


def site_of(request: Request) -> CustomerSite:
    """Give the site a request belongs to."""
    site: CustomerSite = request.app.state.site
    return site


def words_of(request: Request, site: CustomerSite, guest: Guest | None = None) -> Words:
    """Give the language of an answer: asked for, or the customer's, or the utility's."""
    said = request.query_params.get("lang", "")
    own = guest.customer.language if guest and guest.customer else ""
    return words(next((one for one in (said, own) if one in LANGUAGES), site.language))
