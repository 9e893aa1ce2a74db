"""The customers' pages in a real browser: drill-down, keys, telephone, languages, no script, no barriers."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.servers

YEAR = "?span=year&day=2026-02-01"
GAP = "?span=month&day=2026-03-01&compare=last-year"


def bars(page):
    return page.locator("svg:visible .bar")


def follow(page, link) -> None:
    """Click, and wait until the page it leads to is there."""
    with page.expect_navigation():
        link.click()


def query(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_year_opens_to_its_months_and_those_to_days_without_a_script(chromium, house):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(house.link() + YEAR)
    assert bars(page).count() == 4
    follow(page, bars(page).nth(0))
    assert query(page) == {"span": ["month"], "day": ["2026-01-01"]}
    assert page.locator("h2").first.text_content() == "styczeń 2026"
    assert bars(page).count() == 31
    follow(page, page.get_by_role("link", name="Później"))
    assert query(page)["day"] == ["2026-02-01"]
    assert page.locator(".keys").is_hidden()
    assert page.locator("tbody tr").count() >= 28
    context.close()


def test_hours_are_shown_after_consent_and_not_before(page, house):
    page.goto(house.link() + "?span=day&day=2026-04-18&lang=en")
    assert page.locator(".hint").text_content() == "Hourly values need your consent."
    assert bars(page).count() == 1
    follow(page, page.get_by_role("button", name="I agree, show hours"))
    assert bars(page).count() == 24
    page.goto(house.link() + "?span=month&lang=en")
    follow(page, bars(page).nth(3))
    assert query(page)["span"] == ["day"]
    assert bars(page).count() == 24
    page.goto(house.link() + "?span=day&day=2025-03-30&lang=en")
    assert "kept for 12 months" in (page.locator(".hint").text_content() or "")
    follow(page, page.get_by_role("button", name="Take back my consent"))
    page.goto(house.link() + "?span=day&day=2026-04-18&lang=en")
    assert bars(page).count() == 1


def test_the_keyboard_reads_the_chart_and_opens_a_column(page, house):
    page.goto(house.link() + YEAR + "&lang=en")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('bar')"):
            break
    said = page.locator(".read-out")
    assert re.fullmatch(r"January 2026: 9\.084.m³; index 525\.402.m³", said.text_content() or "")
    page.keyboard.press("ArrowRight")
    assert (said.text_content() or "").startswith("February 2026: 8.189")
    page.keyboard.press("End")
    assert "part of the period" in (said.text_content() or "")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_url("**span=month**")
    assert query(page)["day"] == ["2026-01-01"]


def test_dragging_over_the_chart_zooms_into_those_days(page, house):
    page.goto(house.link() + "?span=month&day=2026-01-01&compare=previous")
    box = page.locator("svg.wide").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 150, steps=5)
    page.mouse.up()
    page.wait_for_url("**first=**")
    asked = query(page)
    assert asked["first"][0] == "2026-01-08"
    assert asked["last"][0] == "2026-01-18"
    assert asked["compare"] == ["previous"]
    assert bars(page).count() == 11


def test_a_gap_and_a_part_are_told_by_pattern_and_words(page, house):
    page.goto(house.link() + GAP)
    gap = page.locator("svg:visible .bar:has(rect.gap)")
    assert gap.count() == 1
    assert "brak odczytów" in (gap.get_attribute("aria-label") or "")
    assert (gap.locator("rect.gap").get_attribute("fill") or "").startswith("url(#")
    legend = page.locator(".legend").text_content() or ""
    assert "brak odczytów" in legend
    assert "okres porównywany" in legend


def test_a_line_is_seen_over_its_columns_and_the_chosen_column_stays_seen(page, house):
    """Of a line chart the columns are only hinted at; a column under the pointer never disappears."""
    page.goto(house.link() + "?span=week&day=2026-04-13&lang=en&shape=line")
    faint = "getComputedStyle(document.querySelector('svg.wide rect.point')).opacity"
    assert 0 < float(page.evaluate(faint)) <= 0.3
    page.goto(house.link() + "?span=week&day=2026-04-13&lang=en")
    bars(page).first.hover()
    filled = "getComputedStyle(document.querySelector('svg.wide rect.metered')).fill"
    assert page.evaluate(filled) == "rgb(11, 63, 107)"


@pytest.mark.parametrize("width", [320, 360, 1100])
@pytest.mark.parametrize("where", [YEAR, GAP, "?span=week&shape=line&day=2026-03-12", "/state"])
def test_nothing_is_wider_than_the_screen(page, house, width, where):
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(house.link() + where)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("language", "title"), [("pl", "Zużycie wody"), ("ro", "Consumul de apă"), ("en", "Water")]
)
@pytest.mark.parametrize("where", [GAP, YEAR + "&shape=index", "/state?"])
def test_no_language_has_a_barrier_axe_finds(page, house, language, title, where):
    page.goto(f"{house.link()}{where}&lang={language}")
    assert page.locator("html").get_attribute("lang") == language
    if "state" not in where:
        assert title in (page.locator("h1").text_content() or "")
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()


def test_dark_colours_have_contrast_too(chromium, house):
    context = chromium.new_context(color_scheme="dark", viewport={"width": 360, "height": 700})
    page = context.new_page()
    page.goto(house.link() + GAP)
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    context.close()


def test_a_state_is_taken_or_refused_in_the_customer_s_language(page, house):
    page.goto(house.link() + "/state?lang=ro")
    page.get_by_label("Index: doar cifrele negre").fill("18733")
    follow(page, page.get_by_role("button", name="Trimite"))
    assert "doar cifrele negre" in (page.get_by_role("alert").text_content() or "")
    page.get_by_label("Index: doar cifrele negre").fill("19")
    follow(page, page.get_by_role("button", name="Trimite"))
    assert "indexul 19 m³ a fost primit" in (page.get_by_role("status").text_content() or "")
    rows = page.locator("tbody tr")
    assert [rows.nth(n).locator("td").last.text_content() for n in range(2)] == ["primit", "respins"]


def test_a_link_that_ran_out_says_so_in_words(page, house):
    answer = page.goto(f"{house.base}/c/n1.x.y?lang=pl")
    assert answer is not None
    assert answer.status == 403
    assert "Otwórz go ponownie ze swojego konta" in (page.get_by_role("alert").text_content() or "")
