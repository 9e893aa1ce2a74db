"""What real programs say to rendered files: Mosquitto, ESPHome, systemd, a JavaScript engine, our agent."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from rendered_broker import RenderedBroker, Speaker
from typer.testing import CliRunner

from gateway_firmware_config.fleet import GatewayPlan
from gateway_firmware_config.profile import profile_of
from gateway_firmware_config.rendering import render_gateway
from service.cli import app
from service.gateway_files import load_agent_settings, load_fleet
from service.settings_model import TopicRule

GOLDEN = Path(__file__).with_name("golden")
STUBS = Path(__file__).with_name("esphome_stubs")
ESPHOME = Path(__file__).parents[2] / ".venv-esphome" / "bin" / "esphome"
FLEET = load_fleet(GOLDEN / "gateways.toml")


# --- our own ----------------------------------------------------------------------------------------


def test_our_own_agent_takes_its_settings():
    roof = load_agent_settings(GOLDEN / "roof" / "agent.toml")
    assert [one.kind for one in roof.receiver] == ["im871a", "cul"]
    assert roof.select.meters == ("KAM-76348799-1b-16",)
    narrow = load_agent_settings(GOLDEN / "narrow" / "agent.toml")
    assert narrow.broker.ca_file == Path("/etc/nurt-agent/ca.pem")
    assert (narrow.broker.gzip, narrow.broker.publish_every_s) == (True, 60)
    assert (narrow.select.manufacturers, narrow.select.interval_s) == (("SEN", "KAM"), 900)


def test_the_service_takes_its_topics():
    topics = tomllib.loads((GOLDEN / "mosquitto" / "topics.toml").read_text())["topics"]
    assert len([TopicRule(**one).route() for one in topics]) > 12


def test_calls_for_shelly_are_json():
    calls = [json.loads(line) for line in (GOLDEN / "uni" / "calls.jsonl").read_text().splitlines()]
    assert [call["method"] for call in calls] == ["Input.SetConfig", "Mqtt.SetConfig", "Shelly.Reboot"]


# --- systemd ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit_of_rtl_wmbus():
    unit = GOLDEN / "stick" / "rtl-wmbus.service"
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "rtl-wmbus" in line] == []


# --- Mosquitto --------------------------------------------------------------------------------------


@pytest.mark.servers
def test_mosquitto_lets_every_gateway_say_its_own_topics_and_no_others(
    mosquitto: Callable[..., object], tmp_path: Path
):
    """The rendered listener with TLS, the ACL and hashed passwords, in a real broker."""
    broker = RenderedBroker(FLEET, mosquitto, tmp_path)
    stranger = Speaker(broker.port, broker.authority, "roof", "pw-cellar")
    assert stranger.welcome is False
    stranger.close()
    with socket.create_connection(("127.0.0.1", broker.port), timeout=5) as plain:
        plain.sendall(bytes.fromhex("101000044d5154540502003c00000361626300"))  # CONNECT without TLS
        assert answer(plain)[:1] != b"\x20", "no CONNACK"
    service = Speaker(broker.port, broker.authority, "nurt", "pw-nurt")
    service.hear("#")
    own = {name: topics_of(name) for name in FLEET.gateway}
    said = []
    for name, other in zip(own, [*list(own)[1:], next(iter(own))], strict=True):
        gateway = Speaker(broker.port, broker.authority, name, f"pw-{name}")
        for topic in own[name]:
            assert gateway.may_say(topic), topic
            said.append(topic)
        foreign = next(topic for topic in own[other] if topic not in own[name])
        assert not gateway.may_say(foreign), f"{name} spoke as {other}"
        gateway.close()
    roof = Speaker(broker.port, broker.authority, "roof", "pw-roof")
    assert not roof.may_say("amr/1/roof/cfg/desired"), "nobody tells himself settings"
    roof.close()
    service.wait(lambda: len(service.heard) >= len(said))
    assert sorted(service.heard) == sorted(said)
    service.close()


def answer(line: socket.socket) -> bytes:
    """What the other side says; nothing if it hangs up."""
    try:
        return line.recv(100)
    except ConnectionResetError:
        return b""


def topics_of(name: str) -> list[str]:
    """Topics a gateway publishes on, one for each of its rights in the golden ACL."""
    acl = (GOLDEN / "mosquitto" / "acl").read_text()
    [rights] = re.findall(rf"^user {name}\n((?:topic .*\n)+)", acl, re.MULTILINE)
    return [
        one.replace("#", "state").replace("+", "any")
        for one in re.findall(r"^topic write (.*)$", rights, re.MULTILINE)
    ]


# --- ESPHome ----------------------------------------------------------------------------------------

SECRETS = """\
wifi_ssid: test
wifi_password: "12345678"
mqtt_password: test
mqtt_authority: |
  -----BEGIN CERTIFICATE-----
  AAAA
  -----END CERTIFICATE-----
