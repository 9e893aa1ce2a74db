"""Notices: told once, in the language asked for, and never lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx
import pytest

from billing_bridge.export.signature import Secret, verify
from metering.clock import FixedClock
from metering.errors import SettingsError
from metering.finding import Finding, Stage, Tier
from metering.findings import NoticeState
from metering.store import memory_store
from service.anomaly_money import Tariff
from service.anomaly_settings import NoticeSettings
from service.notices.made import channel_names, make_teller
from service.notices.message import Wording
from service.notices.port import NotSent
from service.notices.smtp import mail_of
from service.notices.teller import MOST_ATTEMPTS, Teller, ask_for
from service.notices.webhook import WebhookChannel
from service.settings_model import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Warsaw")
KEY = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
METER = "KAM-00000001-1b-16"


class Receiver:
    """A channel that takes what it is sent, or not."""

    name = "smtp"

    def __init__(self) -> None:
        self.taken = []
        self.fails = False

    def send(self, message):
        if self.fails:
            raise NotSent("451 come back later")
        self.taken.append(message)


def finding(tier=Tier.NOTIFY, cleared=None, raised=NOW - timedelta(hours=1)):
    stage = Stage(tier, "leak.continuous", raised, raised - timedelta(hours=20), 10.0, 200.0)
    return Finding(METER, (stage,), cleared)


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def store(clock):
    made = memory_store(clock)
    yield made
    made.close()


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def teller(store, clock, receiver):
    wording = Wording("en", ZONE, "https://nurt.example.org/", Tariff(Decimal("1.5"), "EUR"))
    return Teller(store, clock, (receiver,), wording)


def keep(store, one, **more):
    with store.writing() as tx:
        kept, _ = tx.findings.keep(one, NOW, **more)
        return kept, ask_for(tx, kept, one.tier, ("smtp",), NOW)


def state(store, kept):
    with store.reading() as tx:
        return tx.findings.notices(kept.id)[0]


def test_a_finding_and_tier_is_told_once(store, teller, receiver):
    kept, asked = keep(store, finding(), tenancy="U-1")
    assert asked == 1
    with store.writing() as tx:
        assert ask_for(tx, kept, Tier.NOTIFY, ("smtp",), NOW) == 0
    assert teller.tell() == 1
    assert teller.tell() == 0
    (message,) = receiver.taken
    assert message.key == f"smtp:{kept.id}:notify"
    assert message.title == f"Notice: leak.continuous, {METER}"
    assert "Water has been running" in message.text
    assert "Contract: U-1" in message.text
    assert "210 L, 0.32 EUR" in message.text, "200 L by then, 10 L/h for the hour since"
    assert f"https://nurt.example.org/findings/{kept.id}" in message.text
    assert state(store, kept).state is NoticeState.SENT


def test_a_higher_tier_of_the_same_finding_is_told_too(store, teller, receiver):
    keep(store, finding())
    teller.tell()
    grown = replace(finding(), stages=(*finding().stages, replace(finding().stages[0], tier=Tier.DISPATCH)))
    keep(store, grown)
    assert teller.tell() == 1
    assert receiver.taken[1].title.startswith("Work for a crew")


@pytest.mark.parametrize(
    ("one", "muted"),
    [
        (finding(Tier.SUSPECT), ""),
        (finding(), "budget of the day"),
        (finding(raised=NOW - timedelta(days=40), cleared=NOW - timedelta(days=30)), ""),
    ],
    ids=["suspect", "muted", "long over"],
)
def test_nobody_is_woken_for_suspects_muted_ones_and_history(store, one, muted):
    assert keep(store, one, muted=muted)[1] == 0


def test_what_is_not_taken_is_tried_again_later_with_growing_pauses(store, teller, receiver, clock):
    kept, _ = keep(store, finding())
    receiver.fails = True
    assert teller.tell() == 0
    failed = state(store, kept)
    assert (failed.attempts, failed.error) == (1, "451 come back later")
    assert teller.tell() == 0
    assert state(store, kept).attempts == 1, "not before its time"
    later = Teller(store, FixedClock(failed.next_at), teller.channels, teller.wording)
    later.tell()
    second = state(store, kept)
    assert second.next_at - failed.next_at > failed.next_at - NOW
    receiver.fails = False
    assert Teller(store, FixedClock(second.next_at), teller.channels, teller.wording).tell() == 1
    assert clock.now() == NOW


def test_after_three_days_it_is_given_up_and_the_finding_says_so(store, teller, receiver):
    kept, _ = keep(store, finding())
    receiver.fails = True
    now = NOW
    for _ in range(MOST_ATTEMPTS + 3):
        Teller(store, FixedClock(now), teller.channels, teller.wording).tell()
        now = max(state(store, kept).next_at, now)
    assert state(store, kept).state is NoticeState.GIVEN_UP
    assert state(store, kept).attempts == MOST_ATTEMPTS
    assert now - NOW > timedelta(days=2)


def test_a_crash_between_sending_and_booking_sends_the_same_key_again(store, teller, receiver, monkeypatch):
    keep(store, finding())
    with monkeypatch.context() as crash:
        crash.setattr(Teller, "_note", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            teller.tell()
    teller.tell()
    assert [message.key for message in receiver.taken] == [receiver.taken[0].key] * 2


def test_suspects_are_told_once_a_day_from_their_hour_on(store, teller, receiver):
    keep(store, finding(Tier.SUSPECT))
    early = replace(teller, digest_hour=14)
    assert early.tell() == 0, "12:00 UTC is 13:00 in Warsaw"
    due = replace(teller, digest_hour=13)
    assert due.tell() == 1
    assert due.tell() == 0
    (digest,) = receiver.taken
    assert digest.title == "Suspects of 2026-03-01: 1"
    assert METER in digest.text
    assert digest.body["findings"][0]["tier"] == "suspect"


def test_a_day_without_suspects_sends_nothing(teller, receiver):
    assert replace(teller, digest_hour=0).tell() == 0
    assert receiver.taken == []


@pytest.mark.parametrize(
    ("language", "word"), [("en", "Notice"), ("pl", "Powiadomienie"), ("ro", "Înștiințare")]
)
def test_notices_speak_the_language_of_the_settings(store, language, word):
    kept, _ = keep(store, finding())
    message = Wording(language, ZONE).of_finding("k", kept, Tier.NOTIFY, NOW)
    assert message.title.startswith(word)
    mail = mail_of(message, "nurt@example.org", ["a@example.org"])
    assert mail["Message-ID"] == "<nurt.k@example.org>"
    assert word in str(mail["Subject"])


def test_a_webhook_is_signed_and_anything_but_2xx_is_tried_again(store, clock):
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(204 if len(seen) > 1 else 503)

    secret = Secret.parse(KEY)
    channel = WebhookChannel("https://crm.test/hook?token=t0p", secret, clock, httpx.MockTransport(answer))
    kept, _ = keep(store, finding())
    message = Wording("pl", ZONE).of_finding("webhook:1:notify", kept, Tier.NOTIFY, NOW)
    with pytest.raises(NotSent, match="answered 503") as refused:
        channel.send(message)
    assert "t0p" not in str(refused.value) + repr(channel)
    channel.send(message)
    headers = {name.lower(): value for name, value in seen[1].headers.items()}
    assert headers["webhook-id"] == "webhook:1:notify"
    assert verify(secret, headers, seen[1].content, NOW)
    told = json.loads(seen[1].content)
    assert (told["meter_id"], told["type"]) == (METER, "finding.raised")
    assert told["text"].startswith("Od ")


def test_a_receiver_that_cannot_be_reached_is_no_crash(clock):
    def refuse(_request):
        raise httpx.ConnectError("no route to secret-host")

    channel = WebhookChannel("https://crm.test", Secret.parse(KEY), clock, httpx.MockTransport(refuse))
    with pytest.raises(NotSent, match="cannot be reached"):
        channel.send(Wording("en", ZONE).of_day("k", NOW.date(), []))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smtp_host": "mail"}, "needs sender and to"),
        ({"smtp_user": "nurt"}, "belong together"),
        ({"webhook_url": "https://x.test"}, "webhook_secret_file"),
        ({"sender": "a@b\nBcc: c@d"}, "an address like"),
        (
            {"smtp_user": "u", "smtp_password_file": "f", "smtp_security": "none", "smtp_host": "m"}
            | {"sender": "a@b", "to": ["c@d"]},
            "starttls or tls only",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        NoticeSettings(**given)


def test_channels_are_made_of_the_settings_and_their_secrets_of_files(tmp_path, store, clock):
    (tmp_path / "password").write_text("hunter2\n")
    (tmp_path / "secret").write_text(KEY + "\n")
    notices = NoticeSettings(
        smtp_host="mail.test",
        smtp_user="nurt",
        smtp_password_file=tmp_path / "password",
        sender="nurt@example.org",
        to=["a@example.org"],
        webhook_url="https://crm.test",
        webhook_secret_file=tmp_path / "secret",
    )
    assert channel_names(notices) == ("smtp", "webhook")
    made = make_teller(Settings.model_construct(notices=notices), store, clock)
    assert [channel.name for channel in made.channels] == ["smtp", "webhook"]
    assert "hunter2" not in repr(made)
    (tmp_path / "secret").write_text("short")
    with pytest.raises(SettingsError, match="webhook_secret_file"):
        make_teller(Settings.model_construct(notices=notices), store, clock)
