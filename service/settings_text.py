"""Settings in force as TOML that could be read back, each with its origin, secrets hidden."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from pydantic import BaseModel, SecretStr

from service.settings import Effective
from service.settings_topics import TopicRule

__all__ = ["HIDDEN", "hide_password", "settings_toml"]

HIDDEN = "********"
"""Stands for a secret, whatever its length."""

_DERIVED = {
    ("store", "url"): "database",
    ("store", "master_key_file"): "master_key",
    ("mqtt", "port"): "broker_port",
}
"""Settings that follow from others while they are not set, and the property that tells what they are then."""

_URL_USER = re.compile(r"(?<=//)([^:/@]*):.*(?=@)")
_URL_QUERY = re.compile(r"(?i)(?<=[?&])((?:\w*password|\w*token)=)[^&]*")


def hide_password(url: str) -> str:
    """Give a URL without its password."""
    return _URL_QUERY.sub(rf"\1{HIDDEN}", _URL_USER.sub(rf"\1:{HIDDEN}", url))


def settings_toml(effective: Effective) -> str:
    """Write all settings as TOML, one a line, each with where it was said."""
    return "\n\n".join(_sections(effective)) + "\n"


def _sections(effective: Effective) -> Iterator[str]:
    for name in type(effective.settings).model_fields:
        section: BaseModel = getattr(effective.settings, name)
        lines = [_entry(key, _in_force(name, section, key)) for key in type(section).model_fields]
        origins = [effective.origins.get((name, key), "default") for key in type(section).model_fields]
        yield "\n".join([f"[{name}]", *_aligned(lines, origins)])


def _in_force(name: str, section: BaseModel, key: str) -> object:
    value = getattr(section, key)
    derived = _DERIVED.get((name, key))
    return getattr(section, derived) if value is None and derived else value


def _aligned(lines: Sequence[str], origins: Sequence[str]) -> Iterator[str]:
    """Put the origins in one column, as far as the lines allow."""
    width = min(48, max(len(line) for line in lines))
    for line, origin in zip(lines, origins, strict=True):
        first, newline, rest = line.partition("\n")
        yield f"{first:<{width}}  # {origin}{newline}{rest}"


def _entry(key: str, value: object) -> str:
    return f"# {key} is not set" if value is None else f"{key} = {_toml(key, value)}"


def _toml(key: str, value: object) -> str:
    match value:
        case SecretStr():
            return f'"{HIDDEN}"'
        case bool():
            return str(value).lower()
        case int() | float() | Decimal():
            return str(value)
        case tuple():
            return "[\n" + "".join(f"  {_inline(item)},\n" for item in value) + "]"
        case list() | dict():
            return _nested(key, value)
        case _:
            return _quoted(hide_password(str(value)) if key == "url" else str(value))


def _inline(item: TopicRule) -> str:
    """Write an element of a list in one line, without what it does not say."""
    plain = item.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    always: Mapping[str, object] = {key: getattr(item, key) for key in ("filter", "adapter", "gateway")}
    return _table({**always, **plain})


def _nested(key: str, value: list[object] | dict[str, object]) -> str:
    return _table(value) if isinstance(value, dict) else f"[{', '.join(_toml(key, item) for item in value)}]"


def _table(said: Mapping[str, object]) -> str:
    return "{ " + ", ".join(f"{key} = {_toml(key, value)}" for key, value in said.items()) + " }"


def _quoted(text: str) -> str:
    """Write a basic string; its escapes are those of JSON, and DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
