"""The agent and a broker that wants TLS and a password: what it says of itself, and what it may not say."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from devices import frame_of, im871a, rtl
from dongle import Dongle
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions
from rendered_broker import certificates
from wired_bus import LAST, METER, MORE, Bus

pytestmark = pytest.mark.servers

ACL = "user service\ntopic read amr/1/#\nuser roof\ntopic write amr/1/roof/#\n"
PASSWORDS = {"service": "s3rvice", "roof": "r00f"}


class Listener:
    """The service's side: hears everything, with a session of its own."""

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, dict, bool]] = []
        self._changed = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, "service", protocol=MQTTv5)
        self._client.username_pw_set("service", PASSWORDS["service"])
        subscribed = threading.Event()
        self._client.on_connect = lambda *_: self._client.subscribe(
            "amr/1/#", options=SubscribeOptions(qos=1)
        )
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _heard(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        said = json.loads(message.payload)
        with self._changed:
            for one in said if isinstance(said, list) else [said]:
                self.messages.append((message.topic, one, message.retain))
            self._changed.notify_all()

    def await_said(self, topic: str, number: int = 1, seconds: float = 20, **keys: object) -> list[dict]:
        """Wait until so many things with these keys were said on a topic."""

        def found() -> list[dict]:
            said = [one for where, one, _ in self.messages if where == topic]
            return [one for one in said if keys.items() <= one.items()]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= number, seconds), self.messages
            return found()


@pytest.fixture
def secured(mosquitto: Callable[..., object], tmp_path: Path) -> tuple[int, int]:
    """A broker that knows its users; gives the ports without and with TLS."""
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    certificates(tmp_path)
    (tmp_path / "passwords").touch(0o600)
    for user, password in PASSWORDS.items():
        subprocess.run(
            [tool, "-b", str(tmp_path / "passwords"), user, password], check=True, capture_output=True
        )
    (tmp_path / "acl").write_text(ACL)
    (tmp_path / "acl").chmod(0o600)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker = mosquitto(
        f"allow_anonymous false\npassword_file {tmp_path}/passwords\nacl_file {tmp_path}/acl\n"
        f"listener {port} 127.0.0.1\ncafile {tmp_path}/ca.pem\n"
        f"certfile {tmp_path}/server.pem\nkeyfile {tmp_path}/server.key\n"
    )
    return broker.port, port


@pytest.fixture
def listener(secured: tuple[int, int]) -> Iterator[Listener]:
    made = Listener(secured[0])
    yield made
    made.close()


@pytest.fixture
def dongle(tmp_path: Path) -> Iterator[Dongle]:
    made = Dongle(tmp_path / "ttyUSB0", 57600, im871a)
    yield made
    made.unplug()


@pytest.fixture
def agent_of(gateway: Callable[..., AgentProcess], secured: tuple[int, int], dongle: Dongle, tmp_path: Path):
    """Make the gateway of the roof, with a password."""

    def make(password: str = PASSWORDS["roof"]) -> AgentProcess:
        (tmp_path / "password").write_text(password + "\n")
        broker = (
            f"port = {secured[1]}\ntls = true\nca_file = '{tmp_path}/ca.pem'\n"
            f"username = 'roof'\npassword_file = '{tmp_path}/password'"
        )
        receiver = f"[[receiver]]\nname = 'attic'\nkind = 'im871a'\nmode = 'T1'\nport = '{dongle.port}'\n"
        return gateway(broker, receiver)

    return make


def test_over_tls_a_gateway_says_its_state_its_health_and_what_it_hears(
    listener: Listener, dongle: Dongle, agent_of: Callable[..., AgentProcess]
):
    agent = agent_of()
    agent.start()
    agent.await_told("receiver.open")
    [online] = listener.await_said("amr/1/roof/state", state="online")
    dongle.send(frame_of(b"\x01\x02"))
    [heard] = listener.await_said("amr/1/roof/up")
    assert heard["boot"] == online["boot"]
    assert {key: heard[key] for key in ("v", "k", "seq", "ts_src", "mode", "rssi", "hex", "hist")} == {
        "v": 1,
        "k": "frame",
        "seq": 1,
        "ts_src": "ntp",
        "mode": "T1",
        "rssi": -72,
        "hex": frame_of(b"\x01\x02").hex(),
        "hist": False,
    }
    agent.stop()
    listener.await_said("amr/1/roof/state", state="offline")
    assert PASSWORDS["roof"] not in agent.log()


