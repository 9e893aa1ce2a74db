"""Three gateways are told new settings: one takes them, one cannot use them and goes back, one is away."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from typer.testing import CliRunner

from service.cli import app

pytestmark = pytest.mark.servers

NAMES = ("attic", "cellar", "shed")


class Operator:
    """The operator's folder: the gateways there are, and the key orders are signed with."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.password_file = folder / "password"
        self.password_file.write_text("secret")
        self.public_key = self.command("order-key", "--file", "orders.key").strip()
        self.write()

    def write(self) -> None:
        """Write gateways.toml."""
        gateways = "\n".join(
            f"[gateway.{name}]\nprofile = 'agent'\n[gateway.{name}.options]\n"
            f"receivers = ['cul:/dev/nowhere']\n"
            f"orders_key = '{self.public_key}'\npassword_file = '{self.password_file}'\n"
            for name in NAMES
        )
        broker = f"[broker]\nhost = '127.0.0.1'\nport = {self.port}\ntls = false\n"
        (self.folder / "gateways.toml").write_text(broker + gateways)

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run `nurt gateway ...` in the operator's folder; gives what it says."""
        with contextlib.chdir(self.folder):
            done = CliRunner().invoke(app, ["gateway", *arguments])
        assert done.exit_code == code, done.output
        return done.output + str(done.exception or "")

    def status(self) -> dict[str, dict]:
        rows = json.loads(self.command("status", "--json", "--broker", "--wait", "0.3"))
        return {row["gateway"]: row for row in rows}

    def await_status(self, true: Callable[[dict[str, dict]], bool]) -> dict[str, dict]:
        end = time.monotonic() + 30
        while not true(status := self.status()):
            assert time.monotonic() < end, status
        return status


@pytest.fixture
def operator(mosquitto: Callable[..., object], tmp_path: Path) -> Operator:
    return Operator(tmp_path, mosquitto().port)


@pytest.fixture
def gateways(operator: Operator, tmp_path: Path) -> Iterator[dict[str, AgentProcess]]:
    """Three boxes that know the operator's key; none is running yet."""
    made = {}
    for name in NAMES:
        receiver = "[[receiver]]\nname = 'cul-1'\nkind = 'cul'\nport = '/dev/nowhere'\n"
        orders = f"[orders]\npublic_key = '{operator.public_key}'\ntrial_s = 5\n"
        made[name] = AgentProcess(tmp_path / name, f"port = {operator.port}", receiver, orders)
        config = made[name].config
        config.write_text(config.read_text().replace("name = 'roof'", f"name = '{name}'", 1))
    yield made
    for one in made.values():
        one.kill()


def push_with_a_wrong_port_for(operator: Operator, name: str) -> None:
    """Order settings from a file in which this gateway's broker is somewhere else."""
    import tomllib

    from gateway_firmware_config.agent.client import Broker
    from gateway_firmware_config.agent.errand import Errand
    from gateway_firmware_config.orders import Order, private_key, signed

    text = (operator.folder / name / "agent.toml").read_text().replace(f"port = {operator.port}", "port = 9")
    assert tomllib.loads(text)["broker"]["port"] == 9
    order = Order(name, 2, text)
    with Errand(Broker(host="127.0.0.1", port=operator.port, client_id="operator")) as errand:
        key = private_key((operator.folder / "orders.key").read_bytes())
        errand.keep(f"amr/1/{name}/cfg/desired", signed(order, key))


def test_one_obeys_one_goes_back_one_comes_later(operator: Operator, gateways: dict[str, AgentProcess]):
    gateways["attic"].start()
    gateways["cellar"].start()
    operator.await_status(lambda told: told["attic"]["state"] == told["cellar"]["state"] == "online")
    assert operator.status()["shed"]["state"] == "unknown"

    operator.command("push", "attic", "shed", "--key", "orders.key")
    push_with_a_wrong_port_for(operator, "cellar")
    status = operator.await_status(
        lambda told: told["attic"]["drift"] is None and bool(told["cellar"]["error"])
    )
    assert status["attic"]["in_force"] == status["attic"]["told"] > 0
    assert status["cellar"]["error"] == "the broker could not be reached with it in 5 s"
    assert (status["cellar"]["drift"], status["cellar"]["in_force"]) == ("not told", 0)
    assert (status["shed"]["drift"], status["shed"]["state"]) == ("waiting", "unknown")

    gateways["shed"].start()
    operator.await_status(lambda told: told["shed"]["drift"] is None)
    for name, one in gateways.items():
        assert one.told("orders.applied") == (name != "cellar")
        one.stop()
    assert "attic" in operator.command("status", "--broker")


