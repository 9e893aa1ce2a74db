"""Facts about links to customers' pages: who made them, for whom, for how long."""

from __future__ import annotations

import base64
import hmac
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.errors import InvalidValue, SettingsError
from service.customers.token import LONGEST, Claims, Refused, Secrets, mint, new_secret, read_secrets, verify

NOW = datetime(2026, 4, 20, 9, tzinfo=UTC)
SECRETS = Secrets({"ebok": bytes(range(32)), "other": bytes(32)})
CLAIMS = Claims("ebok", "U-104", "SP ż/7", NOW, NOW + timedelta(hours=1))


def test_a_link_says_who_and_what_and_is_ours():
    assert verify(mint(CLAIMS, SECRETS), SECRETS, NOW) == CLAIMS


def test_a_portal_makes_one_in_a_few_lines():
    """As docs/customer-charts.md shows it, with nothing of ours."""

    def b64(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    iat = int(NOW.timestamp())
    claims = {"k": "ebok", "c": "U-104", "p": "SP ż/7", "iat": iat, "exp": iat + 3600}
    body = "n1." + b64(json.dumps(claims).encode())
    token = body + "." + b64(hmac.digest(bytes(range(32)), body.encode(), "sha256"))
    assert verify(token, SECRETS, NOW) == CLAIMS


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"expires_at": NOW}, "has expired"),
        ({"issued_at": NOW + timedelta(minutes=3)}, "is not valid"),
        ({"portal": "nobody"}, "is not valid"),
    ],
)
def test_a_link_out_of_its_time_or_of_a_stranger_is_refused(change, told):
    claims = replace(CLAIMS, **change)
    made = mint(claims, Secrets({**SECRETS.by_name, "nobody": bytes(32)}))
    with pytest.raises(Refused, match=told):
        verify(made, SECRETS, NOW)


def test_a_link_of_another_s_secret_is_refused():
    with pytest.raises(Refused):
        verify(mint(CLAIMS, Secrets({"ebok": bytes(32)})), SECRETS, NOW)


def test_no_link_is_made_for_longer_than_a_day_nor_taken():
    long = replace(CLAIMS, expires_at=NOW + LONGEST + timedelta(seconds=1))
    with pytest.raises(InvalidValue, match="valid for 24 h at most"):
        mint(long, SECRETS)


@given(st.data())
def test_no_changed_link_is_let_in(data):
    token = mint(CLAIMS, SECRETS)
    at = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.sampled_from("ABCabc019-_."))
    changed = token[:at] + sign + token[at + 1 :]
    with suppress(Refused):
        assert verify(changed, SECRETS, NOW) == CLAIMS  # the last base64 sign has unused bits


@given(st.text(max_size=300))
def test_any_text_is_refused(text):
    with pytest.raises(Refused):
        verify(text, SECRETS, NOW)


def test_secrets_are_read_from_lines_and_never_shown(tmp_path):
    path, secret = tmp_path / "portals", new_secret()
    path.write_text(f"# portals\n\nebok {secret}\n")
    found = read_secrets(path)
    assert found.by_name == {"ebok": base64.b64decode(secret)}
    assert secret not in repr(found)
    assert "\\x" not in repr(found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no secret"),
        ("ebok\n", "line 1 is not 'name secret'"),
        ("EBOK c2hvcnQ=\n", "line 1 is not 'name secret'"),
        ("ebok c2hvcnQ=\n", "line 1: the secret is not base64 of 32 bytes or more"),
        ("ebok !!!\n", "line 1: the secret is not base64"),
        ("a {s}\na {s}\n", "line 2: a is there already"),
    ],
)
def test_a_broken_file_of_secrets_is_told_without_them(tmp_path, text, told):
    path, secret = tmp_path / "portals", new_secret()
    path.write_text(text.replace("{s}", secret))
    with pytest.raises(SettingsError) as fault:
        read_secrets(path)
    assert told in str(fault.value)
    assert secret not in str(fault.value)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_secrets(tmp_path / "nowhere")
