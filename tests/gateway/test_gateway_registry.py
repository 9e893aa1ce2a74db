"""Gateways added, listed, removed: one file is the truth, and a person's comments in it stay."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from gateway_firmware_config.passwords import hashed_line, users, with_line, without_user
from metering.errors import TelemetryError
from service.cli import app
from service.fleet_text import line_of, with_gateway, with_revision, without_gateway

FILE = Path("gateways.toml")
TEXT = """\
# Our gateways. Ask Ewa before you change the broker.
[broker]
host = "mqtt.example.org"   # behind the firewall

# the old water tower
[gateway.tower]
profile = "agent"   # since spring
[gateway.tower.options]
receivers = [
  "im871a:/dev/ttyUSB0",  # north
  "cul:/dev/ttyACM0",
]

[gateway.pulse1]
profile = "tasmota"
"""


def gateway(folder: Path, *arguments: str) -> Result:
    """Run `nurt gateway ...` on a folder."""
    place = ["--config", str(folder / "gateways.toml"), "--to", str(folder / "gateways")]
    return CliRunner().invoke(app, ["gateway", *arguments, *place])


def refused(folder: Path, *arguments: str) -> str:
    done = gateway(folder, *arguments)
    assert isinstance(done.exception, TelemetryError), done.output
    return str(done.exception).replace(f"{folder}/", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gateways.toml").write_text(TEXT)
    return tmp_path


# --- the commands -----------------------------------------------------------------------------------


def test_a_first_gateway_begins_the_file(tmp_path: Path):
    done = gateway(tmp_path, "add", "roof", "--profile", "agent", "--broker", "mqtt.example.org:8884")
    assert done.exit_code == 0, done.output
    assert tomllib.loads((tmp_path / "gateways.toml").read_text()) == {
        "broker": {"host": "mqtt.example.org", "port": 8884},
        "gateway": {"roof": {"profile": "agent", "revision": 1}},
    }


def test_a_gateway_gets_password_rights_and_files(folder: Path):
    done = gateway(folder, "add", "loft", "--profile", "esphome-wmbus", "--board", "xiao-s3")
    [password] = re.findall(r"shown once: (\w{40})", done.output)
    broker = folder / "gateways" / "mosquitto"
    [line] = (broker / "passwords").read_text().splitlines()
    user, _, kept = line.partition(":")
    _, kind, iterations, salt, made = kept.split("$")
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(iterations))
    assert (user, kind, base64.b64decode(made)) == ("loft", "7", hashed)
    assert "user loft\ntopic write wmbus/loft/#" in (broker / "acl").read_text()
    assert (broker / "passwords").stat().st_mode & 0o777 == 0o600
    assert 'name: "loft"' in (folder / "gateways" / "loft" / "loft.yaml").read_text()
    written = [one for one in folder.rglob("*") if one.is_file()]
    assert all(password not in one.read_text() for one in written), "shown once, kept nowhere"


@pytest.mark.skipif(not shutil.which("mosquitto_passwd"), reason="mosquitto_passwd is not installed")
def test_mosquittos_own_program_takes_the_password_file(folder: Path):
    gateway(folder, "add", "loft", "--profile", "shelly")
    file = folder / "gateways" / "mosquitto" / "passwords"
    done = subprocess.run(["mosquitto_passwd", "-D", str(file), "loft"], check=False)
    assert done.returncode == 0
    assert file.read_text() == ""


def test_gateways_are_listed(folder: Path):
    gateway(folder, "rotate-password", "tower")
    assert json.loads(gateway(folder, "list", "--json").output) == [
        {"gateway": "pulse1", "profile": "tasmota", "board": None, "revision": 1, "meters": 0}
        | {"password": False},
        {"gateway": "tower", "profile": "agent", "board": None, "revision": 1, "meters": 0}
        | {"password": True},
    ]
    assert gateway(folder, "list").output.splitlines()[2].split() == ["tower", "agent", "-", "1", "0", "yes"]


def test_a_gateway_that_is_removed_may_say_nothing_any_more(folder: Path):
    gateway(folder, "add", "loft", "--profile", "shelly")
    assert gateway(folder, "remove", "loft").exit_code == 0
    broker = folder / "gateways" / "mosquitto"
    assert "loft" not in (broker / "acl").read_text() + (broker / "passwords").read_text()
    assert (folder / "gateways.toml").read_text() == TEXT


def test_a_new_password_takes_the_place_of_the_old_one(folder: Path):
    passwords = folder / "gateways" / "mosquitto" / "passwords"
    before = [gateway(folder, "rotate-password", name).output.split()[0] for name in ("tower", "nurt")]
    lines = passwords.read_text()
    after = gateway(folder, "rotate-password", "tower").output.split()[0]
    assert len({*before, after}) == 3
    assert users(passwords.read_text()) == {"tower", "nurt"}
    assert [line for line in passwords.read_text().splitlines() if line in lines] == [
        line for line in lines.splitlines() if line.startswith("nurt:")
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "tower", "--profile", "agent"], "gateways.toml:6: a gateway called tower is there already"),
        (["add", "nurt", "--profile", "agent"], "nurt is the name the service logs in with"),
        (["add", "the roof", "--profile", "agent"], "'the roof' is not a gateway name"),
        (["add", "roof", "--profile", "agnet"], "no profile 'agnet'; there are: agent, "),
        (["add", "loft", "--profile", "esphome-wmbus", "--board", "heltek"], "loft: board: there are: "),
        (
            ["add", "loft", "--profile", "esphome-wmbus", "--option", "baord=xiao-s3"],
            "loft: unknown option baord of esphome-wmbus; did you mean board?",
        ),
        (["add", "Loft", "--profile", "esphome-wmbus"], "Loft: esphome-wmbus takes no such name"),
        (["add", "t", "--profile", "tasmota", "--option", "often"], "--option often: expected KEY=VALUE"),
        (["add", "t", "--profile", "tasmota", "--option", "debounce_ms=x"], "must be a whole number"),
        (["add", "t", "--profile", "agent", "--option", "orders_key=00"], "t: orders_key: must look like"),
        (["add", "t", "--profile", "agent", "--meter", "7"], "meters.0: '7' is not a meter id"),
        (["add", "t", "--profile", "agent", "--broker", "x"], "gateways.toml is there and says where"),
        (["remove", "roof"], "gateways.toml: no gateway 'roof'; there are: tower, pulse1"),
        (["rotate-password", "roof"], "gateways.toml: no gateway 'roof'"),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(folder: Path, arguments: list[str], sentence: str):
    assert sentence in refused(folder, *arguments)
    assert [one.name for one in folder.iterdir()] == ["gateways.toml"]
    assert (folder / "gateways.toml").read_text() == TEXT


def test_a_first_gateway_needs_a_broker(tmp_path: Path):
    assert "say where the broker is, --broker" in refused(tmp_path, "add", "roof", "--profile", "agent")
    wrong = refused(tmp_path, "add", "roof", "--profile", "agent", "--broker", "mqtt:often")
    assert wrong == "--broker mqtt:often: expected HOST or HOST:PORT"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["list"], ["remove", "roof"], ["rotate-password", "roof"], ["render"]])
def test_without_a_file_of_gateways_it_is_told_how_one_begins(tmp_path: Path, command: list[str]):
    said = refused(tmp_path, *command)
    assert said == (
        "gateways.toml is not there: nurt gateway add begins one; or say with --config where it is"
    )


def test_a_gateway_without_a_table_of_its_own_is_left_to_the_editor(tmp_path: Path):
    inline = '[broker]\nhost = "h"\n[gateway]\nroof = { profile = "agent" }\n'
    (tmp_path / "gateways.toml").write_text(inline)
    assert "gateways.toml:4: roof has no table of its own, [gateway.roof]" in refused(
        tmp_path, "remove", "roof"
    )
    assert (tmp_path / "gateways.toml").read_text() == inline


# --- keys, if they are asked for --------------------------------------------------------------------

METER = "KAM-76348799-1b-16"
KEY = bytes(range(16)).hex().upper()


@pytest.fixture
def with_key(tmp_path: Path) -> Path:
    """A service that has the meter's key, and a gateway that decrypts."""
    (tmp_path / "gateways.toml").write_text(
        f'[broker]\nhost = "h"\n[gateway.cellar]\nprofile = "wmbusmeters"\nmeters = ["{METER}"]\n'
        '[gateway.roof]\nprofile = "agent"\n'
    )
    (tmp_path / "nurt.toml").write_text(f"[store]\ndata = '{tmp_path}/data'\n")
    (tmp_path / "keys.csv").write_text(f"meter_id,key\n{METER},{KEY}\n")
    asked = ["keys", "import", str(tmp_path / "keys.csv"), "--config", str(tmp_path / "nurt.toml")]
    service = ["--config", str(tmp_path / "nurt.toml")]
    for arguments in (["db", "upgrade", *service], ["keys", "init", *service], asked):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, (done.output, done.exception)
    return tmp_path