def test_settings_that_name_a_file_that_is_not_there_are_undone_at_once(
    operator: Operator, gateways: dict[str, AgentProcess]
):
    gateways["attic"].start()
    operator.await_status(lambda told: told["attic"]["state"] == "online")
    operator.password_file = operator.folder / "nowhere"
    operator.write()
    operator.command("push", "attic", "--key", "orders.key")
    status = operator.await_status(lambda told: bool(told["attic"]["error"]))
    assert "nowhere cannot be read: No such file or directory" in status["attic"]["error"]
    assert (status["attic"]["in_force"], status["attic"]["state"]) == (0, "online")
    gateways["attic"].stop()


def test_a_rollout_stops_at_a_refusal_and_goes_on_when_it_is_mended(
    operator: Operator, gateways: dict[str, AgentProcess]
):
    """Three agents: one takes it, one refuses, one is away and takes it later."""
    gateways["attic"].start()
    gateways["cellar"].start()
    operator.await_status(lambda told: told["attic"]["state"] == told["cellar"]["state"] == "online")
    good = (operator.folder / "gateways.toml").read_text()
    ahead, cellar, behind = good.partition("[gateway.cellar]")
    bad = ahead + cellar + behind.replace(str(operator.password_file), "/missing", 1)
    assert bad != good
    (operator.folder / "gateways.toml").write_text(bad)
    asked = ("rollout", "--key", "orders.key", "--batch", "1", "--well", "1", "--take", "30")

    said = operator.command(*asked, code=1)
    assert "attic: is well with it" in said
    assert "cellar, revision 2: broker.password_file /missing cannot be read" in said
    status = operator.status()
    assert (status["attic"]["in_force"], status["attic"]["drift"]) == (2, None)
    assert (status["cellar"]["in_force"], status["cellar"]["drift"]) == (0, "refused")
    assert (status["cellar"]["alarming"], status["cellar"]["state"]) == (True, "online")
    assert status["shed"]["told"] == 0, "nobody else was told"

    text = (operator.folder / "gateways.toml").read_text()
    (operator.folder / "gateways.toml").write_text(text.replace("/missing", str(operator.password_file)))
    assert operator.status()["cellar"]["drift"] == "not told"
    said = operator.command(*asked)
    assert "attic" not in said
    assert "cellar: is well with it" in said
    assert "shed: is away; it takes it when it comes back" in said
    gateways["shed"].start()
    operator.await_status(lambda told: told["shed"]["drift"] is None)
    assert "all 3 gateways have the settings they should have" in operator.command(*asked)
    revisions = {name: row["planned"] for name, row in operator.status().items()}
    assert revisions == {"attic": 2, "cellar": 3, "shed": 2}, "written to gateways.toml"


def test_what_a_stranger_says_and_what_is_older_is_refused_and_seen(
    operator: Operator, gateways: dict[str, AgentProcess]
):
    from gateway_firmware_config.agent.client import Broker
    from gateway_firmware_config.agent.errand import Errand
    from gateway_firmware_config.orders import Order, new_key, private_key, signed

    gateways["attic"].start()
    operator.await_status(lambda told: told["attic"]["state"] == "online")
    operator.command("push", "attic", "--key", "orders.key")
    operator.await_status(lambda told: told["attic"]["drift"] is None and told["attic"]["in_force"] == 2)
    ours = private_key((operator.folder / "orders.key").read_bytes())
    with Errand(Broker(host="127.0.0.1", port=operator.port, client_id="stranger")) as errand:
        errand.keep("amr/1/attic/cfg/desired", signed(Order("attic", 9, "x = 1"), private_key(new_key())))
        status = operator.await_status(lambda told: bool(told["attic"]["error"]))
        assert status["attic"]["error"] == "not signed by the operator for this gateway"
        errand.keep("amr/1/attic/cfg/desired", signed(Order("attic", 1, "x = 1"), ours))
        operator.await_status(lambda told: "older than revision 2" in str(told["attic"]["error"]))
    assert operator.status()["attic"]["in_force"] == 2
