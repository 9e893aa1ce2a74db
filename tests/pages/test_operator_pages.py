"""The operators' billing pages in a real browser: signing in, deciding, languages, no barriers, pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from operators_street import PASSWORD
from playwright.sync_api import Page

pytestmark = pytest.mark.servers

QUEUE = "/billing/exceptions"
GRAVE = {"serious", "critical"}


def sign_in(page: Page, desk: str, name: str = "anna.kowal", password: str = PASSWORD) -> None:
    page.goto(f"{desk}{QUEUE}")
    page.fill("#name", name)
    page.fill("#password", password)
    page.click("main button[type=submit]")


def in_language(page: Page, desk: str, language: str) -> None:
    page.context.add_cookies([{"name": "nurt_language", "value": language, "url": desk}])


def picture(page: Page, name: str, folder: Path) -> None:
    """Keep a picture of the whole page: for the docs with `make pictures`, else to see that it is one."""
    kept = Path(os.environ.get("NURT_PICTURES", folder)) / f"{name}.png"
    page.screenshot(path=kept, full_page=True)
    assert kept.stat().st_size > 5_000


def test_a_person_signs_in_decides_under_their_name_and_signs_out(page, desk):
    sign_in(page, desk, password="not the password")
    assert page.text_content(".refused") == "Name or password is wrong."
    assert page.input_value("#name") == "anna.kowal"
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{QUEUE}")
    page.click("table a >> nth=0")
    page.fill("#reason", "a reader will look")
    page.click("button[value=reader]")
    page.locator("main", has_text="anna.kowal: a reader will look").wait_for()
    page.click(".who button")
    page.wait_for_url("**/login")
    page.goto(f"{desk}/meters")
    assert page.url.startswith(f"{desk}/login?next=")


def test_a_language_is_chosen_and_stays(page, desk):
    sign_in(page, desk)
    page.wait_for_url(f"**{QUEUE}")
    page.click(".languages button[value=pl]")
    page.locator("h1", has_text="Rozliczenia: co czeka na decyzję").wait_for()
    assert page.url == f"{desk}{QUEUE}"
    page.goto(f"{desk}/meters")
    assert page.locator("html").get_attribute("lang") == "pl"


@pytest.mark.parametrize("language", ["pl", "ro", "en"])
def test_no_page_of_billing_has_a_grave_barrier_or_is_wider_than_a_telephone(page, desk, language):
    in_language(page, desk, language)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{desk}/login")
    barriers(page)
    sign_in(page, desk)
    page.wait_for_url(f"**{QUEUE}")
    barriers(page)
    page.click("table a >> nth=0")
    page.wait_for_url(f"**{QUEUE}/*")
    barriers(page)
    for path in ("/billing/orders", "/billing/checks", "/districts", "/findings"):
        page.goto(f"{desk}{path}")
        barriers(page)


def barriers(page: Page) -> None:
    found = Axe().run(page)
    grave = [one["id"] for one in found.response["violations"] if one["impact"] in GRAVE]
    assert grave == [], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_pictures_of_the_billing_pages(page, desk, tmp_path):
    """`make pictures` keeps them in docs/images."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{desk}/login")
    picture(page, "operators-login", tmp_path)
    sign_in(page, desk)
    page.wait_for_url(f"**{QUEUE}")
    picture(page, "billing-queue", tmp_path)
    page.click("tr:has-text('Much more was used') a >> nth=0")
    page.wait_for_url(f"**{QUEUE}/*")
    picture(page, "billing-question", tmp_path)
    page.click("a[href*='/billing/evidence']")
    page.wait_for_url("**/billing/evidence**")
    picture(page, "billing-evidence", tmp_path)
    in_language(page, desk, "pl")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{desk}{QUEUE}")
    picture(page, "billing-queue-phone", tmp_path)


def test_pictures_of_a_customers_charts(page, house, tmp_path):
    """A year by months, a day by hours, a month on a telephone."""
    page.set_viewport_size({"width": 1100, "height": 800})
    page.goto(f"{house.link()}?span=year&day=2025-06-01&lang=pl&compare=none")
    picture(page, "customer-year", tmp_path)
    page.goto(f"{house.link()}?span=month&day=2026-03-12&lang=pl&compare=last-year")
    picture(page, "customer-month", tmp_path)
    page.goto(f"{house.link()}?span=week&day=2026-04-13&lang=en&shape=line&compare=previous")
    picture(page, "customer-week", tmp_path)
    link = house.link()
    page.goto(f"{link}?span=month&day=2026-04-18&lang=en")
    page.click("button[value=yes]")
    page.wait_for_selector("button[value=no]")
    page.goto(f"{link}?span=day&day=2026-04-18&lang=en&compare=previous")
    picture(page, "customer-day", tmp_path)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{house.link()}?span=month&day=2026-03-12&lang=ro&compare=last-year")
    picture(page, "customer-phone", tmp_path)
