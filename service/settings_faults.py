"""What is wrong with settings, in sentences: where it stands, what it is, what it should be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.toml_lines import KeyPath

__all__ = ["environment_faults", "sentences"]


def sentences(wrong: ValidationError, model: type[BaseModel], origins: Mapping[KeyPath, str]) -> list[str]:
    """Tell every fault of a validation, by place.

    Values are never repeated: one of them may be a password.
    """
    faults = wrong.errors(include_url=False, include_input=False)
    return sorted((_sentence(fault, model, origins) for fault in faults), key=_by_line)


def _by_line(sentence: str) -> list[str]:
    """Order ``nurt.toml:9`` before ``nurt.toml:10``."""
    return [part.zfill(9) if part.isdigit() else part for part in re.split(r"(\d+)", sentence)]


def environment_faults(environment: Iterable[str], model: type[BaseModel], prefix: str) -> list[str]:
    """Tell variables meant as settings that name no section: ``NURT_WBE__PORT``, ``NURT_WEB_PORT``.

    Other variables with our prefix are left alone; they may belong to something else.
    """
    return list(_environment_faults(environment, model, prefix))


def _environment_faults(environment: Iterable[str], model: type[BaseModel], prefix: str) -> Iterator[str]:
    sections = list(model.model_fields)
    for variable in sorted(environment):
        name = variable.upper()
        section, nested, _ = name.removeprefix(prefix).lower().partition("__")
        if not name.startswith(prefix) or section in sections:
            continue
        if nested:
            yield f"environment {variable}: unknown section {section}{_hint(section, sections)}"
        elif (first := section.partition("_")[0]) in sections:
            rest = section.partition("_")[2]
            yield f"environment {variable}: did you mean {prefix}{first.upper()}__{rest.upper()}?"


def _sentence(fault: ErrorDetails, model: type[BaseModel], origins: Mapping[KeyPath, str]) -> str:
    way = fault["loc"]
    name = _dotted(way)
    where = _where(way, origins)
    if fault["type"] == "extra_forbidden":
        return f"{where}: unknown setting {name}{_hint(str(way[-1]), _siblings(model, way))}"
    if fault["type"] == "missing":
        return f"{where}: {name} is missing"
    return f"{where}: {name}: {_plain(fault['msg'])}"


def _where(way: KeyPath, origins: Mapping[KeyPath, str]) -> str:
    """Give the place of a setting, or of the nearest one around it."""
    for depth in range(len(way), 0, -1):
        if place := origins.get(way[:depth]):
            return place
    inside = (place for other, place in origins.items() if other[: len(way)] == way)
    return next(inside, "settings")


def _plain(message: str) -> str:
    message = (
        message.removeprefix("Value error, ").replace("Input should be", "must be").partition(", unable")[0]
    )
    return message[:1].lower() + message[1:]


def _dotted(way: KeyPath) -> str:
    """Write ``mqtt.topics[0].filter``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in way)
    return text.removeprefix(".")


def _hint(name: str, known: list[str]) -> str:
    if close := difflib.get_close_matches(name, known, n=1, cutoff=0.6):
        return f"; did you mean {close[0]}?"
    return f"; known here: {', '.join(known)}"


def _siblings(model: type[BaseModel], way: KeyPath) -> list[str]:
    """Give the settings known where an unknown one stands."""
    here = model
    for part in way[:-1]:
        if isinstance(part, str) and part in here.model_fields:  # else a name somebody chose, in a mapping
            here = next(iter(_models(here.model_fields[part].annotation)), here)
    return list(here.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Find the models in an annotation such as ``tuple[TopicRule, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