def test_health_tells_receivers_queue_and_machine(listener: Listener, agent_of: Callable[..., AgentProcess]):
    agent = agent_of()
    agent.start()
    [health] = listener.await_said("amr/1/roof/health")
    assert health["receivers"]["attic"].keys() >= {"open", "silent_s", "faults", "restarts", "heard"}
    assert health["queue"] == 0
    assert health["shed"] == 0
    assert health["disk_free_mb"] > 0
    assert 10 < health["memory_mb"] < 100
    agent.stop()


def test_a_killed_gateway_is_offline_by_its_last_will(
    listener: Listener, agent_of: Callable[..., AgentProcess]
):
    agent = agent_of()
    agent.start()
    listener.await_said("amr/1/roof/state", state="online")
    agent.kill()
    listener.await_said("amr/1/roof/state", state="offline")


def test_a_gateway_with_the_wrong_password_keeps_what_it_hears_and_tells_why(
    dongle: Dongle, agent_of: Callable[..., AgentProcess]
):
    agent = agent_of(password="wr0ng")
    agent.start()
    agent.await_told("broker.refused")
    agent.await_told("receiver.open")
    dongle.send(frame_of(b"\x01\x02"))
    time.sleep(1)
    agent.stop()
    assert agent.spooled() == [frame_of(b"\x01\x02").hex()]
    assert "wr0ng" not in agent.log()


def test_a_broker_nobody_vouches_for_gets_nothing(agent_of: Callable[..., AgentProcess], tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    certificates(other)
    agent = agent_of()
    agent.config.write_text(agent.config.read_text().replace(f"{tmp_path}/ca.pem", f"{other}/ca.pem"))
    agent.start()
    agent.await_told("broker.unreachable")
    assert "certificate" in agent.log().lower()
    agent.stop()


def test_a_gateway_may_not_speak_for_another(
    listener: Listener, dongle: Dongle, agent_of: Callable[..., AgentProcess]
):
    """The broker refuses it, message by message; nothing of it is forgotten."""
    agent = agent_of()
    agent.config.write_text(agent.config.read_text().replace("name = 'roof'", "name = 'cellar'", 1))
    agent.start()
    agent.await_told("receiver.open")
    dongle.send(frame_of(b"\x01\x02"))
    agent.await_told("broker.not_taken", because="refused")
    agent.stop()
    assert agent.spooled() == [frame_of(b"\x01\x02").hex()]
    assert [topic for topic, _, _ in listener.messages if "cellar" in topic] == []


def test_pulses_wired_meters_and_programs_are_published_too(
    mosquitto: Callable[..., object],
    gateway: Callable[..., AgentProcess],
    pseudo_terminal: Callable[[Bus], str],
    tmp_path: Path,
):
    """Whatever the source, over a broker that asks for nothing."""
    heard = Listener(port := mosquitto().port)
    board = Dongle(tmp_path / "ttyACM0", 9600, lambda line: line)
    program = tmp_path / "rtl"
    program.write_text(f"#!/bin/sh\ncat <<end\n{rtl(frame_of(b'!')).decode()}end\nsleep 60\n")
    program.chmod(0o755)
    agent = gateway(
        f"port = {port}",
        f"[[receiver]]\nname = 'board'\nkind = 'pulses'\nport = '{board.port}'\n"
        "litres_per_pulse = { 1 = '2.5' }\n"
        f"[[receiver]]\nname = 'stick'\nkind = 'rtl-wmbus'\ncommand = ['{program}']\n"
        f"[[wired]]\nname = 'riser'\nport = '{pseudo_terminal(Bus([MORE, LAST]))}'\nmeters = ['{METER}']\n",
    )
    agent.start()
    agent.await_told("receiver.open", receiver="board")
    board.say(b"1 123456\r\n")
    [pulse] = heard.await_said("amr/1/roof/up", k="pulse")
    assert (pulse["ch"], pulse["total"], pulse["pulse_l"]) == ("1", 123456, "2.5")
    for frame in (frame_of(b"!"), MORE, LAST):
        heard.await_said("amr/1/roof/up", k="frame", hex=frame.hex())
    agent.stop()
    heard.close()
    board.unplug()
