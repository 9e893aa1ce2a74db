"""A look through the stored keys: what is seldom meant is told, no key ever."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

from metering.meter import MeterId
from metering.ports import Keyring
from service.imports.keys import KeyRow, doubts_of_key

__all__ = ["look_through"]

_PAGE = 500
_SHOWN = 5


def look_through(keyring: Keyring) -> tuple[int, list[str]]:
    """Give how many meters have keys, and what is doubtful.

    Raises:
        KeyringError: a key cannot be opened.
    """
    number, last = 0, None
    shared: Counter[bytes] = Counter()
    doubtful: dict[str, list[MeterId]] = {}
    while page := keyring.having_keys(after=last, limit=_PAGE):
        for meter, keys in keyring.keys(page).items():
            for key in dict.fromkeys(keys):
                shared[blake2b(key, digest_size=16).digest()] += 1
                for doubt in doubts_of_key(KeyRow(0, meter, key)):
                    doubtful.setdefault(doubt, []).append(meter)
        number, last = number + len(page), page[-1]
    said = [f"{len(meters)} meters ({_some(meters)}): {doubt}" for doubt, meters in doubtful.items()]
    said += [f"{times} meters share one key" for _, times in shared.most_common() if times > 1]
    return number, said


def _some(meters: list[MeterId]) -> str:
    return ", ".join(map(str, meters[:_SHOWN])) + (", ..." if len(meters) > _SHOWN else "")
