"""``nurt decode`` as a process: formats, exit codes, co-process, what it loads."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from decoders.build import build
from metering.meter import MeterId

METER = MeterId.parse("SEN-12345699-68-07")
KEY = bytes(range(16))
VOLUME = bytes.fromhex("0413181E0000")
PLAIN = build(METER, VOLUME, access=1, mode=0).hex()
SEALED = build(METER, VOLUME, access=1, mode=5, key=KEY).hex()
NURT = (sys.executable, "-m", "service.cli")


def decode(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*NURT, "decode", *arguments], input=given, capture_output=True, check=False, timeout=20
    )


@pytest.mark.servers
def test_all_decoded_is_exit_code_0_and_one_not_is_1():
    assert decode(PLAIN).returncode == 0
    assert decode(PLAIN, "zz").returncode == 1
    assert decode("--key", KEY.hex(), SEALED).returncode == 0
    assert decode(SEALED).returncode == 1


@pytest.mark.servers
def test_json_gives_one_line_a_telegram_and_bad_lines_never_stop_it():
    done = decode("--format", "json", given=f"{PLAIN}\nzz\n\xff\n\n{PLAIN}".encode("latin-1"))
    errors = [(json.loads(line)["error"] or {}).get("code") for line in done.stdout.splitlines()]
    assert errors == [None, "bad_hex", "bad_hex", "bad_hex", None]
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.servers
def test_text_explains_and_skips_blank_lines():
    done = decode(given=f"\n{PLAIN}\n\n".encode())
    assert done.stdout.startswith(b"SEN-12345699-68-07")
    assert b"total_m3" in done.stdout
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.servers
def test_it_answers_line_by_line_as_a_co_process():
    with subprocess.Popen(
        [*NURT, "decode", "--format", "json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        for line, code in ((PLAIN, None), ("zz", "bad_hex"), ("", "bad_hex"), (SEALED, "missing_key")):
            process.stdin.write(f"{line}\n".encode())
            process.stdin.flush()
            error = json.loads(process.stdout.readline())["error"]
            assert (error and error["code"]) == code
        process.stdin.close()
        assert process.wait(10) == 1


@pytest.mark.servers
def test_flat_json_has_the_time_now_or_the_one_said():
    done = decode("--format", "wmbusmeters", "--at", "2026-01-02T03:04:05Z", PLAIN)
    assert json.loads(done.stdout)["timestamp"] == "2026-01-02T03:04:05Z"
    assert json.loads(decode("--format", "wmbusmeters", PLAIN).stdout)["timestamp"].startswith("20")
    assert decode("--format", "wmbusmeters", "--at", "noon", PLAIN).returncode == 2


@pytest.mark.servers
def test_a_model_is_named_by_either_option_and_an_unknown_one_is_a_usage_error():
    for option in ("--model", "--driver"):
        done = decode("--format", "json", option, "kamwater", PLAIN)
        assert json.loads(done.stdout)["model"] == "kamwater"
    done = decode("--model", "nosuch", PLAIN)
    assert done.returncode == 2
    assert b"nosuch" in done.stderr


@pytest.mark.servers
def test_why_not_tells_people_and_programs_what_to_try():
    done = decode("--why-not", SEALED, PLAIN)
    assert done.returncode == 1
    assert b"[key_missing]" in done.stdout
    assert b"nothing to try" in done.stdout
    (line,) = decode("--why-not", "--format", "json", SEALED).stdout.splitlines()
    assert json.loads(line)["advice"][0]["name"] == "key_missing"


@pytest.mark.servers
def test_a_reader_that_goes_away_is_no_error_to_speak_of():
    many = "\n".join([PLAIN] * 20_000).encode()
    with subprocess.Popen(
        [*NURT, "decode", "--format", "json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.close()
        try:
            process.stdin.write(many)
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.stderr.read() == b""


@pytest.mark.servers
def test_a_key_that_is_none_is_a_usage_error_that_does_not_repeat_it():
    done = decode("--key", "s3cret", PLAIN)
    assert done.returncode == 2
    assert b"s3cret" not in done.stdout + done.stderr
    assert b"32 hexadecimal digits" in done.stderr


@pytest.mark.servers
def test_one_telegram_is_decoded_without_loading_what_it_does_not_need():
    """A start takes its time from what is imported: database, web and arrays are not."""
    asked = f"from service import cli; cli.main(['decode', '--format', 'json', '{PLAIN}'])"
    told = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    done = subprocess.run([sys.executable, "-c", told + asked], capture_output=True, check=True, timeout=20)
    loaded = {name.partition(".")[0] for name in done.stderr.decode().split()}
    assert "decoders" in loaded
    assert not loaded & {"sqlalchemy", "fastapi", "jinja2", "numpy", "anomaly", "billing_bridge"}
