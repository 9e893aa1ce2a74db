"""Operators: what is kept of passwords, whose session it is, who waits after mistakes, who must sign in."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.clock import FixedClock
from metering.errors import InvalidValue, SettingsError
from service.operators.book import Book, OperatorFile, Person, Role
from service.operators.gate import ProxyGate, SessionGate
from service.operators.passwords import hashed, matches, new_password
from service.operators.session import minted, person_of
from service.operators.throttle import Throttle
from service.operators.wiring import gate_of
from service.settings_model import Settings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PASSWORD = "correct horse battery"
BOOK = Book(bytes(range(32)), {"k": Person("k", Role.READER, "scrypt:x")})


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> OperatorFile:
    made = OperatorFile(tmp_path_factory.mktemp("people") / "operators")
    made.put("Anna.Kowal", Role.OPERATOR, PASSWORD)
    return made


@pytest.fixture
def file(tmp_path: Path, written: OperatorFile) -> OperatorFile:
    path = tmp_path / "data" / "operators"
    path.parent.mkdir()
    return OperatorFile(Path(shutil.copy2(written.path, path)))


def test_a_password_is_kept_as_a_hash_that_only_it_matches():
    kept = hashed(PASSWORD)
    assert PASSWORD not in kept
    assert matches(PASSWORD, kept)
    assert not matches(f"{PASSWORD} ", kept)
    assert hashed(PASSWORD) != kept


@pytest.mark.parametrize("wrong", ["", "short", "x" * 11, "x" * 201])
def test_a_password_too_short_or_too_long_is_refused(wrong):
    with pytest.raises(InvalidValue, match="12 to 200 characters"):
        hashed(wrong)


@pytest.mark.parametrize(
    "kept", ["", "plain", "scrypt:1:2:3", "md5:1:1:1:AA==:AA==", f"scrypt:{2**20}:8:1:AA==:AA=="]
)
def test_a_kept_hash_that_is_not_ours_is_said(kept):
    with pytest.raises(InvalidValue, match="a kept password"):
        matches(PASSWORD, kept)


def test_made_passwords_are_long_and_all_different():
    made = {new_password() for _ in range(200)}
    assert len(made) == 200
    assert {len(one) for one in made} == {23}


def test_the_file_says_who_there_is_and_only_its_owner_reads_it(file):
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert PASSWORD not in file.path.read_text()
    person = OperatorFile(file.path).book().person("ANNA.kowal ")
    assert (person.name, person.role) == ("Anna.Kowal", Role.OPERATOR)
    assert PASSWORD not in repr(person)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_root_makes_belongs_to_whom_its_folder_does(tmp_path):
    os.chown(tmp_path, 65534, 65534)
    made = OperatorFile(tmp_path / "operators")
    made.put("k", Role.READER, PASSWORD)
    assert (made.path.stat().st_uid, stat.S_IMODE(made.path.stat().st_mode)) == (65534, 0o600)


def test_another_role_or_password_replaces_the_one_before_it(file):
    file.put("anna.kowal", Role.SECOND, "another long password")
    (one,) = file.book().people.values()
    assert (one.name, one.role, matches("another long password", one.password)) == (
        "Anna.Kowal",
        Role.SECOND,
        True,
    )
    file.put("anna.kowal", None, PASSWORD)
    assert file.book().person("anna.kowal").role is Role.SECOND


@pytest.mark.parametrize("name", ["", "two words", "line\nbreak", "a" * 61, "#x y"])
def test_a_name_that_would_break_the_file_is_refused(file, name):
    with pytest.raises(InvalidValue, match="a name has"):
        file.put(name, None, PASSWORD)


@pytest.mark.parametrize("line", ["anna operator plain", "anna boss scrypt:1:1:1:a:b", "one two three four"])
def test_a_broken_line_is_named_and_not_repeated(file, line):
    file.path.write_text(f"{file.path.read_text()}{line}\n")
    with pytest.raises(SettingsError, match="line 4 is not") as told:
        OperatorFile(file.path).book()
    assert line not in str(told.value)


def test_a_session_stands_for_its_person_until_its_time(file):
    book = file.book()
    cookie = minted(book.person("anna.kowal"), book, NOW, HOUR)
    assert person_of(cookie, book, NOW + HOUR - timedelta(seconds=1)).name == "Anna.Kowal"
    assert person_of(cookie, book, NOW + HOUR) is None


def test_two_sessions_of_one_moment_are_two(file):
    gate = SessionGate(file, FixedClock(NOW), HOUR)
    first, second = (gate.sign_in("anna.kowal", PASSWORD, "here") for _ in range(2))
    gate.sign_out(first)
    assert gate.who(first, {}) is None
    assert gate.who(second, {}).name == "Anna.Kowal"


def test_a_session_ends_with_another_password_role_or_name(file):
    book = file.book()
    cookie = minted(book.person("anna.kowal"), book, NOW, HOUR)
    file.put("anna.kowal", Role.SECOND, PASSWORD)
    assert person_of(cookie, file.book(), NOW) is None
    assert file.remove("Anna.Kowal")
    assert not file.remove("Anna.Kowal")
    assert person_of(cookie, file.book(), NOW) is None


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_changed_cookie_stands_for_nobody(data):
    cookie = minted(BOOK.person("k"), BOOK, NOW, HOUR)
    place = data.draw(st.integers(0, len(cookie) - 1))
    other = data.draw(st.characters(max_codepoint=0x2FF).filter(lambda one: one != cookie[place]))
    assert person_of(cookie[:place] + other + cookie[place + 1 :], BOOK, NOW) is None


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_text_as_a_cookie_is_nobody(text):
    assert person_of(text, BOOK, NOW) is None


def test_five_mistakes_are_free_then_the_wait_doubles_up_to_a_quarter_of_an_hour():
    throttle, keys, at, waits = Throttle(), ("name k",), NOW, []
    for _ in range(14):
        throttle.failed(keys, at)
        waits.append(throttle.wait(keys, at).total_seconds())
        at += throttle.wait(keys, at)
    assert waits == [0, 0, 0, 0, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
    assert throttle.wait(("name l",), at) == timedelta(0)
    throttle.succeeded("name k")
    assert throttle.wait(keys, at) == timedelta(0)


def test_mistakes_of_an_hour_ago_are_forgotten_and_memory_has_an_end():
    throttle = Throttle()
    for _ in range(9):
        throttle.failed(("name k",), NOW)
    assert throttle.wait(("name k",), NOW + HOUR + timedelta(seconds=1)) == timedelta(0)
    for number in range(10_001):
        throttle.failed((f"name {number}",), NOW)
    assert throttle.wait(("name k",), NOW) == timedelta(0)


def settings_with(tmp_path: Path, **web: object) -> Settings:
    return Settings.model_validate({"store": {"data": str(tmp_path / "data")}, "web": web})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_on_this_machine_alone_nobody_is_asked(tmp_path, host):
    assert gate_of(settings_with(tmp_path, host=host), FixedClock(NOW)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "nurt.example.org"])
def test_elsewhere_it_does_not_start_until_there_is_an_operator(tmp_path, file, host):
    empty = settings_with(tmp_path, host=host, operators_file=str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="nurt operators add NAME"):
        gate_of(empty, FixedClock(NOW))
    gate = gate_of(settings_with(tmp_path, host=host), FixedClock(NOW))
    assert isinstance(gate, SessionGate)
    assert gate.file.path == file.path


@pytest.mark.usefixtures("file")
def test_operators_can_be_asked_for_on_this_machine_too(tmp_path):
    assert isinstance(gate_of(settings_with(tmp_path, login="operators"), FixedClock(NOW)), SessionGate)
    nobody = settings_with(tmp_path, login="operators", operators_file=str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="nobody could sign in"):
        gate_of(nobody, FixedClock(NOW))


def test_a_proxy_that_asks_is_believed_only_if_a_setting_says_so(tmp_path):
    everywhere = "0.0.0.0"
    assert gate_of(settings_with(tmp_path, host=everywhere, login="proxy"), FixedClock(NOW)) is None
    named = settings_with(tmp_path, host=everywhere, login="proxy", proxy_header="X-Remote-User")
    gate = gate_of(named, FixedClock(NOW))
    assert isinstance(gate, ProxyGate)
    assert gate.who("", {"x-remote-user": "j.lis"}).name == "j.lis"
    assert gate.who("", {}) is None
