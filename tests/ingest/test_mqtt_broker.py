"""With a real broker: acknowledged means durable, over restarts of everything, in both versions of MQTT."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paho.mqtt import publish
from structlog.testing import capture_logs

from ingest.batching import Limits
from ingest.intake import Intake
from ingest.mqtt import MqttSettings, Tls
from ingest.pipeline import Pipeline
from metering.clock import SystemClock
from metering.errors import SettingsError, StoreUnavailable
from metering.ports import Outcome

BOTH = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


def until(condition: Callable[[], bool], what: str, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it never happened: {what}"
        time.sleep(0.01)


class Gate:
    """A store that can be told to be away, or to stop short of the commit."""

    def __init__(self, store) -> None:
        self._store = store
        self.away = threading.Event()
        self.shut = threading.Event()
        self.inside = threading.Event()

    @contextlib.contextmanager
    def writing(self) -> Iterator[object]:
        if self.away.is_set():
            raise StoreUnavailable("the disk is full")
        with self._store.writing() as transaction:
            yield transaction
            self.inside.set()
            while self.shut.is_set():
                time.sleep(0.01)
                if self.away.is_set():
                    raise StoreUnavailable("killed before the commit")

    def reading(self):
        return self._store.reading()


@pytest.fixture
def gate(new_store) -> Gate:
    return Gate(new_store(*range(1000, 1400)))


@pytest.fixture
def intake(gate) -> Iterator[Callable[..., Intake]]:
    """Start intakes on a broker; all end with the test."""
    running: list[Intake] = []

    def start(broker, **settings) -> Intake:
        mqtt = MqttSettings(port=broker.port, reconnect_s=(1, 1), **settings)
        running.append(Intake(Pipeline(gate), mqtt, clock=SystemClock(), limits=Limits(most=50)))
        running[-1].start()
        until(lambda: running[-1].status.connected, "the intake connects")
        time.sleep(0.1)  # the subscription follows the connection
        return running[-1]

    yield start
    gate.shut.clear()
    for one in running:
        one.stop()


def send(broker, make, seqs, *, gateway: str = "gw1", qos: int = 1) -> None:
    """Publish one telegram of its own meter per number, as a gateway does."""
    messages = [
        (
            f"amr/1/{gateway}/up",
            make.up(make.item(make.frame(1000 + seq), seq, ts_src="none")).payload,
            qos,
            False,
        )
        for seq in seqs
    ]
    publish.multiple(messages, port=broker.port)


def stored(gate) -> int:
    with gate.reading() as view:
        return len(view.archive.telegrams(limit=10_000))


def account(gate) -> dict[Outcome, int]:
    with gate.reading() as view:
        [row] = view.ledger.gateways()
    assert row.received == sum(row.outcomes.values())
    return {outcome: count for outcome, count in row.outcomes.items() if count}


@pytest.mark.servers
@BOTH
def test_published_is_stored(mosquitto, intake, gate, make, protocol):
    broker = mosquitto()
    running = intake(broker, protocol=protocol)
    send(broker, make, range(300))
    until(lambda: stored(gate) == 300, "all are stored")
    assert account(gate) == {Outcome.STORED: 300}
    assert running.stop()
    status = running.status
    assert (status.received, status.items, status.queue_depth, status.oldest_unacked_s) == (300, 300, 0, 0)
    again = intake(broker, protocol=protocol)
    time.sleep(0.5)
    assert again.status.received == 0, "all were acknowledged: the broker has nothing left for us"


@pytest.mark.servers
@BOTH
def test_what_was_not_committed_comes_again(mosquitto, intake, gate, make, protocol):
    broker = mosquitto()
    running = intake(broker, protocol=protocol)
    gate.shut.set()
    send(broker, make, range(10))
    until(gate.inside.is_set, "the batch is written but not committed")
    gate.away.set()  # the transaction fails now, and the process ends without the store
    assert running.stop()
    assert stored(gate) == 0
    gate.shut.clear()
    gate.away.clear()
    intake(broker, protocol=protocol)
    until(lambda: stored(gate) == 10, "the broker delivers again")
    assert account(gate) == {Outcome.STORED: 10}


@pytest.mark.servers
def test_what_was_committed_but_not_acknowledged_is_stored_once(mosquitto, intake, gate, make, monkeypatch):
    broker = mosquitto()
    running = intake(broker)
    monkeypatch.setattr(running._subscriber._client, "ack", lambda *_: 0)
    send(broker, make, range(10))
    until(lambda: stored(gate) == 10, "all are stored")
    running.stop()
    intake(broker)
    until(lambda: account(gate) == {Outcome.STORED: 10, Outcome.DUPLICATE: 10}, "all come again")
    assert stored(gate) == 10


@pytest.mark.servers
@BOTH
def test_a_broker_that_restarts_is_found_again_and_nothing_is_lost(mosquitto, intake, gate, make, protocol):
    broker = mosquitto()
    running = intake(broker, protocol=protocol)
    send(broker, make, range(50))
    until(lambda: stored(gate) == 50, "the first are stored")
    broker.restart()
    send(broker, make, range(50, 100))
    until(lambda: stored(gate) == 100, "the second are stored")
    assert running.status.connections == 2


@pytest.mark.servers
@BOTH
def test_acknowledgements_of_a_lost_connection_are_dropped(mosquitto, intake, gate, make, protocol):
    """While the store has a batch the connection is lost and made anew: the batch's packet ids are stale."""
    broker = mosquitto()
    running = intake(broker, protocol=protocol)
    gate.shut.set()
    send(broker, make, range(10))
    until(gate.inside.is_set, "the batch waits for its commit")
    broker.restart()
    until(lambda: running.status.connections == 2, "the connection is made anew")
    until(lambda: running.status.queue_depth == 10, "the broker delivers again")
    acknowledged: list[int] = []
    client = running._subscriber._client
    real = client.ack
    client.ack = lambda packet, qos: (acknowledged.append(packet), real(packet, qos))[1]
    gate.shut.clear()
    until(lambda: running.status.items == 20 and not running.status.oldest_unacked_s, "all are done with")
    assert stored(gate) == 10
    assert len(acknowledged) == 10, "only those of the new connection"
    assert account(gate) == {Outcome.STORED: 10, Outcome.DUPLICATE: 10}


