"""Settings: where they come from, and how wrong ones are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.errors import SettingsError
from service.settings import load_settings
from service.settings_model import Settings

EXAMPLE = Path(__file__).parents[2] / "nurt.example.toml"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch, tmp_path):
    """No setting leaks in from the machine the tests run on."""
    import os

    for name in [name for name in os.environ if name.startswith("NURT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused(text: str, tmp_path: Path) -> list[str]:
    """Give the sentences a settings file is refused with."""
    (tmp_path / "nurt.toml").write_text(text)
    with pytest.raises(SettingsError) as told:
        load_settings()
    return str(told.value).splitlines()


def test_without_a_file_the_defaults_hold():
    effective = load_settings()
    assert effective.settings == Settings()
    assert effective.file is None
    assert effective.settings.store.database == "sqlite:///data/nurt.db"
    assert effective.settings.store.master_key == Path("data/master.key")
    assert effective.settings.mqtt.broker_port == 1883


def test_the_file_named_wins_over_the_variable_and_both_over_the_one_here(monkeypatch, tmp_path):
    for name, port in (("nurt.toml", 1001), ("variable.toml", 1002), ("option.toml", 1003)):
        (tmp_path / name).write_text(f"[web]\nport = {port}\n")
    assert load_settings().settings.web.port == 1001
    monkeypatch.setenv("NURT_CONFIG", "variable.toml")
    assert load_settings().settings.web.port == 1002
    assert load_settings(Path("option.toml")).settings.web.port == 1003


def test_the_environment_wins_over_the_file_and_both_are_told(monkeypatch, tmp_path):
    (tmp_path / "nurt.toml").write_text("# ours\n[web]\nhost = '0.0.0.0'\nport = 1001\n")
    monkeypatch.setenv("NURT_WEB__PORT", "1002")
    effective = load_settings()
    assert (effective.settings.web.host, effective.settings.web.port) == ("0.0.0.0", 1002)
    assert effective.origins["web", "host"] == "nurt.toml:3"
    assert effective.origins["web", "port"] == "environment NURT_WEB__PORT"


def test_topics_may_be_said_as_json_in_the_environment(monkeypatch):
    monkeypatch.setenv("NURT_MQTT__TOPICS", json.dumps([{"filter": "town/+/up", "adapter": "hex"}]))
    (rule,) = load_settings().settings.mqtt.topics
    assert (rule.filter, rule.adapter) == ("town/+/up", "hex")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[web]\nprot = 1\n", "nurt.toml:2: unknown setting web.prot; did you mean port?"),
        ("\n[wbe]\nport = 1\n", "nurt.toml:2: unknown setting wbe; did you mean web?"),
        ("[web]\nport = 70000\n", "nurt.toml:2: web.port: must be less than or equal to 65535"),
        ("[web]\nport = 'x'\n", "nurt.toml:2: web.port: must be a valid integer"),
        ("web = 1\n", "nurt.toml:1: web stands outside a section; sections look like [web]"),
        ("[mqtt]\nprotocol = 4\n", "nurt.toml:2: mqtt.protocol: must be '5' or '3.1.1'"),
        ("[mqtt]\ntopics = []\n", "nurt.toml:2: mqtt.topics: at least one topic to listen to"),
        (
            "[ingest]\nzone = 'Mars'\n",
            "nurt.toml:2: ingest.zone: no such time zone; names look like Europe/Warsaw",
        ),
        ("[mqtt]\ncert_file = 'c'\n", "nurt.toml:1: mqtt: ca_file, cert_file and key_file need tls = true"),
        ("[web\n", "nurt.toml:1: Expected ']' at the end of a table declaration (column 5)"),
        ("[web]\nport =", "nurt.toml:2: Invalid value (at end of document)"),
    ],
)
def test_a_wrong_setting_is_told_with_file_and_line(text, sentence, tmp_path):
    assert refused(text, tmp_path) == [sentence]


def test_every_fault_is_told_at_once_in_file_order(tmp_path):
    told = refused("[logs]\nlevel = 'loud'\n" + "\n" * 8 + "[web]\nport = -1\nhots = 'x'\n", tmp_path)
    assert [line.split(": ")[0] for line in told] == ["nurt.toml:2", "nurt.toml:12", "nurt.toml:13"]


def test_a_fault_inside_a_list_has_the_line_of_its_item(tmp_path):
    text = '[mqtt]\ntopics = [\n  {filter="a/+", adapter="hex"},\n  {filter="a+", adapter="hex"},\n]\n'
    (sentence,) = refused(text, tmp_path)
    assert sentence.startswith("nurt.toml:4: mqtt.topics[1]: 'a+' is not a topic filter")


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ('filter="a/+", adapter="chirpstack"', "a LoRaWAN route needs one of: adeunis_pulse"),
        ('filter="a/+", adapter="zigbee2mqtt"', "says what its number counts: pulses, L or m3"),
        ('filter="a/+", adapter="hex", unit="L"', "adapter 'hex' of 'a/+' knows no unit"),
        ('filter="a/+", adapter="elvaco", zone="Mars"', "no such time zone"),
        ('filter="a/+", adapter="field_map"', "needs fields"),
        (
            'filter="a/+", adapter="field_map", fields={values=[{at="v", unit="gal"}]}',
            "unit 'gal' is not known",
        ),
        ('filter="a/+", adapter="field_map", fields={values=[{at="v"}]}', "unit is missing"),
    ],
)
def test_a_topic_that_does_not_say_what_its_adapter_needs_is_told(rule, sentence, tmp_path):
    (told,) = refused(f"[mqtt]\ntopics = [\n  {{{rule}}},\n]\n", tmp_path)
    assert told.startswith("nurt.toml:3: mqtt.topics[0]")
    assert sentence in told


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("NURT_WEB__PROT", "1", "environment NURT_WEB__PROT: unknown setting web.prot; did you mean port?"),
        ("NURT_WBE__PORT", "1", "environment NURT_WBE__PORT: unknown section wbe; did you mean web?"),
        ("NURT_WEB_PORT", "1", "environment NURT_WEB_PORT: did you mean NURT_WEB__PORT?"),
        ("NURT_WEB__PORT", "x", "environment NURT_WEB__PORT: web.port: must be a valid integer"),
        ("NURT_MQTT__TOPICS", "a/#", "environment NURT_MQTT__TOPICS: must be JSON"),
    ],
)
def test_a_wrong_variable_is_told_by_name(variable, value, sentence, monkeypatch):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as told:
        load_settings()
    assert str(told.value) == sentence


def test_a_variable_that_is_no_setting_is_left_alone(monkeypatch):
    monkeypatch.setenv("NURT_TELEGRAMS", "/somewhere")
    assert load_settings().settings == Settings()


def test_a_missing_or_binary_file_is_told_in_one_sentence(tmp_path):
    with pytest.raises(SettingsError, match=r"^gone.toml: .*No such file or directory$"):
        load_settings(Path("gone.toml"))
    (tmp_path / "b.toml").write_bytes(b"# \xff")
    with pytest.raises(SettingsError, match=r"^b.toml: .*not UTF-8 text \(byte 2\)$"):
        load_settings(Path("b.toml"))


def test_the_password_comes_from_its_file_and_is_never_told(tmp_path):
    (tmp_path / "pw").write_text("s3cret-pw\n")
    (tmp_path / "nurt.toml").write_text("[mqtt]\npassword_file = 'pw'\n")
    assert load_settings().settings.mqtt.secret() == "s3cret-pw"
    (tmp_path / "nurt.toml").write_text("[mqtt]\npassword = 's3cret-pw'\n")
    effective = load_settings()
    assert effective.settings.mqtt.secret() == "s3cret-pw"
    assert "s3cret" not in repr(effective) + str(effective.settings)


def test_a_missing_password_file_is_a_sentence():
    settings_ = Settings.model_validate({"mqtt": {"password_file": "gone"}})
    with pytest.raises(SettingsError, match=r"mqtt\.password_file gone cannot be read: No such file"):
        settings_.mqtt.secret()


def test_a_wrong_secret_is_refused_without_repeating_it(tmp_path):
    told = refused("[mqtt]\npassword = ['s3cret']\npasword_file = 's3cret'\n", tmp_path)
    assert len(told) == 2
    assert "s3cret" not in "".join(told)


def test_the_example_file_holds_the_defaults():
    """What the example shows is what happens without it, so reading it changes nothing."""
    assert load_settings(EXAMPLE).settings == Settings()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=" \n[]{}=\"'.,#abtwe15\\", max_size=60))
def test_any_text_gives_settings_or_the_documented_error(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("any") / "any.toml"
    file.write_text(text)
    try:
        sentence = None
        load_settings(file)
    except SettingsError as told:
        sentence = str(told)
    assert sentence is None or sentence.startswith(f"{file}:")
