"""A look through the stored keys: what is seldom meant is told, no key ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from metering.meter import MeterId
from metering.ports import Keyring
from service.imports.keys import KeyRow, doubts_of_key

__all__ = ["look_through"]

_PAGE = 500
_SHOWN = 5


@dataclass(slots=True)
class _Found:
    """How many meters something was found of, and the first of them."""

    number: int = 0
    first: list[MeterId] = field(default_factory=list)

    def add(self, meter: MeterId) -> None:
        self.number += 1
        if len(self.first) < _SHOWN:
            self.first.append(meter)

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.first)) + ", ..." * (self.number > _SHOWN)
        return f"{self.number} meter{'s' * (self.number > 1)} ({shown})"


def look_through(keyring: Keyring) -> tuple[int, list[str]]:
    """Give how many meters have keys, and what is doubtful.

    Raises:
        KeyringError: a key cannot be opened.
    """
    number, last = 0, None
    shared: dict[bytes, _Found] = {}
    doubtful: dict[str, _Found] = {}
    while page := keyring.having_keys(after=last, limit=_PAGE):
        for meter, keys in keyring.keys(page).items():
            for key in dict.fromkeys(keys):
                shared.setdefault(blake2b(key, digest_size=16).digest(), _Found()).add(meter)
                for doubt in doubts_of_key(KeyRow(0, meter, key)):
                    doubtful.setdefault(doubt, _Found()).add(meter)
        number, last = number + len(page), page[-1]
    said = [f"{found}: {doubt}" for doubt, found in doubtful.items()]
    often = sorted(shared.values(), key=lambda found: found.number, reverse=True)
    said += [f"{found} share one key" for found in often if found.number > 1]
    return number, said
