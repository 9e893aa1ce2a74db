"""The three languages say the same things."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from service.customers.words import LANGUAGES, words

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_text_with_the_same_names(language):
    mine, english = words(language).texts.texts, words("en").texts.texts
    assert mine.keys() == english.keys()
    for key, text in mine.items():
        if not key.startswith(("number.", "period.")):
            names = set(re.findall(r"\{(\w+)", text))
            assert names == set(re.findall(r"\{(\w+)", english[key])), key


def test_an_unknown_language_is_english():
    assert words("xx").language == "en"


def test_numbers_are_written_as_there_and_exact():
    value = Decimal("-1234567.1020")
    assert words("pl").number(value) == "\N{MINUS SIGN}1\xa0234\xa0567,1020"
    assert words("ro").number(value) == "\N{MINUS SIGN}1.234.567,1020"
    assert words("en").number(Decimal(7), 3) == "7.000"


def test_stretches_are_said_as_short_as_can_be():
    def at(*parts: int, fold: int = 0) -> datetime:
        return datetime(*parts, tzinfo=WARSAW, fold=fold).astimezone(UTC)

    pl = words("pl")
    assert pl.stretch(at(2026, 3, 1), at(2026, 4, 1), WARSAW) == "marzec 2026"
    assert pl.stretch(at(2026, 3, 2), at(2026, 3, 3), WARSAW) == "2.03.2026"
    assert pl.stretch(at(2026, 3, 2), at(2026, 3, 9), WARSAW) == "2.03.2026 \N{EN DASH} 8.03.2026"
    assert pl.stretch(at(2026, 3, 2, 7), at(2026, 3, 2, 8), WARSAW) == "2.03.2026 07:00\N{EN DASH}08:00"
    assert pl.stretch(at(2026, 3, 2, 23), at(2026, 3, 3), WARSAW) == "2.03.2026 23:00\N{EN DASH}24:00"
    twice = pl.stretch(at(2026, 10, 25, 2), at(2026, 10, 25, 2, fold=1), WARSAW)
    assert twice == "25.10.2026 02:00 CEST\N{EN DASH}02:00 CET"
