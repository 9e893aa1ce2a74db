"""Every finding says itself in every language."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from anomaly.detector import DETECTORS
from anomaly.texts import LANGUAGES, catalogue, sentence
from metering.errors import InvalidValue
from metering.finding import Stage, Tier

NAMES = sorted({name for detector in DETECTORS for name in detector.names})
AT = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_has_its_sentences_in_all_languages(name):
    texts = catalogue()[name]
    assert set(texts) == set(LANGUAGES)
    assert len({frozenset(re.findall(r"\{(\w+)\}", text)) for text in texts.values()}) == 1, (
        "same numbers in all"
    )
    assert len(set(texts.values())) == len(LANGUAGES), "translated, not copied"


@pytest.mark.parametrize(
    ("language", "number", "word"),
    [("en", "5.5 L/h", "leak"), ("pl", "5,5 l/h", "wyciek"), ("ro", "5,5 l/h", "pierdere")],
)
def test_numbers_and_local_time_are_filled_in(language, number, word):
    stage = Stage(Tier.NOTIFY, "leak.continuous", AT, AT, rate_lph=5.53, loss_l=132.0)
    said = sentence(stage, language, ZoneInfo("Europe/Bucharest"))
    assert number in said
    assert "132" in said
    assert "2026-03-02 00:30" in said
    assert word in said
    assert "{" not in said


def test_a_language_without_texts_is_refused():
    stage = Stage(Tier.NOTIFY, "leak.continuous", AT, AT)
    with pytest.raises(InvalidValue, match="en, pl, ro"):
        sentence(stage, "xx", ZoneInfo("UTC"))