def files(folder: Path) -> str:
    return "".join(one.read_text() for one in (folder / "gateways").rglob("*") if one.is_file())


def test_a_gateways_files_hold_no_key_unless_it_is_asked_for_by_name(with_key: Path):
    assert gateway(with_key, "render").exit_code == 0
    assert KEY not in files(with_key)
    done = gateway(with_key, "render", "cellar", "--with-keys", "--service", str(with_key / "nurt.toml"))
    assert "warning: keys of 1 of 1 meters are written into files" in done.output
    assert KEY not in done.output
    file = with_key / "gateways" / "cellar" / "wmbusmeters.d" / METER
    assert f"key={KEY}\n" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    difference = gateway(with_key, "diff").output
    assert "-key=(a key)" in difference
    assert KEY not in difference


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["render", "--with-keys"], "--with-keys: name the gateways whose files shall hold keys"),
        (["render", "roof", "--with-keys"], "--with-keys: files of agent never hold keys, and roof is one"),
        (["render", "loft"], "gateways.toml: no gateway loft; there are: cellar, roof"),
    ],
)
def test_keys_are_written_for_named_gateways_that_decrypt_only(
    with_key: Path, arguments: list[str], sentence: str
):
    assert sentence in refused(with_key, *arguments)


# --- the text ---------------------------------------------------------------------------------------


