"""Profiles: what a kind of gateway is told, one folder each below ``profiles/``.

``profile.toml`` names the files, the options with their defaults, the topics the gateway publishes on and the
adapter that reads them; the templates stand beside it. To support another firmware, add a folder.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from metering.errors import InvalidValue

__all__ = ["Option", "Profile", "ProfileFile", "Route", "profile_names", "profile_of", "profiles_folder"]

OptionValue = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen.

    Attributes:
        default: if nothing is said; its type is the option's.
        says: for people.
        choices: the only values there are; empty = any.
    """

    default: OptionValue
    says: str
    choices: tuple[str, ...] = ()

    def fault(self, value: object) -> str | None:
        """Say what is wrong with a value, if anything is."""
        kind = type(self.default)
        if isinstance(value, list | tuple):
            good = kind is tuple and all(isinstance(one, str) for one in value)
        else:
            good = type(value) is kind
        if not good:
            return f"must be {_KINDS[kind]}"
        if self.choices and value not in self.choices:
            return f"there are: {', '.join(self.choices)}"
        return None

    def parse(self, text: str) -> OptionValue:
        """Read a value as a person types it; what cannot be one is given as it is, for :meth:`fault`."""
        if isinstance(self.default, bool):
            return {"true": True, "false": False}.get(text, text)
        if isinstance(self.default, int) and text.isascii() and text.isdecimal():
            return int(text)
        return tuple(text.split(",")) if isinstance(self.default, tuple) else text


_KINDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    tuple: "a list of texts",
}


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """One file.

    Attributes:
        path: where it is written; ``{gateway}`` and ``{meter}`` stand for their names.
        template: beside ``profile.toml``.
        each_meter: one for each meter of the gateway.
        executable: a script.
        secret: it holds the broker's password.
    """

    path: str
    template: str
    each_meter: bool = False
    executable: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """What the service listens to: a topic filter and the adapter that reads it."""

    filter: str
    adapter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of gateway.

    Attributes:
        name: of its folder.
        says: for people.
        files: what is written.
        options: by name.
        routes: what the service listens to.
        writes: topic filters the gateway may publish on; ``{gateway}`` stands for its name.
        reads: topic filters it may subscribe to.
        gateway_name: pattern of names the firmware takes; narrower than ours.
        boards: values of the board of that name, for the templates.
    """

    name: str
    says: str
    files: Sequence[ProfileFile]
    options: Mapping[str, Option]
    routes: Sequence[Route]
    writes: Sequence[str]
    reads: Sequence[str]
    gateway_name: re.Pattern[str]
    boards: Mapping[str, Mapping[str, Any]]


def profiles_folder() -> Traversable:
    """Give the folder of all profiles."""
    return files("gateway_firmware_config") / "profiles"


@cache
def profile_names() -> tuple[str, ...]:
    """Give the names of all profiles, sorted."""
    return tuple(sorted(one.name for one in profiles_folder().iterdir() if one.is_dir()))


@cache
def profile_of(name: str) -> Profile:
    """Read a profile.

    Raises:
        InvalidValue: there is none of that name.
    """
    if name not in profile_names():
        raise InvalidValue(f"no profile {name!r}; there are: {', '.join(profile_names())}")
    said = tomllib.loads((profiles_folder() / name / "profile.toml").read_text(encoding="utf-8"))
    return Profile(
        name=name,
        says=said["says"],
        files=[_file(one) for one in said["file"]],
        options={option: _option(**fields) for option, fields in said.get("option", {}).items()},
        routes=[Route(**one) for one in said["topics"]],
        writes=said["writes"],
        reads=said.get("reads", []),
        gateway_name=re.compile(said.get("name", "[A-Za-z0-9_-]{1,64}"), re.ASCII),
        boards=said.get("board", {}),
    )


def _file(said: Mapping[str, Any]) -> ProfileFile:
    return ProfileFile(
        path=said["path"],
        template=said.get("template", f"{said['path']}.j2"),
        each_meter=said.get("each") == "meter",
        executable=said.get("executable", False),
        secret=said.get("secret", False),
    )


def _option(default: Any, says: str, choices: Sequence[str] = ()) -> Option:
    return Option(tuple(default) if isinstance(default, list) else default, says, tuple(choices))
