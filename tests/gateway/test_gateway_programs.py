"""What real programs say to rendered files: Mosquitto, ESPHome, systemd, a JavaScript engine, our agent."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import tomllib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from rendered_broker import RenderedBroker

from gateway_firmware_config.fleet import GatewayPlan
from gateway_firmware_config.profile import profile_of, profiles_folder
from gateway_firmware_config.rendering import render_gateway
from ingest.adapters.lorawan import codec_named
from ingest.codecs.content import Counter
from metering.uplink import BadUplink
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


class Speaker:
    """A client of the broker over TLS, as one of its users."""

    def __init__(self, broker: RenderedBroker, user: str, password: str) -> None:
        self.client = Client(CallbackAPIVersion.VERSION2, user, protocol=MQTTv5)
        self.client.username_pw_set(user, password)
        self.client.tls_set(str(broker.authority))
        self.heard: list[str] = []
        self.answers: dict[int, bool] = {}
        self.welcome: bool | None = None
        self._changed = threading.Condition()
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self._note("welcome", not reason.is_failure)
        self.client.on_publish = lambda _c, _u, mid, reason, _p: self._note(mid, not reason.is_failure)
        self.client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._note(mid, not reasons[0].is_failure)
        self.client.on_message = lambda _c, _u, message: self._note("heard", message.topic)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.wait(lambda: self.welcome is not None)

    def _note(self, what: object, value: object) -> None:
        with self._changed:
            if what == "welcome":
                self.welcome = bool(value)
            elif what == "heard":
                self.heard.append(str(value))
            else:
                self.answers[what] = bool(value)  # type: ignore[index]
            self._changed.notify_all()

    def wait(self, true: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(true, 10)

    def may_say(self, topic: str) -> bool:
        number = self.client.publish(topic, b"{}", qos=1).mid
        self.wait(lambda: number in self.answers)
        return self.answers[number]

    def hear(self, topics: str) -> None:
        number = self.client.subscribe(topics, qos=1)[1]
        self.wait(lambda: number in self.answers)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.servers
def test_mosquitto_lets_every_gateway_say_its_own_topics_and_no_others(
    mosquitto: Callable[..., object], tmp_path: Path
):
    """The rendered listener with TLS, the ACL and hashed passwords, in a real broker."""
    broker = RenderedBroker(FLEET, mosquitto, tmp_path)
    stranger = Speaker(broker, "roof", "pw-cellar")
    assert stranger.welcome is False
    stranger.close()
    with socket.create_connection(("127.0.0.1", broker.port), timeout=5) as plain:
        plain.sendall(bytes.fromhex("101000044d5154540502003c00000361626300"))  # CONNECT without TLS
        assert answer(plain)[:1] != b"\x20", "no CONNACK"
    service = Speaker(broker, "nurt", "pw-nurt")
    service.hear("#")
    own = {name: topics_of(name) for name in FLEET.gateway}
    said = []
    for name, other in zip(own, [*list(own)[1:], next(iter(own))], strict=True):
        gateway = Speaker(broker, name, f"pw-{name}")
        for topic in own[name]:
            assert gateway.may_say(topic), topic
            said.append(topic)
        foreign = next(topic for topic in own[other] if topic not in own[name])
        assert not gateway.may_say(foreign), f"{name} spoke as {other}"
        gateway.close()
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


# --- codecs for ChirpStack --------------------------------------------------------------------------

CODEC_FOLDER = Path(str(profiles_folder())) / "chirpstack" / "codecs"
DEVICES = {name: board["codec"] for name, board in profile_of("chirpstack").boards.items()}
RUN = """
const fs = require("fs"), vm = require("vm");
const [script, file] = process.argv.slice(1);
const context = vm.createContext({});
vm.runInContext(fs.readFileSync(script, "utf8"), context);
const inputs = JSON.parse(fs.readFileSync(file, "utf8"));
const ask = (input) => vm.runInContext("decodeUplink(" + JSON.stringify(input) + ")", context);
console.log(JSON.stringify(inputs.map(ask)));
"""


def decoded(folder: Path, device: str, inputs: list[dict]) -> list[dict]:
    """What a codec makes of uplinks, in the engine that comes with Playwright."""
    found = find_spec("playwright")
    node = Path(found.origin).parent / "driver" / "node" if found and found.origin else Path("node")
    if not node.exists():
        pytest.skip("no JavaScript engine: playwright is not installed")
    (folder / "inputs.json").write_text(json.dumps(inputs))
    done = subprocess.run(
        [node, "-e", RUN, CODEC_FOLDER / f"{device}.js", folder / "inputs.json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("device", DEVICES)
def test_a_codec_passes_the_tests_it_comes_with(device: str, tmp_path: Path):
    cases = json.loads((CODEC_FOLDER / f"test_decode_{device}.json").read_text())
    assert decoded(tmp_path, device, [case["input"] for case in cases]) == [
        case["expected"] for case in cases
    ]


PORTS = {"em300-di": 85, "adeunis-pulse": 1, "izar-to-lorawan": 20, "qalcosonic-w1": 100}
SHAPES: dict[str, st.SearchStrategy[bytes]] = {
    "em300-di": st.lists(
        st.builds(
            bytes.__add__,
            st.sampled_from(
                [bytes.fromhex(kind) for kind in ("0175", "0367", "0468", "0500", "05c8", "20ce")]
            ),
            st.binary(min_size=1, max_size=13),
        ),
        max_size=3,
    ).map(b"".join)
    | st.lists(st.binary(min_size=4, max_size=4).map(lambda four: b"\x05\xc8" + four), max_size=3).map(
        b"".join
    ),
    "adeunis-pulse": st.binary(min_size=4, max_size=13).map(lambda more: b"\x5a\x20" + more),
    "izar-to-lorawan": st.binary(min_size=6, max_size=8),
    "qalcosonic-w1": st.binary(min_size=50, max_size=50).map(lambda more: b"\x01" + more[:-1] + b"\x00")
    | st.binary(min_size=50, max_size=51),
}


@settings(max_examples=15, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("device", DEVICES)
def test_a_codec_reads_what_the_service_reads(
    device: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    """Same totals, same refusals."""
    payloads = data.draw(st.lists(SHAPES[device], max_size=30))
    port = PORTS[device]
    asked = [{"fPort": port, "bytes": list(payload)} for payload in payloads]
    ours = [reading(DEVICES[device], port, payload) for payload in payloads]
    theirs = decoded(tmp_path_factory.mktemp("codec"), device, asked)
    assert [told(one) for one in theirs] == ours


def reading(codec: str, port: int, payload: bytes) -> int | str | None:
    """The newest total the service reads; litres or pulses."""
    try:
        found = list(codec_named(codec)(port, payload))
    except BadUplink:
        return "refused"
    live = [one for one in found if not (isinstance(one, Counter) and one.at is not None)]
    if not live:
        return None
    last = live[-1]
    return last.total if isinstance(last, Counter) else int(last.value.scaleb(3))


def told(answer: dict) -> int | str | None:
    if "errors" in answer:
        return "refused"
    return answer["data"].get("pulses", answer["data"].get("total_l"))
