"""Every word on a page comes from one catalogue per language: ``locales/<language>.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources

__all__ = ["Catalogue", "load"]


class Catalogue:
    """Texts of one language by dotted key, ``meters.title``.

    A missing key is a fault of the program and raises ``KeyError``: a test walks all keys in use.
    """

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self.texts = dict(texts)

    def __call__(self, key: str, **values: object) -> str:
        """Give a text, with its ``{names}`` filled in."""
        text = self.texts[key]
        return text.format(**values) if values else text

    def get(self, key: str, default: str) -> str:
        """Give a text that belongs to a code from outside (a reason), or the code itself."""
        return self.texts.get(key, default)


def load(language: str = "en") -> Catalogue:
    """Read the catalogue of a language that is shipped with the program."""
    source = resources.files("service.web").joinpath("locales", f"{language}.toml")
    return Catalogue(language, dict(_flat(tomllib.loads(source.read_text(encoding="utf-8")))))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