@pytest.mark.servers
def test_while_the_store_is_away_the_broker_keeps_everything(mosquitto, intake, gate, make):
    broker = mosquitto()
    running = intake(broker, receive_maximum=20)
    gate.away.set()
    send(broker, make, range(200))
    until(lambda: not running.status.store_available, "the store is missed")
    time.sleep(0.3)
    assert running.status.received + running.status.queue_depth == 20, (
        "memory is bounded: the rest stays outside"
    )
    assert stored(gate) == 0
    gate.away.clear()
    until(lambda: stored(gate) == 200, "all are stored")
    assert account(gate) == {Outcome.STORED: 200}


@pytest.mark.servers
def test_what_is_published_while_we_are_away_waits_for_us(mosquitto, intake, gate, make):
    broker = mosquitto()
    intake(broker).stop()
    send(broker, make, range(30))
    broker.restart()
    intake(broker)
    until(lambda: stored(gate) == 30, "all are stored")


@pytest.mark.servers
def test_workers_of_one_group_share_the_deliveries(mosquitto, intake, gate, make):
    broker = mosquitto()
    workers = [intake(broker, client_id=f"worker-{n}", shared_group="ingest") for n in range(2)]
    send(broker, make, range(100))
    until(lambda: stored(gate) == 100, "all are stored")
    assert account(gate) == {Outcome.STORED: 100}
    assert all(worker.status.received > 0 for worker in workers)


@pytest.mark.servers
def test_the_state_of_a_gateway_is_heard_though_it_was_said_before_we_came(mosquitto, intake, gate):
    broker = mosquitto()
    online = b'{"v":1,"state":"online","boot":"b1","ts":"2026-03-02T11:00:00Z"}'
    publish.single("amr/1/gw1/state", online, qos=1, retain=True, port=broker.port)
    intake(broker, shared_group="ingest")

    def heard() -> bool:
        with gate.reading() as view:
            return [(row.name, row.online) for row in view.ledger.gateways()] == [("gw1", True)]

    until(heard, "the state is booked")


@pytest.mark.servers
def test_without_a_broker_we_wait_for_it_and_stop_at_once(mosquitto, gate):
    broker = mosquitto()
    broker.stop()
    waiting = Intake(Pipeline(gate), MqttSettings(port=broker.port, reconnect_s=(1, 1)), clock=SystemClock())
    waiting.start()
    time.sleep(0.3)
    assert not waiting.status.connected
    broker.start()
    until(lambda: waiting.status.connected, "it connects")
    broker.stop()
    until(lambda: not waiting.status.connected, "it notices")
    started = time.monotonic()
    waiting.stop()
    assert time.monotonic() - started < 3


@pytest.mark.servers
def test_a_password_lets_us_in_and_is_never_shown(mosquitto, intake, gate, tmp_path):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "nurt", "hunter2"], check=True)
    passwords.chmod(0o644)
    broker = mosquitto(f"allow_anonymous false\npassword_file {passwords}\n")
    intake(broker, username="nurt", password="hunter2")
    wrong = MqttSettings(port=broker.port, client_id="other", username="nurt", password="hunter3")
    with capture_logs() as logs:
        refused = Intake(Pipeline(gate), wrong, clock=SystemClock())
        refused.start()
        until(lambda: any(entry["event"] == "broker.refused" for entry in logs), "the refusal is told")
        refused.stop()
    assert not refused.status.connected
    assert "hunter" not in f"{logs}{wrong}"


@pytest.mark.servers
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # see the last line
def test_tls_is_spoken_with_a_broker_whose_authority_we_trust(mosquitto, intake, gate, make, tmp_path):
    certificate, key = authority(tmp_path)
    broker = mosquitto(f"certfile {certificate}\nkeyfile {key}\n")
    intake(broker, tls=Tls(ca_file=str(certificate)))
    tls = {"ca_certs": str(certificate)}
    publish.single(
        "amr/1/gw1/up",
        make.up(make.item(make.frame(1000), 1)).payload,
        1,
        hostname="127.0.0.1",
        port=broker.port,
        tls=tls,
    )
    until(lambda: stored(gate) == 1, "it is stored")
    stranger = Intake(Pipeline(gate), MqttSettings(port=broker.port, tls=Tls()), clock=SystemClock())
    with capture_logs() as logs:
        stranger.start()
        until(lambda: any("certificate verify failed" in str(entry) for entry in logs), "the reason is told")
    assert not stranger.status.connected, "we do not trust just anybody"
    stranger.stop()
    gc.collect()  # here and not in another test: paho leaves a socket whose handshake failed to the collector


def authority(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "broker.crt", folder / "broker.key"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def test_tls_files_that_are_not_there_are_a_clear_sentence(gate):
    settings = MqttSettings(tls=Tls(ca_file="/nowhere/ca.pem"))
    with pytest.raises(SettingsError, match="TLS with the broker"):
        Intake(Pipeline(gate), settings, clock=SystemClock())


def test_a_host_that_cannot_be_one_is_a_clear_sentence():
    with pytest.raises(SettingsError, match="not a host name"):
        MqttSettings(host="x" * 70 + ".example")
