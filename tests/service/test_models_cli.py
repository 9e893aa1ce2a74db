"""``nurt models``, and the page made of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from decoders.model import Field, Form, Numbers, Where
from decoders.models import models
from metering.reading import Function
from service.cli import app
from service.model_facts import as_data, described, identities, markdown, shown_fields

DOCS = Path(__file__).parents[2] / "docs"


def told(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["models", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_page_of_supported_meters_is_that_of_the_model_files():
    """``make docs`` writes it anew."""
    assert (DOCS / "meters.md").read_text("utf-8") == markdown(list(models().values()))


def test_every_model_stands_in_the_list_and_on_the_page():
    listed, page = told(), markdown(list(models().values()))
    for name in models():
        assert f"\n{name} " in f"\n{listed}"
        assert f"| **{name}**" in page
    assert page.count("\n| **") == len(models())


def test_one_model_is_told_with_media_meters_fields_and_provenance():
    text = told("iperl")
    assert text.startswith("iperl  water: warm water, water\n")
    assert "SEN 68-06, SEN 68-07, SEN 7c-07" in text
    assert "decoders/models/iperl.toml" in text
    assert "max_flow_m3h" in text


def test_an_alias_finds_its_model():
    assert json.loads(told("multical21", "--format", "json"))[0]["name"] == "kamwater"


def test_json_has_all_models_with_all_fields():
    found = json.loads(told("--format", "json"))
    assert found == [as_data(model) for model in models().values()]
    for one, model in zip(found, models().values(), strict=True):
        names = [field["name"] for field in one["fields"]]
        assert names == [field.name for field in shown_fields(model)]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (Where("volume"), "volume"),
        (Where("volume_flow", Function.MAXIMUM, Numbers(1, 1)), "volume flow, maximum, storage 1"),
        (Where("volume", storage=Numbers(2, 13), qualifiers=frozenset({"backward"})),
         "volume backward, storage 2 to 13"),
        (Where("date", nth=2, tariff=Numbers(3, 3)), "date, tariff 3, no. 2"),
        (Where(header=b"\x04\xff\x23"), "record 04FF23"),
    ],
)  # fmt: skip
def test_a_field_says_its_record(where, said):
    assert described(Field("any", where=where, form=Form.NUMBER)) == said


def test_identities_read_only_by_name_stand_in_brackets():
    rows = [row for model in models().values() for row in model.detect if not row.automatic]
    assert rows
    assert all(text[0] == "(" and text[-1] == ")" for text in identities(rows))


@pytest.mark.servers
def test_an_unknown_name_is_a_usage_error():
    command = [sys.executable, "-m", "service.cli", "models", "nosuch"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=20)
    assert done.returncode == 2
    assert b"nosuch" in done.stderr
