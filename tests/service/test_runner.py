"""The running service: starts whole or says why not, takes telegrams, ends cleanly."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from paho.mqtt import publish

from decoders.build import build
from metering.clock import SystemClock
from metering.meter import MeterId
from metering.store import SqlStore

METER = MeterId.parse("SEN-12345699-68-07")
FRAME = build(METER, bytes.fromhex("0413181E0000"), access=1, mode=0)
NURT = (sys.executable, "-m", "service.cli")

pytestmark = pytest.mark.servers


@contextmanager
def running(folder, *arguments: str, **environment: str):
    """Start a command in a folder of its own; gives the process and the address it says."""
    process = subprocess.Popen(
        [*NURT, *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path)), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def address(process) -> str:
    """Read what it says until it says where it is."""
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError(process.stderr.read())


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def wait_for(check, seconds: float = 15.0):
    """Ask until it is so."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


def command(folder, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NURT, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=30
    )


def test_a_telegram_published_is_a_reading_and_a_signal_ends_it_cleanly(tmp_path, mosquitto):
    broker = mosquitto()
    (tmp_path / "meters.csv").write_text(f"meter_id\n{METER}\n")
    assert command(tmp_path, "meters", "import", "meters.csv").returncode == 0
    uplink = {"v": 1, "k": "frame", "boot": "b1", "seq": 1, "hex": FRAME.hex()}
    with running(tmp_path, "run", "--port", "0", NURT_MQTT__PORT=str(broker.port)) as process:
        url = address(process)
        wait_for(lambda: get(url + "readyz")[0] == 200)
        publish.single("amr/1/gw/up", json.dumps(uplink), qos=1, port=broker.port)
        wait_for(lambda: "7.704" in get(url + f"api/v1/meters/{METER}")[1])
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - begin < 5
    store = SqlStore(f"sqlite:///{tmp_path / 'data/nurt.db'}", SystemClock())
    with store.reading() as transaction:
        (reading,) = transaction.readings.latest(METER)
    store.close()
    assert str(reading.value) == "7.704"


def test_without_a_broker_the_pages_are_up_and_readiness_says_so(tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = str(nobody.getsockname()[1])
        with running(tmp_path, "run", "--port", "0", NURT_MQTT__PORT=port) as process:
            url = address(process)
            assert get(url + "healthz")[0] == 200
            code, text = get(url + "readyz")
            assert code == 503
            assert "broker" in text
            begin = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
            assert time.monotonic() - begin < 5
            assert "Traceback" not in process.stderr.read()


def test_ingest_alone_takes_no_port_and_a_second_signal_ends_it_at_once(tmp_path, mosquitto):
    with running(tmp_path, "ingest", NURT_MQTT__PORT=str(mosquitto().port)) as process:
        assert process.stdout.readline().startswith("Listening to the MQTT broker localhost:")
        assert process.stdout.readline() == "Ctrl-C ends it.\n"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) in {0, -signal.SIGINT, -signal.SIGTERM}


def test_serve_is_ready_without_a_broker(tmp_path):
    with running(tmp_path, "serve", "--port", "0") as process:
        assert get(address(process) + "readyz")[0] == 200


def test_a_taken_port_is_one_sentence_before_anything_is_made(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command(tmp_path, "run", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"nurt: port {port} on 127.0.0.1 is taken by another program;")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    done = command(tmp_path, "run", "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"nurt: the (folder|database) .*data.*\n", done.stderr)


def test_a_missing_tls_file_is_one_sentence(tmp_path):
    (tmp_path / "nurt.toml").write_text('[mqtt]\ntls = true\nca_file = "gone.pem"\n')
    done = command(tmp_path, "run", "--port", "0")
    assert done.returncode == 1
    assert done.stderr == "nurt: mqtt.ca_file gone.pem cannot be read: No such file or directory\n"
