"""`nurt adapters`, and the page of the documentation it writes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.adapters import ADAPTERS
from ingest.codecs import CODECS
from metering.errors import InvalidValue
from service.adapter_cards import card_lines, page
from service.cli import app
from service.settings_model import Settings

PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"


def test_the_page_of_the_documentation_is_current():
    """If not: nurt adapters --markdown > docs/adapters.md."""
    assert PAGE.read_text(encoding="utf-8") == page()
    assert CliRunner().invoke(app, ["adapters", "--markdown"]).stdout == page()


def test_every_rule_on_the_page_can_stand_in_the_settings():
    rules = re.findall(r"```toml\n(.*?)\n```", page())
    assert len(rules) == len(ADAPTERS)
    said = tomllib.loads(f"topics = [{', '.join(rules)}]")
    topics = Settings.model_validate({"mqtt": said}).mqtt.topics
    for topic, card in zip(topics, ADAPTERS.values(), strict=True):
        assert (topic.adapter, topic.route().options) == (card.name, card.sample)


def test_the_list_names_every_adapter_on_one_line():
    lines = CliRunner().invoke(app, ["adapters"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(ADAPTERS)


@pytest.mark.parametrize("name", ADAPTERS)
def test_all_of_one_adapter_is_told(name):
    told = "\n".join(card_lines(name))
    assert ADAPTERS[name].says in told
    assert ADAPTERS[name].example[0] in told
    assert ("codecs" in told) == all(codec in told for codec in CODECS)


def test_an_unknown_adapter_is_told_with_those_there_are():
    with pytest.raises(InvalidValue, match="no adapter 'hax'; there are: contract, hex"):
        list(card_lines("hax"))
