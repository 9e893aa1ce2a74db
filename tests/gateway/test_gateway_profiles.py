"""Profiles: golden files, what the real programs say to them, and sentences for what is wrong.

After a wanted change of a template: `nurt gateway render -c gateways.toml --to .` in the folder `golden`, and
look at the difference before committing it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from typer.testing import CliRunner

from gateway_firmware_config.passwords import hashed_line
from gateway_firmware_config.profile import profile_names, profile_of
from gateway_firmware_config.rendering import Rendered, render_broker, render_gateway
from ingest.adapters import ADAPTERS
from metering.errors import InvalidValue, SettingsError
from service.cli import app
from service.gateway_files import load_agent_settings, load_fleet
from service.settings_model import TopicRule

GOLDEN = Path(__file__).with_name("golden")
FLEET = load_fleet(GOLDEN / "gateways.toml")
BROKER = '[broker]\nhost = "mqtt.example.org"\n'


def rendered(name: str) -> dict[str, Rendered]:
    return dict(render_gateway(name, FLEET.gateway[name], FLEET.broker))


def told(tmp_path: Path, text: str) -> str:
    file = tmp_path / "gateways.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as wrong:
        load_fleet(file)
    return str(wrong.value).replace(f"{tmp_path}/", "")


# --- what is rendered -------------------------------------------------------------------------------


def test_every_profile_has_a_gateway_with_golden_files():
    assert {gateway.profile for gateway in FLEET.gateway.values()} == set(profile_names())


@pytest.mark.parametrize("name", FLEET.gateway)
def test_a_gateways_files_are_the_golden_ones(name: str):
    made = {path: file.text for path, file in rendered(name).items()}
    kept = {
        str(file.relative_to(GOLDEN / name)): file.read_text()
        for file in (GOLDEN / name).rglob("*")
        if file.is_file()
    }
    assert made == kept


def test_the_brokers_files_are_the_golden_ones():
    for path, file in render_broker(FLEET).items():
        assert file.text == (GOLDEN / "mosquitto" / path).read_text()


@pytest.mark.parametrize("name", FLEET.gateway)
def test_what_holds_the_brokers_password_is_readable_by_its_owner_only(name: str):
    for path, file in rendered(name).items():
        assert (f"PASSWORD-OF-{name}" in file.text) == (file.mode == 0o600), path


@pytest.mark.parametrize("name", profile_names())
def test_what_a_gateway_publishes_is_read_by_an_adapter_there_is(name: str):
    for route in profile_of(name).routes:
        assert route.adapter in ADAPTERS
        assert "+" in route.filter


@pytest.mark.parametrize("name", profile_names())
def test_the_defaults_of_a_profile_are_good(name: str):
    for option in profile_of(name).options.values():
        assert option.fault(option.default) is None


def test_a_board_a_profile_offers_has_its_pins():
    profile = profile_of("esphome-wmbus")
    assert set(profile.options["board"].choices) == set(profile.boards)


# --- what the programs say --------------------------------------------------------------------------


def test_our_own_agent_takes_its_settings():
    settings = load_agent_settings(GOLDEN / "roof" / "agent.toml")
    assert [one.kind for one in settings.receiver] == ["im871a", "cul"]
    assert settings.select.meters == ("KAM-76348799-1b-16",)


def test_calls_for_shelly_are_json():
    calls = [json.loads(line) for line in (GOLDEN / "uni" / "calls.jsonl").read_text().splitlines()]
    assert [call["method"] for call in calls] == ["Input.SetConfig", "Mqtt.SetConfig", "Shelly.Reboot"]


def test_the_service_takes_its_topics():
    topics = tomllib.loads((GOLDEN / "mosquitto" / "topics.toml").read_text())["topics"]
    without_options = [one for one in topics if one["adapter"] != "esphome_pulse"]
    assert len([TopicRule(**one) for one in without_options]) > 8


def test_systemd_takes_the_unit_of_rtl_wmbus():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = GOLDEN / "stick" / "rtl-wmbus.service"
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "rtl-wmbus" in line] == []


class Speaker:
    """A client of the broker, as one of its users."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self.client = Client(CallbackAPIVersion.VERSION2, user, protocol=MQTTv5)
        self.client.username_pw_set(user, password)
        self.heard: list[str] = []
        self.answers: dict[int, bool] = {}
        self.welcome: bool | None = None
        self._changed = threading.Condition()
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self._note("welcome", not reason.is_failure)
        self.client.on_publish = lambda _c, _u, mid, reason, _p: self._note(mid, not reason.is_failure)
        self.client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._note(mid, not reasons[0].is_failure)
        self.client.on_message = lambda _c, _u, message: self._note("heard", message.topic)
        self.client.connect("127.0.0.1", port)
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
    """The rendered listener, ACL and hashed passwords, in a real broker."""
    broker = FLEET.broker.model_copy(update={"folder": tmp_path, "tls": False, "port": free_port()})
    fleet = FLEET.model_copy(update={"broker": broker})
    users = ["nurt", *fleet.gateway]
    (tmp_path / "passwords").write_text("".join(hashed_line(user, f"pw-{user}") + "\n" for user in users))
    made = render_broker(fleet)
    (tmp_path / "acl").write_text(made["acl"].text)
    for file in ("acl", "passwords"):
        (tmp_path / file).chmod(0o600)
    mosquitto(made["nurt.conf"].text)

    stranger = Speaker(broker.tcp_port, "roof", "pw-cellar")
    assert stranger.welcome is False
    stranger.close()
    service = Speaker(broker.tcp_port, "nurt", "pw-nurt")
    service.hear("#")
    own = {name: topics_of(name) for name in fleet.gateway}
    said = []
    for name, other in zip(own, [*list(own)[1:], next(iter(own))], strict=True):
        for topic in own[name]:
            assert says(broker.tcp_port, name, topic), topic
            said.append(topic)
        for topic in own[other]:
            assert not says(broker.tcp_port, name, topic), f"{name} spoke as {other}"
    service.wait(lambda: len(service.heard) >= len(said))
    assert sorted(service.heard) == sorted(said)
    service.close()


