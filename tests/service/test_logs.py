"""Logs: one line an event, secrets hidden."""

from __future__ import annotations

import json
import logging
import threading

import structlog
from structlog.testing import capture_logs

from service.logs import redact, set_up_logs


def test_events_of_both_kinds_are_lines_of_json_on_standard_error(capsys):
    set_up_logs(style="json", level="info")
    structlog.get_logger("ingest").info("broker.connected", host="h")
    logging.getLogger("uvicorn.error").warning("from %s", "outside")
    logging.getLogger("x").debug("too small to say")
    ours, theirs = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (ours["event"], ours["host"], ours["level"]) == ("broker.connected", "h", "info")
    assert (theirs["event"], theirs["level"]) == ("from outside", "warning")
    assert ours["timestamp"].endswith("Z")


def test_secrets_are_hidden_whatever_their_case():
    event = {"event": "x", "Password": "s3cret", "key": b"s3cret", "keyring": "fine"}
    assert redact(None, "info", event) == {
        "event": "x",
        "Password": "********",
        "key": "********",
        "keyring": "fine",
    }


def test_a_worker_says_its_number_with_every_event_from_any_thread(capsys):
    set_up_logs(style="json", level="info", worker=3)
    thread = threading.Thread(target=lambda: structlog.get_logger("x").info("it.happened"))
    thread.start()
    thread.join()
    assert json.loads(capsys.readouterr().err)["worker"] == 3


def test_a_module_that_has_spoken_hears_of_a_later_set_up(capsys):
    log = structlog.get_logger("x")
    set_up_logs(style="json", level="info")
    log.info("before")
    with capture_logs() as logs:
        log.info("captured")
    set_up_logs(style="json", level="info", worker=2)
    log.info("after")
    assert [entry["event"] for entry in logs] == ["captured"]
    assert [json.loads(line).get("worker") for line in capsys.readouterr().err.splitlines()] == [None, 2]
