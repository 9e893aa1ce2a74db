"""Profiles: what a kind of gateway is told, one folder each below ``profiles/``.

``profile.toml`` names the files, the options with their defaults, the topics the gateway publishes on and the
adapter that reads them; the templates stand beside it. To support another firmware, add a folder.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from gateway_firmware_config.options import Option
from metering.errors import InvalidValue

__all__ = [
    "Profile",
    "ProfileFile",
    "Route",
    "profile_names",
    "profile_of",
    "profiles_folder",
    "read_profile",
]

_KEYS: Mapping[str, Collection[str]] = {
    "": (
        *("says", "topics", "writes", "reads", "name", "boards", "chooser", "password", "push"),
        *("file", "option", "board"),
    ),
    "file": ("path", "template", "each", "executable", "secret", "keys"),
    "option": ("default", "says", "choices", "required", "pattern"),
    "push": ("topic", "template"),
    "topics": ("filter", "adapter", "gateway", "codec", "unit"),
}
"""Keys of ``profile.toml``, at its top and in its tables."""


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """One file.

    Attributes:
        path: where it is written; ``{gateway}``, ``{meter}`` and names of options stand for themselves.
        template: beside ``profile.toml``.
        each_meter: one for each meter of the gateway.
        executable: a script.
        secret: it holds the broker's password.
        keys: it may hold a meter's key, if that was asked for.
    """

    path: str
    template: str
    each_meter: bool = False
    executable: bool = False
    secret: bool = False
    keys: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """What the service listens to: a topic filter, the adapter that reads it, and what that needs to know."""

    filter: str
    adapter: str
    gateway: str = ""
    codec: str = ""
    unit: str = ""


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
        chooser: the option that names the board.
        password: where the password at the broker belongs on the gateway, for people.
        push: commands that can be sent to a running gateway over MQTT: topic and template of each.
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
    chooser: str
    password: str
    push: Sequence[tuple[str, str]]


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
        InvalidValue: there is none of that name, or something in it is wrong.
    """
    if name not in profile_names():
        raise InvalidValue(f"no profile {name!r}; there are: {', '.join(profile_names())}")
    return read_profile(name, profiles_folder())


def read_profile(name: str, folder: Traversable) -> Profile:
    """Read a profile from a folder of profiles.

    Raises:
        InvalidValue: something in it is unknown, missing or wrong; told with file and line.
    """
    where = f"{name}/profile.toml"
    text = (folder / name / "profile.toml").read_text(encoding="utf-8")
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise InvalidValue(f"{where}: {wrong}") from wrong
    _demand_known_keys(said, text, where)
    boards = tomllib.loads((folder / said["boards"]).read_text(encoding="utf-8")) if "boards" in said else {}
    return Profile(
        name=name,
        says=said["says"],
        files=[_file(one) for one in said["file"]],
        options={key: Option.of(**fields) for key, fields in said.get("option", {}).items()},
        routes=[Route(**one) for one in said["topics"]],
        writes=said["writes"],
        reads=said.get("reads", []),
        gateway_name=re.compile(said.get("name", "[A-Za-z0-9_-]{1,64}"), re.ASCII),
        boards=boards | said.get("board", {}),
        chooser=said.get("chooser", "board"),
        password=said["password"],
        push=[(one["topic"], one["template"]) for one in said.get("push", ())],
    )


def _file(said: Mapping[str, Any]) -> ProfileFile:
    return ProfileFile(
        path=said["path"],
        template=said.get("template", f"{said['path']}.j2"),
        each_meter=said.get("each") == "meter",
        executable=said.get("executable", False),
        secret=said.get("secret", False),
        keys=said.get("keys", False),
    )


def _demand_known_keys(said: Mapping[str, Any], text: str, where: str) -> None:
    """Raise InvalidValue for a key that is misspelt or missing."""
    tables = [
        ("", said),
        *(("file", one) for one in said.get("file", ())),
        *(("option", one) for one in said.get("option", {}).values()),
        *(("topics", one) for one in said.get("topics", ())),
        *(("push", one) for one in said.get("push", ())),
    ]
    for table, fields in tables:
        for key in fields:
            if key not in _KEYS[table]:
                close = difflib.get_close_matches(key, _KEYS[table], n=1)
                hint = f"; did you mean {close[0]}?" if close else f"; known: {', '.join(_KEYS[table])}"
                raise InvalidValue(f"{where}:{_line(text, key)}: unknown key {key}{hint}")
    if missing := [key for key in ("says", "topics", "writes", "password", "file") if key not in said]:
        raise InvalidValue(f"{where}: {missing[0]} is missing")


def _line(text: str, key: str) -> int:
    """Give the first line a key stands on, as a key or in the name of a table."""
    pattern = re.compile(rf"^\s*(?:\{{\s*)?(?:\[+\s*)?{re.escape(key)}\b|[{{,]\s*{re.escape(key)}\s*=")
    return next((n for n, line in enumerate(text.splitlines(), 1) if pattern.search(line)), 1)
