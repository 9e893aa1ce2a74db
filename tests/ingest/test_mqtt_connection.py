"""Reaching a broker: late, with a password, over TLS, or not at all."""

from __future__ import annotations

import gc
import subprocess
import time
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

from ingest.intake import Intake
from ingest.mqtt import MqttSettings, Tls, subscriptions
from ingest.pipeline import Pipeline
from metering.clock import SystemClock
from metering.errors import SettingsError


@pytest.mark.servers
def test_without_a_broker_we_wait_for_it_and_stop_at_once(mosquitto, gate):
    broker = mosquitto()
    broker.stop()
    waiting = Intake(Pipeline(gate), MqttSettings(port=broker.port, reconnect_s=(1, 1)), clock=SystemClock())
    waiting.start()
    time.sleep(0.3)
    assert not waiting.status.connected
    broker.start()
    gate.until(lambda: waiting.status.connected, "it connects")
    broker.stop()
    gate.until(lambda: not waiting.status.connected, "it notices")
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
        gate.until(lambda: any(entry["event"] == "broker.refused" for entry in logs), "the refusal is told")
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
    gate.until(lambda: gate.stored == 1, "it is stored")
    stranger = Intake(Pipeline(gate), MqttSettings(port=broker.port, tls=Tls()), clock=SystemClock())
    with capture_logs() as logs:
        stranger.start()
        gate.until(
            lambda: any("certificate verify failed" in str(entry) for entry in logs), "the reason is told"
        )
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


@pytest.mark.parametrize(
    ("topic_filter", "shared"),
    [
        ("amr/1/+/up", True),
        ("+/sensor/+/state", True),
        ("amr/1/+/state", False),
        ("amr/1/+/cfg/reported", False),
        ("tele/+/LWT", False),
        ("+/status", False),
    ],
)
def test_workers_share_what_is_to_be_read_and_one_hears_last_wills(topic_filter, shared):
    """Kept messages do not reach shared subscriptions; a reading must not reach two workers."""
    first, second = (
        subscriptions(MqttSettings(shared_group="town", filters=(topic_filter,), last_words=last_words))
        for last_words in (True, False)
    )
    assert first == [f"$share/town/{topic_filter}" if shared else topic_filter]
    assert second == (first if shared else [])
