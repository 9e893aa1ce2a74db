"""Every meter model that comes with the program: one walk over the registry, so that a new file is tested."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from decoders import decode, reading
from decoders.build import build
from decoders.flat import flat
from decoders.hooks import calculation, payload_reader
from decoders.matching import bind
from decoders.meaning import fields
from decoders.media import medium
from decoders.model import Form, Golden, Identity, Model
from decoders.model_file import ModelFileError, read
from decoders.models import _in_order, by_name, claims, detect, models
from decoders.telegram import Telegram
from metering.meter import MeterId

MODELS = tuple(models().values())
GOLDEN = [
    pytest.param(model, golden, id=f"{model.name}-{number}")
    for model in MODELS
    for number, golden in enumerate(model.tests, 1)
]
DURATIONS_CALLED_FLOW = {("qwater", "volume_flow_m3h"), ("qwaterv2", "volume_flow_m3h")}
"""These meters send for how long the flow was below a limit; the exact view does not call that a flow."""
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def meter(model: Model, place: int = 0) -> MeterId:
    row = model.detect[place]
    return MeterId(row.manufacturer, "12345678", row.version.replace("*", "01"), row.device_type)


def heard(model: Model, golden: Golden) -> Telegram:
    return reading.read(golden.telegram, lambda _: (golden.key,) if golden.key else (), model).telegram


def volume_telegram(identity: MeterId, payload: str = "041378563412", sender: MeterId | None = None):
    return decode(build(identity, bytes.fromhex(payload), header="long", sender=sender))


@pytest.mark.parametrize(("model", "golden"), GOLDEN)
def test_a_golden_telegram_gives_its_expected_fields(model: Model, golden: Golden):
    telegram = heard(model, golden)
    assert telegram.faults == ()
    told = flat(telegram, model, received_at=NOON)
    assert {name: told.get(name, "missing") for name in golden.expected} == golden.expected


@pytest.mark.parametrize(("model", "golden"), GOLDEN)
def test_the_golden_telegrams_of_a_model_name_all_that_is_told(model: Model, golden: Golden):
    """No field is told that the golden telegram does not expect."""
    told = flat(heard(model, golden), model, received_at=NOON)
    assert set(told) - set(golden.expected) == {"_", "media", "meter", "name", "id", "timestamp"}


@pytest.mark.parametrize(("model", "golden"), GOLDEN)
def test_both_views_agree_on_valid_values(model: Model, golden: Golden):
    """Golden telegrams hold valid values only: told exactly they are the flat ones, not rounded."""
    told = fields(heard(model, golden), model)
    for name, expected in golden.expected.items():
        if (model.name, name) in DURATIONS_CALLED_FLOW:
            assert name not in told
            continue
        value = told[name]
        if isinstance(expected, Decimal) and isinstance(value, Decimal):
            assert value.quantize(Decimal("0.000001")) == expected
        elif (
            isinstance(value, str)
            and isinstance(expected, str)
            and value[10:11] == "T"
            and value[:4].isdigit()
        ):
            assert value.replace("T", " ")[: len(expected)] == expected
        else:
            assert value == expected or (value is None and expected == 0)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_model_has_a_golden_telegram_for_every_field(model: Model):
    told = set()
    for golden in model.tests:
        bindings = bind(model, heard(model, golden).records)
        told |= {binding.field.name for binding in bindings}
    profiled = {field.name for field in model.fields if field.where and field.where.storage.is_range}
    assert {field.name for field in model.fields} - told <= profiled


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_hooks_can_be_called(model: Model):
    for field in model.fields:
        if field.hook:
            assert callable(calculation(field.hook))
    if model.hook:
        assert callable(payload_reader(model.hook))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_words_are_only_joined_into_a_status_text(model: Model):
    statuses = {field.name for field in model.fields if field.join}
    joined = [field for field in model.fields if field.into]
    assert {field.into for field in joined} <= statuses
    assert all(field.form is Form.FLAGS for field in joined)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_media_are_those_of_the_identities(model: Model):
    known = {medium(meter(model, place)) for place in range(len(model.detect))}
    newer = {"sensor", "unidirectional repeater"}  # device types that got a name after the model was written
    unnamed = {"reserved"}  # device types that say nothing; the model does
    assert known - newer - unnamed <= set(model.media)


def test_names_and_aliases_are_found_in_any_letter_case():
    assert by_name("KamWater") is by_name("multical21") is models()["kamwater"]
    assert by_name("no such meter") is None


def test_an_identity_nobody_knows_has_no_model():
    unknown = MeterId("XYZ", "12345678", "01", "07")
    assert claims(unknown) == ()
    assert detect(volume_telegram(unknown)) is None


def test_a_model_is_found_by_manufacturer_version_and_device_type():
    assert detect(volume_telegram(MeterId("KAM", "12345678", "1b", "16"))) is models()["kamwater"]


def test_the_meter_behind_a_radio_converter_counts_before_the_converter():
    converter = MeterId("ESY", "11111111", "30", "37")
    known = MeterId("KAM", "12345678", "1b", "16")
    unknown = MeterId("ETY", "12345678", "11", "02")
    assert detect(volume_telegram(known, sender=converter)) is models()["kamwater"]
    assert detect(volume_telegram(unknown, sender=converter)) is models()["esyswm"]


def test_a_meter_that_only_relays_lends_no_model():
    relay = MeterId("KAM", "11111111", "1b", "16")
    assert detect(volume_telegram(MeterId("XYZ", "12345678", "01", "07"), sender=relay)) is None


def test_of_several_claims_the_model_that_takes_most_records_reads():
    both = MeterId("LSE", "12345678", "23", "04")
    assert [model.name for model in claims(both)] == ["qheatv2", "qheat5us"]
    assert detect(volume_telegram(both, "0406E8030000")) is models()["qheatv2"]
    assert detect(volume_telegram(both, "0406E8030000 0C7878563412 426C1F3C")) is models()["qheat5us"]


def test_two_automatic_models_for_one_identity_are_refused():
    model = models()["kamwater"]
    row = Identity("KAM", "1b", "16")
    with pytest.raises(ModelFileError, match=r"KAM 1b-16 needs exactly one automatic model"):
        _in_order([(row, model), (row, model)])


def test_the_examples_of_the_readme_are_one_model():
    """Every key the page explains is a key the reader knows."""
    page = (Path(__file__).parents[2] / "decoders/models/README.md").read_text()
    basics, status, rest = (part.split("```")[0] for part in page.split("```toml\n")[1:])
    hook, _, tables = rest.partition("\n")
    model = read(hook.replace("brook", "sum_of") + "\n" + basics + status + tables, "brook.toml")
    (golden,) = model.tests
    told = flat(decode(golden.telegram), model, received_at=NOON)
    assert {name: told[name] for name in golden.expected} == golden.expected


BEYOND_THE_LIST = {("TCH", "64", "80")}
"""Read by fhkvdataiii; another project's telegram of it shows the same form."""


@pytest.mark.shared
def test_identities_agree_with_the_list_of_known_meters(shared_telegrams: Path):
    listed = defaultdict(set)
    with (shared_telegrams / "meter-models.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            listed[row["driver"]].add((row["mfct"], row["version"], row["type"]))
    for model in MODELS:
        ours = {(row.manufacturer, row.version, row.device_type) for row in model.detect}
        assert ours - BEYOND_THE_LIST == listed.get(model.name, set()), model.name