"""


def esphome(folder: Path, profile: str, options: dict[str, str], change: Callable[[str], str] = str):
    """Have ESPHome check a rendered file, with stand-ins for the radio components.

    Returns:
        Whether it is valid, and what it said.
    """
    if not ESPHOME.exists():
        pytest.skip("ESPHome is not installed: make esphome")
    plan = GatewayPlan(profile=profile, options=options)
    text = render_gateway("box", plan, FLEET.broker)["box.yaml"].text
    author = "szczepanleon" if "SzczepanLeon" in text else "kustonium"
    for component, stub in (("wmbus_radio", author), ("wmbus_common", "wmbus_common")):
        (folder / "components" / component).mkdir(parents=True)
        shutil.copy(STUBS / f"{stub}.py", folder / "components" / component / "__init__.py")
    text = re.sub(r"source: github://.*", "source: {type: local, path: components}", text)
    (folder / "box.yaml").write_text(change(text))
    (folder / "secrets.yaml").write_text(SECRETS)
    done = subprocess.run(
        [ESPHOME, "config", "box.yaml"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("profile", ["esphome-wmbus", "esphome-wmbus-v5"])
@pytest.mark.parametrize("board", profile_of("esphome-wmbus").boards)
def test_esphome_takes_the_settings_of_every_board(profile: str, board: str, tmp_path: Path):
    valid, said = esphome(tmp_path, profile, {"board": board})
    assert valid, said
    assert "Configuration is valid!" in said


def test_esphome_takes_the_settings_of_the_pulse_counter(tmp_path: Path):
    valid, said = esphome(tmp_path, "esphome-pulse", {})
    assert valid, said


def test_esphome_does_not_take_just_anything(tmp_path: Path):
    valid, said = esphome(
        tmp_path, "esphome-wmbus", {}, lambda text: text.replace("listen_mode", "listen_mod")
    )
    assert not valid
    assert "[listen_mod] is an invalid option for [wmbus_radio]" in said


# --- commands over MQTT -----------------------------------------------------------------------------


@pytest.mark.servers
def test_tasmota_and_shelly_are_sent_commands_for_their_counters(
    mosquitto: Callable[..., object], tmp_path: Path
):
    broker = RenderedBroker(FLEET, mosquitto, tmp_path)
    (tmp_path / "service.password").write_text("pw-nurt\n")
    text = (GOLDEN / "gateways.toml").read_text().replace("mqtt.example.org", "127.0.0.1", 1)
    (tmp_path / "gateways.toml").write_text(
        text.replace("[broker]\n", f"[broker]\nport = {broker.port}\n", 1)
    )
    heard: list[str] = []
    boxes = [Speaker(broker.port, broker.authority, name, f"pw-{name}") for name in ("tas1", "uni")]
    for box, topic in zip(boxes, ("cmnd/tas1/Backlog", "uni/rpc"), strict=True):
        box.client.on_message = lambda _c, _u, message: heard.append(message.payload.decode())
        box.hear(topic)
    asked = ["--config", "gateways.toml", "--password-file", "service.password", "--ca-file", "ca.pem"]
    with contextlib.chdir(tmp_path):
        done = CliRunner().invoke(app, ["gateway", "push", "tas1", "uni", *asked])
        nobody = CliRunner().invoke(app, ["gateway", "push", "cellar", *asked])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "uni: sent to uni/rpc; nobody says whether it listened" in done.output
    assert "no gateway with profile agent called cellar" in str(nobody.exception)
    end = time.monotonic() + 10
    while len(heard) < 2:
        assert time.monotonic() < end, heard
        time.sleep(0.05)
    for box in boxes:
        box.close()
    backlog, call = sorted(heard)
    assert backlog.startswith("Time 2; Timezone 0; TelePeriod 300; CounterType1 0")
    assert json.loads(call)["method"] == "Input.SetConfig"
    assert "PASSWORD" not in "".join(heard)


def test_a_bundle_is_made_of_what_gateways_toml_says(tmp_path: Path):
    asked = ["--config", str(GOLDEN / "gateways.toml"), "--to", str(tmp_path / "box")]
    done = CliRunner().invoke(app, ["gateway", "bundle", "roof", *asked])
    assert done.exit_code == 0, done.output
    made = {one.name: one.read_text() for one in (tmp_path / "box").iterdir()}
    assert made == {one.name: one.read_text() for one in (GOLDEN / "roof").iterdir()}
    refused = CliRunner().invoke(app, ["gateway", "bundle", "loft", *asked])
    assert "no gateway with profile agent called loft" in str(refused.exception)
