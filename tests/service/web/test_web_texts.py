"""Facts of texts, numbers and times on the pages."""
# ruff: noqa: RUF001  minus signs and dashes as pages show them

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import service.web
from billing_bridge.deciding import Action
from billing_bridge.validate import Severity
from metering.billing import ExceptionKind, ExceptionState
from metering.finding import Tier
from metering.findings import FindingState, NoticeState
from metering.gateway import Condition
from metering.orders import OrderState
from metering.ports import Outcome, TelegramState
from metering.uplink import ClockSource
from service.fleet_status import Drift
from service.scanning_budget import REASONS
from service.web.formats import ago, exact, grouped, hexdump, interval_text, json_bytes, most_places
from service.web.i18n import load
from service.web.periods import Period, Span
from service.web.queries import moment

WARSAW = ZoneInfo("Europe/Warsaw")
FOLDER = Path(service.web.__file__).parent
TEXTS = load()
COMPUTED = {
    *(f"outcome.{name}" for name in (*Outcome, *TelegramState)),
    *(f"clock.{source}" for source in ClockSource),
    *(f"telegrams.about_{state}" for state in TelegramState),
    *(f"period.{span}" for span in Span),
    *(f"period.name_{span}" for span in Span),
    *(f"step.{step}" for step in ("hour", "day", "month")),
    *(f"meter.consumption_{step}" for step in ("hour", "day", "month")),
    *(f"weekday.{n}" for n in range(1, 8)),
    *(f"month.{n}" for n in range(1, 13)),
    *(f"month_short.{n}" for n in range(1, 13)),
    *(f"ago.{unit}" for unit in ("days", "hours", "minutes")),
    *(
        f"chart.{part}_{look}"
        for part in ("legend", "title")
        for look in ("metered", "partial", "falling", "gap")
    ),
    *(
        f"nav.{name}"
        for name in (
            "overview",
            "meters",
            "telegrams",
            "findings",
            "billing",
            "gateways",
            "coverage",
            "foreign",
            "quarantine",
        )
    ),
    *(f"billing.kind_{kind}" for kind in ExceptionKind),
    *(f"billing.state_{state}" for state in ExceptionState),
    *(f"billing.to_{action}" for action in (*Action, "gone", "visited", "withdrawn")),
    *(f"billing.order_{state}" for state in OrderState),
    *(f"billing.severity_{severity}" for severity in Severity),
    *(f"gateway.{how}" for how in Condition),
    *(f"tier.{tier}" for tier in Tier),
    *(f"verdict.{state}" for state in FindingState),
    *(f"finding.to_{state}" for state in FindingState if state is not FindingState.NEW),
    *(f"notice.{state}" for state in NoticeState),
    *(f"mute.{reason.replace(' ', '_')}" for reason in REASONS),
    *(f"drift.{how.name.lower()}" for how in Drift),
    *("grasp.partly", "grasp.not", "table.kind_partial", "table.kind_gap"),
}


def keys_in_use() -> set[str]:
    sources = [*(FOLDER / "templates").glob("*.html"), *FOLDER.rglob("*.py")]
    found = re.findall(
        r"\b(?:t|texts)\(\"([a-z_]+\.[a-z_0-9]+)\"[,)]", "\n".join(p.read_text() for p in sources)
    )
    return set(found) | COMPUTED


def test_every_text_in_use_is_in_the_catalogue():
    assert keys_in_use() - set(TEXTS.texts) == set()


def test_every_text_of_the_catalogue_is_in_use():
    assert {key for key in TEXTS.texts if not key.startswith("reason.")} - keys_in_use() == set()


