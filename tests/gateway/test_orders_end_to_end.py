"""Three gateways are told new settings: one takes them, one cannot use them and goes back, one is away."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_process import NURT, AgentProcess

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
            f"orders_key = '{self.public_key}'\npassword_file = '{self.password_file}'\n"
            for name in NAMES
        )
        broker = f"[broker]\nhost = '127.0.0.1'\nport = {self.port}\ntls = false\n"
        (self.folder / "gateways.toml").write_text(broker + gateways)

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [NURT, "gateway", *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, dict]:
        rows = json.loads(self.command("status", "--json", "--broker", "--wait", "0.5"))
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
        receiver = "[[receiver]]\nname = 'stick'\nkind = 'cul'\nport = '/dev/nowhere'\n"
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

    from gateway_firmware_config.agent.mqtt import Broker, Errand
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
