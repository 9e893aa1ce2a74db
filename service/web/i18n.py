"""Every word on a page comes from one catalogue per language: ``locales/<language>.toml``."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources

__all__ = ["LANGUAGES", "Catalogue", "chosen", "load"]

LANGUAGES = ("pl", "ro", "en")
_USUAL = "en"


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


@functools.cache
def load(language: str = _USUAL) -> Catalogue:
    """Read the catalogue of a language that is shipped with the program.

    What another language lacks is said in English; what English lacks nobody asks for.
    """
    source = resources.files("service.web").joinpath("locales", f"{language}.toml")
    own = dict(_flat(tomllib.loads(source.read_text(encoding="utf-8"))))
    if language == _USUAL:
        return Catalogue(language, own)
    return Catalogue(language, {key: own.get(key, text) for key, text in load().texts.items()})


def chosen(said: str, accepted: str) -> Catalogue:
    """Give the language somebody chose, else the first one their browser accepts that there is.

    Args:
        said: ``pl``, ``ro``, ``en``, or anything else.
        accepted: an Accept-Language header (RFC 9110, 12.5.4); its order counts, not its weights, which
            browsers write in the same order.
    """
    wanted = (said, *(part.partition(";")[0].strip()[:2].lower() for part in accepted[:200].split(",")))
    return load(next((one for one in wanted if one in LANGUAGES), _USUAL))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
