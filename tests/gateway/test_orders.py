"""Orders: only the operator's, only newer ones, tried before they are kept, undone by the gateway itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_firmware_config.agent.moment import Moment
from gateway_firmware_config.agent.obedience import Obedience
from gateway_firmware_config.agent.settings import AgentSettings
from gateway_firmware_config.orders import (
    BadOrder,
    Order,
    new_key,
    private_key,
    public_text,
    signed,
    verified,
)
from metering.errors import InvalidValue
from metering.uplink import ClockSource

KEY = private_key(new_key())
PUBLIC = public_text(KEY)


def toml(host: str = "new.example.org", name: str = "roof", more: str = "") -> str:
    return (
        f'[gateway]\nname = "{name}"\n[broker]\nhost = "{host}"\n{more}\n'
        '[[receiver]]\nname = "attic"\nkind = "cul"\nport = "/dev/ttyACM0"\n'
    )


def order(rev: int, text: str | None = None, gateway: str = "roof") -> bytes:
    return signed(Order(gateway, rev, toml() if text is None else text), KEY)


def moment(seconds: float) -> Moment:
    return Moment(1_767_225_600_000 + int(seconds * 1000), int(seconds * 1000), "start-1", ClockSource.NTP)


@pytest.fixture
def installed(tmp_path: Path) -> AgentSettings:
    return AgentSettings.model_validate(
        {
            "gateway": {"name": "roof", "data": str(tmp_path)},
            "broker": {"host": "old.example.org"},
            "receiver": [{"name": "attic", "kind": "cul", "port": "/dev/ttyACM0"}],
            "orders": {"public_key": PUBLIC, "trial_s": 60},
        }
    )


def report(gateway: Obedience) -> dict:
    said = gateway.report()
    assert said is not None
    return json.loads(said)


# --- signatures -------------------------------------------------------------------------------------


def test_what_was_signed_is_read_back():
    assert verified(order(7), "roof", PUBLIC) == Order("roof", 7, toml())


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"rev": 1, "cfg": "", "sig": "00"}',
        b'{"rev": true, "cfg": "", "sig": "' + b"00" * 64 + b'"}',
        b'{"rev": 1, "cfg": "\\ud800", "sig": "' + b"00" * 64 + b'"}',
        order(7).replace(b'"rev": 7', b'"rev": 8'),
        order(7).replace(b"new.example.org", b"bad.example.org"),
        signed(Order("roof", 7, toml()), private_key(new_key())),
        order(7, gateway="cellar"),
    ],
)
def test_what_the_operator_did_not_sign_for_this_gateway_is_no_order(payload: bytes):
    with pytest.raises(BadOrder):
        verified(payload, "roof", PUBLIC)


@settings(max_examples=100, deadline=None)
@given(payload=st.binary(max_size=300))
def test_arbitrary_bytes_are_no_order(payload: bytes):
    with pytest.raises(BadOrder):
        verified(payload, "roof", PUBLIC)


@pytest.mark.parametrize("pem", [b"", b"not a key"])
def test_what_is_no_key_is_refused(pem: bytes):
    with pytest.raises(InvalidValue, match="not a private key"):
        private_key(pem)


# --- obedience --------------------------------------------------------------------------------------


def test_without_orders_the_installed_settings_are_in_force(installed: AgentSettings):
    gateway = Obedience(installed)
    assert gateway.settings() == installed
    assert report(gateway) == {
        "v": 1,
        "rev": 0,
        "ok": True,
        "err": None,
        "in_force": 0,
        "applied_at": None,
    }
    assert gateway.report() is None, "once"


def test_new_settings_are_tried_and_kept_when_the_broker_is_reached(installed: AgentSettings):
    gateway = Obedience(installed)
    gateway.settings()
    assert gateway.receive(order(7)) is True
    assert gateway.settings().broker.host == "new.example.org"
    assert gateway.tick(moment(1), connected=False) is False
    assert gateway.tick(moment(2), connected=True) is False
    said = report(gateway)
    assert (said["rev"], said["ok"], said["applied_at"]) == (7, True, "2026-01-01T00:00:02.000Z")
    assert Obedience(installed).settings().broker.host == "new.example.org", "after a restart too"


def test_a_connection_made_with_the_old_settings_proves_nothing_of_the_new_ones(installed: AgentSettings):
    gateway = Obedience(installed)
    gateway.settings()
    gateway.receive(order(7))
    gateway.tick(moment(1), connected=True)
    assert report(gateway)["in_force"] == 0


def test_settings_under_which_the_broker_cannot_be_reached_are_undone(installed: AgentSettings):
    gateway = Obedience(installed)
    gateway.receive(order(7))
    gateway.settings()
    gateway.tick(moment(0), connected=False)
    assert gateway.tick(moment(59), connected=False) is False
    assert gateway.tick(moment(60), connected=False) is True
    assert gateway.settings() == installed
    said = report(gateway)
    assert (said["rev"], said["ok"], said["in_force"]) == (7, False, 0)
    assert said["err"] == "the broker could not be reached with it in 60 s"
    assert gateway.receive(order(7)) is False, "it is kept by the broker and comes again"


def test_a_power_cut_in_the_trial_only_begins_it_anew(installed: AgentSettings):
    Obedience(installed).receive(order(7))
    gateway = Obedience(installed)
    assert gateway.settings().broker.host == "new.example.org"
    gateway.tick(moment(0), connected=True)
    assert report(gateway)["rev"] == 7


def test_settings_that_make_the_agent_fall_over_are_undone(installed: AgentSettings):
    Obedience(installed).receive(order(7))
    for _ in range(3):
        assert Obedience(installed).settings().broker.host == "new.example.org"
    gateway = Obedience(installed)
    assert gateway.settings() == installed
    assert report(gateway)["err"] == "the agent ended 3 times with these settings"


def applied(installed: AgentSettings, rev: int) -> Obedience:
    gateway = Obedience(installed)
    gateway.receive(order(rev))
    gateway.settings()
    gateway.tick(moment(0), connected=True)
    gateway.report()
    return gateway


def test_an_older_order_is_refused(installed: AgentSettings):
    gateway = applied(installed, 7)
    assert gateway.receive(order(6)) is False
    assert report(gateway)["err"] == "older than revision 7, which is in force"
    assert gateway.settings().broker.host == "new.example.org"


def test_the_order_in_force_comes_again_at_every_connection_and_changes_nothing(installed: AgentSettings):
    gateway = applied(installed, 7)
    assert gateway.receive(order(7)) is False
    assert gateway.report() is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[broker", "not TOML"),
        (toml(more="prot = 7"), "broker.prot"),
        (toml(name="cellar"), "these are the settings of cellar"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_a_sentence(
    installed: AgentSettings, text: str, sentence: str
):
    gateway = Obedience(installed)
    gateway.settings()
    assert gateway.receive(order(7, text)) is False
    assert sentence in report(gateway)["err"]


def test_an_unsigned_order_is_refused_and_told(installed: AgentSettings):
    gateway = Obedience(installed)
    gateway.settings()
    assert gateway.receive(b'{"v":1,"rev":9,"cfg":"","sig":""}') is False
    assert report(gateway)["err"] == "not signed by the operator for this gateway"


def test_who_a_gateway_is_and_whom_it_obeys_no_order_changes(installed: AgentSettings):
    other = public_text(private_key(new_key()))
    text = toml(more=f'[orders]\npublic_key = "{other}"\n').replace("[gateway]", '[gateway]\ndata = "/tmp/x"')
    gateway = Obedience(installed)
    gateway.receive(order(7, text))
    told = gateway.settings()
    assert (told.gateway, told.orders) == (installed.gateway, installed.orders)


def test_a_damaged_memory_of_orders_falls_back_to_what_was_installed(installed: AgentSettings):
    applied(installed, 7)
    folder = installed.gateway.data / "orders"
    (folder / "agent-7.toml").write_text("[")
    assert Obedience(installed).settings() == installed
    (folder / "state.json").write_text("[]")
    assert Obedience(installed).settings() == installed