def says(port: int, name: str, topic: str) -> bool:
    """Whether a gateway may publish on a topic; on a connection of its own, for a refusal may end it."""
    gateway = Speaker(port, name, f"pw-{name}")
    try:
        return gateway.may_say(topic)
    finally:
        gateway.close()


def topics_of(name: str) -> list[str]:
    """Topics a gateway publishes on, one for each of its rights."""
    writes = profile_of(FLEET.gateway[name].profile).writes
    return [one.replace("{gateway}", name).replace("#", "state") for one in writes]


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- what is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[gateway.roof]\nprofile = "agnet"\n',
            "gateways.toml:4: gateway.roof.profile: no such profile; there are: agent",
        ),
        (
            '[gateway.roof]\nprofile = "esphome-wmbus"\n[gateway.roof.options]\nbaord = "heltec-v3"\n',
            "gateways.toml:6: unknown option baord of esphome-wmbus; did you mean board?",
        ),
        (
            '[gateway.roof]\nprofile = "esphome-wmbus"\noptions.board = "heltec"\n',
            "gateways.toml:5: board: there are: heltec-v3, xiao-s3",
        ),
        (
            '[gateway.Roof]\nprofile = "esphome-wmbus"\n',
            "gateways.toml:3: esphome-wmbus takes no such name",
        ),
        (
            '[gateway.roof]\nprofile = "tasmota"\noptions.tele_period_s = "often"\n',
            "gateways.toml:5: tele_period_s: must be a whole number",
        ),
        (
            '[gateway.roof]\nprofile = "wmbusmeters"\noptions.device = "a\\nshell=rm"\n',
            "gateways.toml:5: device must not hold quotes, backslashes or line ends",
        ),
        ('[gateway.roof]\nprofil = "agent"\n', "gateways.toml:4: unknown setting gateway.roof.profil"),
        ('[gateway.roof]\nprofile = "agent"\n[gateway.roof]\n', "gateways.toml:5: "),
        ('[gateway."the roof"]\nprofile = "agent"\n', "is not a gateway name"),
        ('[gateway.roof]\nprofile = "agent"\nmeters = ["76348799"]\n', "is not a meter id"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, text: str, sentence: str):
    assert sentence in told(tmp_path, BROKER + text)


def test_a_broker_name_that_would_break_a_file_is_refused(tmp_path: Path):
    text = '[broker]\nhost = "a;b"\n[gateway.roof]\nprofile = "agent"\n'
    assert "gateways.toml:2: broker.host: a plain name or address" in told(tmp_path, text)


def test_a_gateway_may_not_have_the_services_name(tmp_path: Path):
    (tmp_path / "gateways.toml").write_text(BROKER + '[gateway.nurt]\nprofile = "agent"\n')
    with pytest.raises(InvalidValue, match="the name the service logs in with"):
        render_broker(load_fleet(tmp_path / "gateways.toml"))


# --- the commands -----------------------------------------------------------------------------------


def test_diff_shows_what_render_would_change_and_nothing_after_it(tmp_path: Path):
    config, folder = str(GOLDEN / "gateways.toml"), str(tmp_path / "out")
    asked = ["--config", config, "--to", folder]
    assert CliRunner().invoke(app, ["gateway", "diff", *asked]).exit_code == 1
    assert CliRunner().invoke(app, ["gateway", "render", *asked]).exit_code == 0
    assert CliRunner().invoke(app, ["gateway", "diff", *asked]).output == ""
    file = tmp_path / "out" / "tas1" / "backlog.txt"
    file.write_text(file.read_text().replace("TelePeriod 300", "TelePeriod 10"))
    done = CliRunner().invoke(app, ["gateway", "diff", *asked])
    assert done.exit_code == 1
    assert "+Backlog Time 2; Timezone 0; TelePeriod 300" in done.output


def test_profiles_are_listed_with_their_options():
    done = CliRunner().invoke(app, ["gateway", "profiles"])
    assert all(f"{name}: " in done.output for name in profile_names())
    assert "one of heltec-v3, xiao-s3" in done.output
