"""False-discovery control: of all that is improbable on one day, how much is worth telling?

Among a million meters a hundred have a day that happens to one in ten thousand. Benjamini and Hochberg (1995)
tell the largest set of which, on average, at most a share ``q`` is chance. The procedure needs all p-values
up to ``q`` and the number of tests, no more: tests may be made anywhere and their results put together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np

from anomaly.series import Flags, Floats

__all__ = ["Candidate", "Q", "Tested", "accepted", "discoveries", "upper_tail_t4"]

Q = 0.1
"""Share of the told that may be chance."""


class Candidate(Protocol):
    """A test whose result is improbable enough to be looked at."""

    @property
    def family(self) -> Hashable:
        """The tests it is judged with: what was tested, class and day."""

    @property
    def p(self) -> float:
        """Chance of a result as extreme as this one."""


C = TypeVar("C", bound=Candidate)


@dataclass(slots=True)
class Tested(Generic[C]):
    """Tests of some meters: how many of each family, and those with a p-value up to ``Q``."""

    tests: Counter[Hashable] = field(default_factory=Counter)
    candidates: list[C] = field(default_factory=list)

    def add(self, other: Tested[C]) -> None:
        """Take in the tests of other meters."""
        self.tests.update(other.tests)
        self.candidates += other.candidates


def discoveries(tested: Tested[C], q: float = Q) -> Iterator[C]:
    """Give the candidates to be told, family by family."""
    for family, group in _by_family(tested.candidates).items():
        told = accepted(np.array([one.p for one in group]), tested.tests[family], q)
        yield from (one for one, good in zip(group, told, strict=True) if good)


def accepted(p: Floats, tests: int, q: float = Q) -> Flags:
    """Give which of the smallest p-values of so many tests are discoveries (Benjamini-Hochberg)."""
    order = np.argsort(p, kind="stable")
    below = np.flatnonzero(p[order] <= q * np.arange(1, len(p) + 1) / max(tests, 1))
    told = np.zeros(len(p), np.bool_)
    if len(below):
        told[order[: below[-1] + 1]] = True
    return told


def _by_family(candidates: Iterable[C]) -> Mapping[Hashable, list[C]]:
    groups: dict[Hashable, list[C]] = defaultdict(list)
    for one in candidates:
        groups[one.family].append(one)
    return groups


def upper_tail_t4(t: Floats) -> Floats:
    """Give the chance of more than ``t`` under Student's distribution with 4 degrees of freedom.

    Use has heavier tails than the normal distribution: these are about those of real households' nights.
    """
    share = t / np.sqrt(4 + t * t)
    return np.asarray(0.5 - 0.75 * share + 0.25 * share**3)