def test_a_gateways_own_comment_goes_with_it_and_all_others_stay():
    left = without_gateway(TEXT, "tower", FILE)
    assert left == TEXT[: TEXT.index("# the old")] + TEXT[TEXT.index("[gateway.pulse1]") :]


def test_a_revision_is_written_where_it_belongs():
    once = with_revision(TEXT, "tower", 2, FILE)
    assert once == TEXT.replace("[gateway.tower]\n", "[gateway.tower]\nrevision = 2\n", 1)
    commented = once.replace("revision = 2", "revision = 2   # Ewa")
    assert with_revision(commented, "tower", 31, FILE) == commented.replace("= 2", "= 31")


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,10}", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(names=st.lists(NAMES, unique=True, min_size=1, max_size=5), data=st.data())
def test_what_was_added_can_be_taken_out_again_in_any_order(names: list[str], data: st.DataObject):
    text = TEXT
    names = [name for name in names if name not in {"tower", "pulse1"}]
    for name in names:
        options = data.draw(st.dictionaries(st.just("receivers"), st.just(("a:b", "[c]"))))
        text = with_gateway(text, name, {"profile": "agent", "revision": 1}, options)
        text = with_revision(text, name, data.draw(st.integers(1, 2**40)), FILE)
        assert line_of(text, name)
    assert tomllib.loads(text)["gateway"].keys() == {"tower", "pulse1", *names}
    for name in data.draw(st.permutations(names)):
        text = without_gateway(text, name, FILE)
    assert text == TEXT


def test_lines_of_the_password_file():
    assert with_line("a:1\nb:2\n", "a:3") == "b:2\na:3\n"
    assert with_line("", "a:3") == "a:3\n"
    assert without_user("a:1\nb:2\n", "a") == "b:2\n"
    assert hashed_line("roof", "secret").startswith("roof:$7$100000$")
