"""Settings shown: readable back, with origins, without secrets."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from service.settings import Effective, load_settings
from service.settings_model import Settings
from service.settings_text import HIDDEN, hide_password, settings_toml


def shown(**said) -> str:
    return settings_toml(Effective(Settings.model_validate(said), None, {}))


def test_what_is_shown_reads_back_as_the_same_settings(tmp_path):
    file = tmp_path / "again.toml"
    file.write_text(
        shown(web={"port": 9}, mqtt={"topics": [{"filter": "a/+", "adapter": "hex"}], "tls": True})
    )
    again = load_settings(file).settings
    assert again.web.port == 9
    assert again.mqtt.topics[0].filter == "a/+"
    assert again.mqtt.broker_port == 8883


def test_what_a_topic_says_to_its_adapter_reads_back(tmp_path):
    fields = {"device": "id", "values": [{"at": "d.0", "register": "volume/s1", "unit": "L"}]}
    topics = [
        {"filter": "a/+", "adapter": "chirpstack", "codec": "axioma_w1"},
        {"filter": "b/+", "adapter": "field_map", "zone": "Europe/Warsaw", "fields": fields},
        {"filter": "c/+", "adapter": "zigbee2mqtt", "unit": "L", "key": "flow_total"},
    ]
    file = tmp_path / "again.toml"
    file.write_text(shown(mqtt={"topics": topics}))
    assert (
        load_settings(file).settings.mqtt.topics
        == Settings.model_validate({"mqtt": {"topics": topics}}).mqtt.topics
    )


def test_each_setting_says_where_it_was_said(tmp_path, monkeypatch):
    file = tmp_path / "nurt.toml"
    file.write_text("[web]\nport = 9\n")
    monkeypatch.setenv("NURT_WEB__HOST", "::1")
    lines = settings_toml(load_settings(file)).splitlines()
    (port,) = [line for line in lines if line.startswith("port = 9 ")]
    (host,) = [line for line in lines if line.startswith('host = "::1"')]
    (zone,) = [line for line in lines if line.startswith("zone")]
    assert port.endswith(f"# {file}:2")
    assert host.endswith("# environment NURT_WEB__HOST")
    assert zone.endswith("# default")


def test_secrets_are_hidden():
    text = shown(
        mqtt={"password": "s3cret"},
        store={"url": "postgresql+psycopg://nurt:s3cret@db/nurt?sslpassword=s3cret&connect_timeout=3"},
    )
    assert "s3cret" not in text
    said = tomllib.loads(text)
    assert said["mqtt"]["password"] == HIDDEN
    assert said["store"]["url"] == (
        f"postgresql+psycopg://nurt:{HIDDEN}@db/nurt?sslpassword={HIDDEN}&connect_timeout=3"
    )


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="pw@:/%#!?", min_size=4))
def test_no_password_in_a_url_survives(password):
    secret = f"X{password}X"
    assert secret not in hide_password(f"postgresql://nurt:{secret}@db/nurt")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_text_survives_being_shown(text):
    said = tomllib.loads(shown(mqtt={"client_id": text}, store={"data": Path("x")}))
    assert said["mqtt"]["client_id"] == text
