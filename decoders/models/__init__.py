"""The meter models that come with the program, one TOML file each.

Which model reads a meter is decided by the meter's identity: manufacturer, version and device type. A row
with any version (``*``) counts after rows with the version itself. Where several models claim one identity,
the file says ``automatic = false`` in all but one; of a telegram of such a meter, the model that takes the
most records reads it, the automatic one if they are equal.

A radio converter on a meter of another make tells the meter's identity in the transport layer; if no model
knows that one, the converter's own identity counts.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib import resources
from types import MappingProxyType

from decoders.matching import bind
from decoders.model import Identity, Model
from decoders.model_file import ModelFileError, read
from decoders.telegram import Telegram
from metering.meter import MeterId

__all__ = ["by_name", "claims", "detect", "models"]

_RADIO_CONVERTERS = frozenset({"36", "37"})


@functools.cache
def models() -> Mapping[str, Model]:
    """Load every model, by name, in alphabetical order.

    Raises:
        ModelFileError: a file is wrong.
    """
    files = sorted(resources.files(__package__).iterdir(), key=lambda file: file.name)
    found = [read(file.read_text("utf-8"), file.name) for file in files if file.name.endswith(".toml")]
    return MappingProxyType({model.name: model for model in found})


def by_name(name: str) -> Model | None:
    """Find a model by name or alias, in any letter case.

    Raises:
        ModelFileError: two models share a name, or a file is wrong.
    """
    return _names().get(name.lower())


def claims(meter: MeterId) -> Sequence[Model]:
    """Give the models that read a meter with this identity, the automatic one first; often one, or none.

    Raises:
        ModelFileError: two models are automatic for one identity, or a file is wrong.
    """
    known = _claims()
    kind = (meter.manufacturer, meter.version, meter.device_type)
    return known.get(kind) or known.get((meter.manufacturer, "*", meter.device_type), ())


def detect(telegram: Telegram) -> Model | None:
    """Choose the model that reads this telegram; ``None`` if no model knows its meter."""
    found = claims(telegram.meter)
    if not found and telegram.sender.device_type in _RADIO_CONVERTERS:
        found = claims(telegram.sender)
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda model: _taken(model, telegram))


def _taken(model: Model, telegram: Telegram) -> int:
    """Count the records of a telegram the model takes."""
    bindings = bind(model, telegram.records)
    return len({binding.record for binding in bindings if binding.record is not None})


@functools.cache
def _names() -> Mapping[str, Model]:
    known: dict[str, Model] = {}
    for model in models().values():
        for name in (model.name, *model.aliases):
            if name in known:
                raise ModelFileError(model.source, "", "aliases", f"{name} is {known[name].source} already")
            known[name] = model
    return known


@functools.cache
def _claims() -> Mapping[tuple[str, str, str], Sequence[Model]]:
    known: dict[tuple[str, str, str], list[tuple[Identity, Model]]] = {}
    for model in models().values():
        for row in model.detect:
            rows = known.setdefault((row.manufacturer, row.version, row.device_type), [])
            rows.append((row, model))
    return {kind: _in_order(rows) for kind, rows in known.items()}


def _in_order(rows: Sequence[tuple[Identity, Model]]) -> tuple[Model, ...]:
    """Put the automatic model first; there must be exactly one."""
    first, *more = sorted(rows, key=lambda row: not row[0].automatic)
    if not first[0].automatic or any(identity.automatic for identity, _ in more):
        identity, model = rows[-1]
        kind = f"{identity.manufacturer} {identity.version}-{identity.device_type}"
        raise ModelFileError(
            model.source, "[[detect]]", "automatic", f"{kind} needs exactly one automatic model"
        )
    return tuple(model for _, model in (first, *more))
