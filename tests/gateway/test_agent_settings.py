"""agent.toml: what is wrong is told with file and line; what installs the agent holds together."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from metering.errors import SettingsError
from service.cli import app
from service.gateway_files import load_agent_settings

GOOD = """\
[gateway]
name = "roof"

[broker]
host = "mqtt.example.org"

[[receiver]]
name = "attic"
kind = "im871a"
port = "/dev/ttyUSB0"
"""


def told(tmp_path: Path, text: str) -> str:
    file = tmp_path / "agent.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as wrong:
        load_agent_settings(file)
    return str(wrong.value).replace(f"{tmp_path}/", "")


def test_few_settings_are_enough(tmp_path: Path):
    file = tmp_path / "agent.toml"
    file.write_text(GOOD)
    settings = load_agent_settings(file)
    assert settings.gateway.name == "roof"
    assert settings.broker.secret() is None
    assert settings.receiver[0].silent_minutes == 30


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("port =", "prot ="), "agent.toml:10: unknown setting receiver[0].prot; did you mean port?"),
        (("im871a", "im871"), "agent.toml:9: receiver[0].kind: no such kind of receiver; there are: im871a"),
        (('"roof"', '"the roof"'), "agent.toml:2: gateway.name: a name is made of A-Z a-z 0-9 _ -"),
        (('host = "mqtt.example.org"', ""), "agent.toml:4: broker.host is missing"),
        (('name = "roof"', 'name = "roof'), "agent.toml:2: "),
        (
            ('port = "/dev/ttyUSB0"', ""),
            "agent.toml:7: receiver[0]: a receiver has either a port or a command",
        ),
        (("[broker]", "[broker]\ntls = 7"), "agent.toml:5: broker.tls: must be a valid boolean"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, change: tuple[str, str], sentence: str):
    assert sentence in told(tmp_path, GOOD.replace(*change))


def test_two_receivers_of_one_name_are_refused(tmp_path: Path):
    assert "two receivers are called attic" in told(tmp_path, GOOD + GOOD[GOOD.index("[[receiver]]") :])


def test_an_agent_without_a_receiver_is_refused(tmp_path: Path):
    assert "nothing to listen to" in told(tmp_path, GOOD[: GOOD.index("[[receiver]]")])


def test_a_wrong_password_setting_never_shows_the_password(tmp_path: Path):
    text = GOOD.replace("[broker]", '[broker]\npassword = "hunter22"\npassword_file = "x"')
    sentence = told(tmp_path, text)
    assert "password and password_file are both set" in sentence
    assert "hunter22" not in sentence


def test_meters_are_selected_by_identity_or_serial(tmp_path: Path):
    file = tmp_path / "agent.toml"
    file.write_text(GOOD + '[select]\nmeters = ["kam-76348799-1B-16", "12345678"]\nmanufacturers = ["sen"]\n')
    selected = load_agent_settings(file).select
    assert selected.meters == ("KAM-76348799-1b-16", "12345678")
    assert selected.manufacturers == ("SEN",)


def test_the_command_line_tells_it_in_one_sentence(tmp_path: Path):
    file = tmp_path / "agent.toml"
    file.write_text(GOOD)
    done = CliRunner().invoke(app, ["gateway", "check", "--config", str(file)])
    assert done.exit_code == 0
    assert done.output.endswith("agent.toml: good\n")


# --- the bundle -------------------------------------------------------------------------------------

ASKED = [
    "gateway",
    "bundle",
    "roof",
    "--broker",
    "mqtt.example.org",
    "--receiver",
    "cul:/dev/ttyACM0",
    "--to",
]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The files for a gateway with a CUL."""
    done = CliRunner().invoke(app, [*ASKED, str(tmp_path / "roof")])
    assert done.exit_code == 0, done.output
    return tmp_path / "roof"


def test_a_bundle_holds_settings_unit_and_script_and_its_settings_are_good(bundle: Path):
    assert sorted(file.name for file in bundle.iterdir()) == [
        "agent.toml",
        "install.sh",
        "nurt-agent.service",
    ]
    settings = load_agent_settings(bundle / "agent.toml")
    assert (settings.broker.host, settings.broker.port, settings.broker.tls) == (
        "mqtt.example.org",
        8883,
        True,
    )
    assert [(one.kind, one.port) for one in settings.receiver] == [("cul", "/dev/ttyACM0")]
    assert (bundle / "install.sh").stat().st_mode & stat.S_IXUSR


def test_a_bundle_holds_no_password(bundle: Path):
    assert "password =" not in (bundle / "agent.toml").read_text()


@pytest.mark.parametrize(
    ("name", "broker"), [("the roof", "mqtt.example.org"), ("roof", 'a"b'), ("roof", "host:port")]
)
def test_a_bundle_that_cannot_be_is_refused_in_one_sentence(tmp_path: Path, name: str, broker: str):
    asked = ["gateway", "bundle", name, "--broker", broker, "--to", str(tmp_path / "roof")]
    with pytest.raises(SettingsError):
        CliRunner().invoke(app, asked, catch_exceptions=False)
    assert not (tmp_path / "roof").exists()


def test_the_install_script_is_a_shell_script(bundle: Path):
    subprocess.run(["sh", "-n", str(bundle / "install.sh")], check=True)


@pytest.mark.servers
def test_systemd_takes_the_unit(bundle: Path, tmp_path: Path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    program, user = shutil.which("true"), "User=nurt-agent"
    text = (bundle / "nurt-agent.service").read_text()
    assert user in text
    unit = tmp_path / "nurt-agent.service"
    unit.write_text(text.replace("/opt/nurt-agent/bin/nurt", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "nurt-agent" in line]
    assert (done.returncode, ours) == (0, []), done.stderr