def test_every_catalogue_has_the_same_keys_and_the_same_places_for_values():
    for path in (FOLDER / "locales").glob("*.toml"):
        other = load(path.stem)
        assert set(other.texts) == set(TEXTS.texts)
        for key, text in TEXTS.texts.items():
            assert set(re.findall(r"{\w+}", other.texts[key])) == set(re.findall(r"{\w+}", text)), key


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_a_number_on_a_page_has_every_digit_of_the_stored_one(value):
    shown = grouped(value).replace("\N{NARROW NO-BREAK SPACE}", "").replace("\N{MINUS SIGN}", "-")
    assert Decimal(shown) == value


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_goes_through_json_exactly(value):
    assert json_bytes({"value": value}) == b'{"value":%s}' % exact(value).encode()
    assert Decimal(exact(value)) == value


def test_columns_are_filled_to_the_same_number_of_places():
    column = [Decimal("12345.6"), Decimal("-0.275"), Decimal(3)]
    places = most_places(column)
    assert [grouped(value, places) for value in column] == ["12\u202f345.600", "−0.275", "3.000"]


def test_what_has_no_place_in_json_is_refused():
    with pytest.raises(TypeError):
        json_bytes(object())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "just now"),
        (-30, "just now"),
        (180, "3 min ago"),
        (7300, "2 h ago"),
        (200_000, "2 d ago"),
        (-120, "in the future"),
    ],
)
def test_ages_are_told_shortly(seconds, text):
    now = datetime(2026, 3, 30, tzinfo=UTC)
    assert ago(now - timedelta(seconds=seconds), now, TEXTS) == text


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00", "2026-03"),
        ("2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", "2026-03-29"),
        ("2026-03-01T00:00+01:00", "2026-03-04T00:00+01:00", "2026-03-01 – 2026-03-03"),
        ("2026-03-01T10:00+01:00", "2026-03-01T11:00+01:00", "2026-03-01 10:00–11:00"),
        ("2026-03-01T23:00+01:00", "2026-03-02T00:00+01:00", "2026-03-01 23:00–24:00"),
        ("2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25 02:00 CEST–02:00 CET"),
        ("2026-03-01T10:00+01:00", "2026-03-03T09:00+01:00", "2026-03-01 10:00 – 2026-03-03 09:00"),
    ],
)
def test_stretches_are_told_as_shortly_as_can_be(start, end, text):
    assert interval_text(datetime.fromisoformat(start), datetime.fromisoformat(end), WARSAW) == text


def test_a_hex_dump_shows_all_bytes():
    rows = hexdump(bytes(range(40)))
    assert bytes.fromhex("".join(row[1] for row in rows)) == bytes(range(40))
    assert rows[2] == ("0020", "20 21 22 23 24 25 26 27", " !\"#$%&'")


@pytest.mark.parametrize(
    ("span", "first", "last", "title"),
    [
        (Span.DAY, date(2026, 3, 29), date(2026, 3, 30), "Sun 29 March 2026"),
        (Span.WEEK, date(2026, 3, 23), date(2026, 3, 30), "Week 13: 23 March – 29 March 2026"),
        (Span.MONTH, date(2026, 3, 1), date(2026, 4, 1), "March 2026"),
        (Span.YEAR, date(2026, 1, 1), date(2027, 1, 1), "2026"),
    ],
)
def test_a_period_is_the_calendar_one_around_a_day(span, first, last, title):
    period = Period.around(span, date(2026, 3, 29))
    assert (period.first, period.last, period.title(TEXTS)) == (first, last, title)


@given(st.sampled_from(Span), st.dates(date(1990, 2, 1), date(2199, 1, 1)))
def test_periods_meet_without_overlap(span, day):
    period = Period.around(span, day)
    assert period.first <= day < period.last
    assert Period.around(span, period.following).first == period.last
    assert Period.around(span, period.previous).last == period.first


@given(
    st.datetimes(
        timezones=st.just(UTC),
        min_value=datetime(1991, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        max_value=datetime(2199, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    )
)
def test_a_time_of_the_api_reads_back_as_the_same_moment(at):
    assert moment(at.isoformat(), WARSAW) == at
    assert moment(at.isoformat().replace("+00:00", "z"), WARSAW) == at
