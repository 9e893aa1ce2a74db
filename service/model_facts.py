"""Meter models told to people: which meters, which fields from which records, where it is written.

``nurt models`` shows it on a terminal or as JSON; ``docs/meters.md`` is the same as a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from decoders.model import Field, Identity, Model, Numbers, Where
from metering.reading import Function

__all__ = ["as_data", "described", "identities", "markdown", "provenance", "shown_fields"]


def identities(rows: Sequence[Identity]) -> list[str]:
    """Write the identities a model reads: ``KAM 1b-16``; in brackets those it reads only if named."""
    told = [f"{row.manufacturer} {row.version}-{row.device_type}" for row in rows]
    return [text if row.automatic else f"({text})" for text, row in zip(told, rows, strict=True)]


def provenance(model: Model) -> str:
    """Say where the model is written and what proves it."""
    proof = f"{len(model.tests)} golden telegram" + ("s" if len(model.tests) > 1 else "")
    return f"decoders/models/{model.source}, revision {model.revision[:12]}, {proof}"


def described(field: Field) -> str:
    """Say where a field's value comes from."""
    said = [_where(field.where)] if field.where else []
    if field.hook:
        said.append(f"{field.hook.replace('_', ' ')} {', '.join(field.of)}".rstrip())
    if field.join:
        said.append("status words" if field.join == "record" else "status words and the status byte")
    if field.deprecated:
        said.append("an older name")
    return "; ".join(said)


def _where(where: Where) -> str:
    if where.header:
        return f"record {where.header.hex().upper()}"
    said = [" ".join((where.quantity, *sorted(where.qualifiers))).replace("_", " ")]
    if where.function is not Function.INSTANTANEOUS:
        said.append(str(where.function))
    places = (("storage", where.storage), ("tariff", where.tariff), ("subunit", where.subunit))
    said += [f"{name} {_numbers(numbers)}" for name, numbers in places if numbers != (0, 0)]
    if where.nth > 1:
        said.append(f"no. {where.nth}")
    return ", ".join(said)


def _numbers(numbers: Numbers) -> str:
    return f"{numbers.first} to {numbers.last}" if numbers.is_range else str(numbers.first)


def shown_fields(model: Model) -> list[Field]:
    """Give the fields that are told, each name once."""
    told = {field.name: field for field in model.fields if not field.hidden}
    return list(told.values())


def as_data(model: Model) -> dict[str, object]:
    """Give a model as JSON has it."""
    return {
        "name": model.name,
        "group": model.group,
        "media": list(model.media),
        "aliases": list(model.aliases),
        "identities": identities(model.detect),
        "fields": [
            {"name": field.name, "unit": field.unit or None, "from": described(field)}
            for field in shown_fields(model)
        ],
        "compact_layouts": [f"{layout.signature:04X}" for layout in model.layouts],
        "payload_reader": model.hook or None,
        "remarks": list(model.remarks),
        "provenance": provenance(model),
    }


# --- the page ------------------------------------------------------------------------------------

_HEAD = """\
# Supported meters

Made from the files in `decoders/models/` by `make docs`; a test holds it to them. A meter that is not in
the list is read as far as it sends records of the standard; its fields are named by rule. Manufacturer,
version and device type stand in every telegram (`nurt decode` shows them); in brackets: read by this model
if it is named. `nurt models NAME` says which record each field comes from.
"""


def markdown(models: Sequence[Model]) -> str:
    """Write the page of all models."""
    groups = groupby(sorted(models, key=lambda model: (model.group != "water", model.group)), key=_group)
    return "\n".join([_HEAD, *(line for name, members in groups for line in _section(name, list(members)))])


def _group(model: Model) -> str:
    return model.group


def _section(name: str, models: Sequence[Model]) -> Iterator[str]:
    yield f"## {name.capitalize()} ({len(models)})\n"
    yield "| model | media | meters | fields | read from |"
    yield "|---|---|---|---|---|"
    yield from map(_row, models)
    yield ""


def _row(model: Model) -> str:
    also = f" ({', '.join(model.aliases)})" if model.aliases else ""
    names = ", ".join(f"`{field.name}`" for field in shown_fields(model))
    form = "records and a payload of its own" if model.hook else "records"
    cells = (
        f"**{model.name}**{also}",
        ", ".join(model.media),
        ", ".join(identities(model.detect)) or "named only",
        names,
        form,
    )
    return f"| {' | '.join(cells)} |"
