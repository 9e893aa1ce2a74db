"""The broker as the docs have it: TLS, a password for each gateway, an ACL; and what `nurt check` says."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from authority import Authority
from deployment import Deployment, until
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from decoders.build import build
from gateway_firmware_config.fleet import BrokerPlan, Fleet, GatewayPlan
from gateway_firmware_config.passwords import hashed_line
from gateway_firmware_config.rendering import render_broker
from metering.clock import SystemClock
from metering.meter import MeterId
from service.checking.broker import broker_lines
from service.checking.line import Line, State
from service.settings import load_settings

pytestmark = pytest.mark.servers

METER = MeterId.parse("SEN-12345699-68-07")
FRAME = build(METER, bytes.fromhex("0413181E0000"), access=1, mode=0)


class Secured:
    """Mosquitto with the files rendered for two gateways."""

    def __init__(self, folder: Path, start: Callable[[str], object], port: int) -> None:
        self.folder, self.port = folder, port
        self.authority = Authority(folder)
        self.authority.issue(days=90)
        broker = BrokerPlan(host="localhost", port=port, tls=True, folder=folder)
        agent = GatewayPlan(profile="agent")
        made = render_broker(Fleet(broker=broker, gateway={"roof": agent, "cellar": agent}))
        users = ("nurt", "roof", "cellar")
        (folder / "passwords").write_text("".join(hashed_line(user, f"pw-{user}") + "\n" for user in users))
        (folder / "acl").write_text(made["acl"].text)
        for file in ("acl", "passwords"):
            (folder / file).chmod(0o600)
        self.broker = start(made["nurt.conf"].text)

    def deploy(self, folder: Path) -> Deployment:
        """Make a deployment that logs in as the service."""
        (self.folder / "password").write_text("pw-nurt\n")
        deployment = Deployment(folder, self.port)
        settings = folder / "nurt.toml"
        login = (
            f"host = 'localhost'\nport = {self.port}\ntls = true\nca_file = '{self.folder / 'ca.pem'}'\n"
            f"username = 'nurt'\npassword_file = '{self.folder / 'password'}'"
        )
        settings.write_text(settings.read_text().replace(f"port = {self.port}", login))
        return deployment

    def login(self, user: str, password: str, *, tls: bool = True) -> Speaker:
        return Speaker(self, user, password, tls=tls)


class Speaker:
    """A client that tells whether it was let in, and whether it may publish."""

    def __init__(self, secured: Secured, user: str, password: str, *, tls: bool) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, f"{user}-speaks", protocol=MQTTv5)
        self._client.username_pw_set(user, password)
        if tls:
            self._client.tls_set_context(ssl.create_default_context(cafile=str(secured.folder / "ca.pem")))
        self._answer, self._published = threading.Event(), threading.Event()
        self._welcome = self._taken = False
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = lambda *_: (self._answer.set(), self._published.set())
        self._client.connect("localhost", secured.port)
        self._client.loop_start()

    def welcome(self) -> bool:
        assert self._answer.wait(10)
        return self._welcome

    def may_say(self, topic: str, text: str) -> bool:
        assert self.welcome()
        self._client.publish(topic, text, qos=1)
        assert self._published.wait(10)
        return self._taken

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, _client: object, _data: object, _flags: object, reason: object, _more: object
    ) -> None:
        self._welcome = not reason.is_failure  # type: ignore[attr-defined]  # a ReasonCode
        self._answer.set()

    def _on_publish(
        self, _client: object, _data: object, _packet: int, reason: object, _more: object
    ) -> None:
        self._taken = not reason.is_failure  # type: ignore[attr-defined]  # a ReasonCode
        self._published.set()


@pytest.fixture
def secured(mosquitto: Callable[..., object], tmp_path: Path, free_port: int) -> Secured:
    folder = tmp_path / "broker"
    folder.mkdir()
    return Secured(folder, mosquitto, free_port)


def item(seq: int) -> str:
    return json.dumps({"v": 1, "k": "frame", "boot": "b1", "seq": seq, "hex": FRAME.hex()})


def test_a_gateway_speaks_for_itself_only_and_the_service_hears_it_over_tls(
    secured: Secured, tmp_path: Path
) -> None:
    deployment = secured.deploy(tmp_path / "box")
    deployment.register()
    deployment.start("--workers", "2")
    deployment.await_listening(2)
    for user, password, tls in (("roof", "pw-cellar", True), ("", "", True), ("roof", "pw-roof", False)):
        stranger = secured.login(user, password, tls=tls)
        assert not stranger.welcome(), (user, tls)
        stranger.close()
    cellar = secured.login("cellar", "pw-cellar")
    assert not cellar.may_say("amr/1/roof/up", item(1))
    cellar.close()
    roof = secured.login("roof", "pw-roof")
    assert roof.may_say("amr/1/roof/up", item(2))
    roof.close()

    def accounts() -> dict[str, int]:
        store = deployment.store()
        with store.reading() as view:
            found = {row.name: row.received for row in view.ledger.gateways()}
        store.close()
        return found

    until(lambda: accounts() == {"roof": 1}, "what the roof itself said came, and no more")
    assert deployment.stop() < 5
    assert "pw-nurt" not in deployment.log()


def looked_at(deployment: Deployment) -> dict[str, Line]:
    """What `nurt check` says of the broker; of several lines on one thing the worst."""
    found: dict[str, Line] = {}
    mqtt = load_settings(deployment.folder / "nurt.toml").settings.mqtt
    for line in broker_lines(mqtt, SystemClock()):
        if line.what not in found or line.state is not State.OK:
            found[line.what] = line
    return found


def test_check_tells_what_is_well_and_ends_with_the_code_that_says_so(
    secured: Secured, tmp_path: Path
) -> None:
    deployment = secured.deploy(tmp_path / "box")
    deployment.register()
    deployment.command("keys", "init")
    said = [json.loads(line) for line in deployment.command("check", "--format", "json").splitlines()]
    states = {line["what"]: line["state"] for line in said}
    wanted = ("disk", "database", "master key", "authority", "broker")
    assert {what: states[what] for what in wanted} == dict.fromkeys(wanted, "ok")
    secured.broker.stop()  # type: ignore[attr-defined]  # the conftest's Mosquitto
    assert "Connection refused" in deployment.command("check", code=1)


def test_a_certificate_that_ends_soon_is_told(secured: Secured, tmp_path: Path) -> None:
    deployment = secured.deploy(tmp_path / "box")
    for days, state in ((90, State.OK), (20, State.WARNING), (3, State.FAULT), (-1, State.FAULT)):
        secured.authority.issue(days)
        secured.broker.restart()  # type: ignore[attr-defined]  # the conftest's Mosquitto
        line = looked_at(deployment)["broker"]
        assert line.state is state, line
        assert state is State.OK or f"{days - 1} days" in line.sentence or "expired" in line.sentence


def test_what_keeps_the_broker_from_us_is_told(secured: Secured, tmp_path: Path) -> None:
    deployment = secured.deploy(tmp_path / "box")
    settings = deployment.folder / "nurt.toml"
    good, authority = settings.read_text(), f"ca_file = '{secured.folder / 'ca.pem'}'\n"

    def broker(text: str) -> str:
        settings.write_text(text)
        line = looked_at(deployment)["broker"]
        assert line.state is State.FAULT
        return line.sentence

    assert "certificate" in broker(good.replace(authority, ""))
    plain = good.replace(authority, "").replace("tls = true", "tls = false")
    assert "does not answer as an MQTT broker" in broker(plain)
    assert "Connection refused" in broker(good.replace(f"port = {secured.port}", "port = 1"))
    (secured.folder / "password").write_text("wrong\n")
    assert "Not authorized" in broker(good)
