"""Profiles: golden files, and sentences for what is wrong.

After a wanted change of a template: `nurt gateway render -c gateways.toml --to .` in the folder `golden`, and
look at the difference before committing it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway_firmware_config.fleet import GatewayPlan
from gateway_firmware_config.profile import profile_names, profile_of, read_profile
from gateway_firmware_config.rendering import Rendered, render_broker, render_gateway
from ingest.adapters import ADAPTERS
from metering.errors import InvalidValue, SettingsError
from service.cli import app
from service.gateway_files import load_fleet

GOLDEN = Path(__file__).with_name("golden")
FLEET = load_fleet(GOLDEN / "gateways.toml")
BROKER = '[broker]\nhost = "mqtt.example.org"\n'


def rendered(name: str) -> dict[str, Rendered]:
    return dict(render_gateway(name, FLEET.gateway[name], FLEET.broker))


def told(tmp_path: Path, text: str) -> str:
    file = tmp_path / "gateways.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as wrong:
        load_fleet(file)
    return str(wrong.value).replace(f"{tmp_path}/", "")


# --- what is rendered -------------------------------------------------------------------------------


def test_every_profile_has_a_gateway_with_golden_files():
    assert {gateway.profile for gateway in FLEET.gateway.values()} == set(profile_names())


@pytest.mark.parametrize("name", FLEET.gateway)
def test_a_gateways_files_are_the_golden_ones(name: str):
    made = {path: file.text for path, file in rendered(name).items()}
    kept = {
        str(file.relative_to(GOLDEN / name)): file.read_text()
        for file in (GOLDEN / name).rglob("*")
        if file.is_file()
    }
    assert made == kept


def test_the_example_is_a_file_of_gateways_that_can_be_rendered():
    fleet = load_fleet(Path(__file__).parents[2] / "gateways.example.toml")
    made = {name: render_gateway(name, one, fleet.broker) for name, one in fleet.gateway.items()}
    assert "interval_s = 900" in made["roof"]["agent.toml"].text
    assert "user lora" in render_broker(fleet)["acl"].text


def test_the_brokers_files_are_the_golden_ones():
    for path, file in render_broker(FLEET).items():
        assert file.text == (GOLDEN / "mosquitto" / path).read_text()


@pytest.mark.parametrize("name", FLEET.gateway)
def test_what_holds_the_brokers_password_is_readable_by_its_owner_only(name: str):
    for path, file in rendered(name).items():
        assert (f"PASSWORD-OF-{name}" in file.text) == (file.mode == 0o600), path


@pytest.mark.parametrize("name", profile_names())
def test_what_a_gateway_publishes_is_read_by_an_adapter_there_is(name: str):
    for route in profile_of(name).routes:
        assert route.adapter in ADAPTERS
        assert "+" in route.filter


@pytest.mark.parametrize("name", profile_names())
def test_the_defaults_of_a_profile_are_good(name: str):
    for option in profile_of(name).options.values():
        assert option.required or option.fault(option.default) is None


@pytest.mark.parametrize("name", ["esphome-wmbus", "esphome-wmbus-v5", "chirpstack"])
def test_every_board_there_is_can_be_chosen(name: str):
    profile = profile_of(name)
    assert set(profile.options[profile.chooser].choices) == set(profile.boards)


@pytest.mark.parametrize("profile", ["esphome-wmbus", "esphome-wmbus-v5"])
@pytest.mark.parametrize("board", profile_of("esphome-wmbus").boards)
def test_a_boards_file_says_where_its_pins_are_from_and_what_is_doubtful(profile: str, board: str):
    plan = GatewayPlan(profile=profile, options={"board": board})
    text = render_gateway("box", plan, FLEET.broker)["box.yaml"].text
    pins = profile_of(profile).boards[board]
    assert f"# Pins: {pins['source']}." in text
    assert f"check it on your board: {pins['doubt']}." in text
    assert f"  cs_pin: GPIO{pins['cs']}\n" in text


# --- what is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[gateway.roof]\nprofile = "agnet"\n',
            "gateways.toml:4: gateway.roof.profile: no such profile; there are: agent",
        ),
        (
            '[gateway.roof]\nprofile = "esphome-wmbus"\n[gateway.roof.options]\nbaord = "heltec-v3"\n',
            "gateways.toml:6: unknown option baord of esphome-wmbus; did you mean board?",
        ),
        (
            '[gateway.roof]\nprofile = "esphome-wmbus"\noptions.board = "heltec"\n',
            "gateways.toml:5: board: there are: heltec-v3, lilygo-t3s3, xiao-s3",
        ),
        (
            '[gateway.Roof]\nprofile = "esphome-wmbus"\n',
            "gateways.toml:3: esphome-wmbus takes no such name",
        ),
        (
            '[gateway.roof]\nprofile = "tasmota"\noptions.tele_period_s = "often"\n',
            "gateways.toml:5: tele_period_s: must be a whole number",
        ),
        (
            '[gateway.roof]\nprofile = "wmbusmeters"\noptions.device = "a\\nshell=rm"\n',
            "gateways.toml:5: device must not hold quotes, backslashes or line ends",
        ),
        (
            '[gateway.lora]\nprofile = "chirpstack"\n',
            "gateways.toml:3: chirpstack needs the option application",
        ),
        (
            '[gateway.lora]\nprofile = "chirpstack"\noptions.application = "water"\n',
            "gateways.toml:5: application: must look like",
        ),
        ('[gateway.roof]\nprofil = "agent"\n', "gateways.toml:4: unknown setting gateway.roof.profil"),
        ('[gateway.roof]\nprofile = "agent"\n[gateway.roof]\n', "gateways.toml:5: "),
        ('[gateway."the roof"]\nprofile = "agent"\n', "is not a gateway name"),
        ('[gateway.roof]\nprofile = "agent"\nmeters = ["76348799"]\n', "is not a meter id"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, text: str, sentence: str):
    assert sentence in told(tmp_path, BROKER + text)


def test_a_broker_name_that_would_break_a_file_is_refused(tmp_path: Path):
    text = '[broker]\nhost = "a;b"\n[gateway.roof]\nprofile = "agent"\n'
    assert "gateways.toml:2: broker.host: a plain name or address" in told(tmp_path, text)


def test_a_gateway_may_not_have_the_services_name(tmp_path: Path):
    (tmp_path / "gateways.toml").write_text(BROKER + '[gateway.nurt]\nprofile = "agent"\n')
    with pytest.raises(InvalidValue, match="the name the service logs in with"):
        render_broker(load_fleet(tmp_path / "gateways.toml"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('sayz = "x"\n', "mine/profile.toml:1: unknown key sayz; did you mean says?"),
        (
            'says = "x"\ntopics = []\nwrites = []\npassword = "x"\n[[file]]\npath = "a"\nsecrt = true\n',
            "mine/profile.toml:7: unknown key secrt; did you mean secret?",
        ),
        (
            'says = "x"\ntopics = [\n  { filter = "a/+", adaptor = "hex" },\n]\nwrites = []\n',
            "mine/profile.toml:3: unknown key adaptor; did you mean adapter?",
        ),
        ('says = "x"\ntopics = []\nwrites = []\npassword = "x"\n', "mine/profile.toml: file is missing"),
        ("says = \n", "mine/profile.toml: Invalid value (at line 1, column 8)"),
    ],
)
def test_a_misspelt_key_of_a_profile_is_told_with_file_and_line(tmp_path: Path, text: str, sentence: str):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "profile.toml").write_text(text)
    with pytest.raises(InvalidValue) as wrong:
        read_profile("mine", tmp_path)
    assert str(wrong.value) == sentence


# --- the commands -----------------------------------------------------------------------------------


def test_diff_shows_what_render_would_change_and_nothing_after_it(tmp_path: Path):
    config, folder = str(GOLDEN / "gateways.toml"), str(tmp_path / "out")
    asked = ["--config", config, "--to", folder]
    assert CliRunner().invoke(app, ["gateway", "diff", *asked]).exit_code == 1
    assert CliRunner().invoke(app, ["gateway", "render", *asked]).exit_code == 0
    assert CliRunner().invoke(app, ["gateway", "diff", *asked]).output == ""
    file = tmp_path / "out" / "tas1" / "backlog.txt"
    file.write_text(file.read_text().replace("TelePeriod 300", "TelePeriod 10"))
    done = CliRunner().invoke(app, ["gateway", "diff", *asked])
    assert done.exit_code == 1
    assert "+Backlog Time 2; Timezone 0; TelePeriod 300" in done.output


def test_profiles_are_listed_with_their_options():
    done = CliRunner().invoke(app, ["gateway", "profiles"])
    assert all(f"{name}: " in done.output for name in profile_names())
    assert "one of heltec-v3, lilygo-t3s3, xiao-s3" in done.output
    assert "application (must be said): the application's identifier" in done.output
