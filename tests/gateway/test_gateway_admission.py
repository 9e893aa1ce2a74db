"""From `nurt gateway add` to the broker's door: who is registered gets in, who is removed does not."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rendered_broker import Speaker, await_port, certificates, free_port
from typer.testing import CliRunner

from service.cli import app

pytestmark = pytest.mark.servers


class Office:
    """The operator's folder; the broker reads its files where they are written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.broker_folder = folder / "gateways" / "mosquitto"
        self.broker_folder.mkdir(parents=True)
        certificates(self.broker_folder)
        (folder / "gateways.toml").write_text(
            f'[broker]\nhost = "127.0.0.1"\nport = {self.port}\nfolder = "{self.broker_folder}"\n'
        )

    def command(self, *arguments: str) -> str:
        place = ["--config", str(self.folder / "gateways.toml"), "--to", str(self.folder / "gateways")]
        done = CliRunner().invoke(app, ["gateway", *arguments, *place])
        assert done.exit_code == 0, (done.output, done.exception)
        [password] = re.findall(r"\b[0-9a-f]{40}\b", done.output) or [""]
        return password

    def welcome(self, user: str, password: str) -> bool:
        who = Speaker(self.port, self.broker_folder / "ca.pem", user, password)
        who.close()
        return bool(who.welcome)


def test_who_is_registered_gets_in_until_he_is_removed(mosquitto: Callable[..., object], tmp_path: Path):
    office = Office(tmp_path)
    roof = office.command("add", "roof", "--profile", "agent")
    service = office.command("rotate-password", "nurt")
    broker = mosquitto((office.broker_folder / "nurt.conf").read_text())
    await_port(office.port)
    assert office.welcome("roof", roof)
    assert office.welcome("nurt", service)
    assert not office.welcome("roof", service)

    def reload() -> None:
        os.kill(broker._process.pid, signal.SIGHUP)
        time.sleep(0.5)

    newer = office.command("rotate-password", "roof")
    loft = office.command("add", "loft", "--profile", "shelly")
    reload()
    assert [office.welcome("roof", one) for one in (roof, newer)] == [False, True]
    speaker = Speaker(office.port, office.broker_folder / "ca.pem", "loft", loft)
    assert speaker.may_say("loft/events/rpc")
    assert not speaker.may_say("amr/1/roof/up")
    speaker.close()
    office.command("remove", "roof")
    reload()
    assert not office.welcome("roof", newer)
    assert office.welcome("loft", loft)
