"""Operators' pages in Polish, Romanian and English: as the browser asks, or as somebody chose."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import service.web
from service.web.i18n import LANGUAGES, chosen, load

LOCALES = Path(service.web.__file__).parent / "locales"
METERS = {"pl": "Liczniki", "ro": "Contoare", "en": "Meters"}


def own(language: str) -> set[str]:
    """Keys of a language's own file."""
    told = tomllib.loads((LOCALES / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{part}.{key}" for part, texts in told.items() for key in texts}


def heading(page: str) -> str:
    return re.search(r'<a href="/meters"[^>]*>([^<]+)</a>', page)[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_in_the_language_the_browser_asks_for(web, language):
    answer = web.get("/meters", headers={"accept-language": f"{language}-XX,fr;q=0.8,en;q=0.5"})
    assert heading(answer.text) == METERS[language]
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["vary"] == "Accept-Language, Cookie"


@pytest.mark.parametrize("language", ["pl", "ro"])
@pytest.mark.parametrize(
    "address",
    ["/", "/meters", "/telegrams", "/findings", "/districts", "/billing/exceptions", "/gateways", "/coverage",
     "/foreign", "/quarantine", "/api/docs", "/meters/KAM-11223344-1b-16", "/nothing"],
)  # fmt: skip
def test_every_page_is_made_in_every_language(web, language, address):
    shown = web.get(address, headers={"accept-language": language})
    assert shown.status_code == (404 if address == "/nothing" else 200)
    assert heading(shown.text) == METERS[language]


def test_a_chosen_language_counts_more_than_the_browsers(web):
    answer = web.post("/language", params={"next": "/meters?search=x"}, data={"to": "ro"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/meters?search=x")
    assert "HttpOnly" in answer.headers["set-cookie"]
    both = {"accept-language": "pl", "cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert heading(web.get("/meters", headers=both).text) == METERS["ro"]


@pytest.mark.parametrize("away", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
def test_choosing_a_language_never_leads_to_another_site(web, away):
    answer = web.post("/language", params={"next": away}, data={"to": "pl"})
    assert answer.headers["location"] == "/"


def test_a_language_that_is_not_there_is_refused(web):
    refused = web.post("/language", data={"to": "xx"})
    assert refused.status_code == 422
    assert "pl, ro, en" in refused.text


@pytest.mark.parametrize(
    ("said", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "de,fr", "en"),
        ("", "de, RO;q=0.9", "ro"),
        ("pl", "ro", "pl"),
        ("../x", "ro", "ro"),
    ],
)
def test_the_first_language_there_is_counts(said, accepted, language):
    assert chosen(said, accepted).language == language


@pytest.mark.parametrize("language", ["pl", "ro"])
def test_hardly_anything_of_a_language_is_left_in_english(language):
    missing, keys = own("en") - own(language), own("en")
    assert len(missing) <= 0.03 * len(keys), sorted(missing)
    assert own(language) <= keys


@pytest.mark.parametrize("language", ["pl", "ro"])
def test_what_a_language_says_fits_the_places_for_values(language):
    english = load().texts
    for key, text in load(language).texts.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), key
