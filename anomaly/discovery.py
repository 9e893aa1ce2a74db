"""False-discovery control: of all that is improbable on one day, how much is worth telling?

Among a million meters a hundred have a day that happens to one in ten thousand. Benjamini and Hochberg (1995)
tell the largest set of which, on average, at most a share ``q`` is chance. The procedure needs all p-values
up to ``q`` and the number of tests, no more: tests may be made anywhere and their results put together.

It holds only if p-values are what they say. How often each was reached by the whole fleet on the days before
is known, so a p-value that comes more often than it should is corrected by as much (:class:`Calibration`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np

from anomaly.series import Flags, Floats

__all__ = ["Calibration", "Candidate", "Q", "Tested", "accepted", "discoveries", "upper_tail_t3"]

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

EDGES = 0.1 * 10.0 ** (-np.arange(48) / 4)
"""p-values at which the fleet's past is counted, falling from 0.1 to below 1e-12."""
PRIOR = 2.0
"""Results, as many as expected, a p-value is believed with before the fleet showed any."""
MANY = 20
"""Results of the fleet that need no belief beside them."""


@dataclass(slots=True)
class Calibration:
    """How often results were as improbable as they said, over all tests of the days before.

    Attributes:
        tests: made so far.
        reached: results up to each of ``EDGES`` so far.
    """

    tests: int = 0
    reached: Floats = field(default_factory=lambda: np.zeros(len(EDGES)))

    def corrected(self, p: Floats) -> Floats:
        """Give the p-values as they proved to be; never smaller than they say."""
        expected, prior = self.tests * EDGES, np.where(self.reached >= MANY, 0.0, PRIOR)
        factor = np.maximum((self.reached + prior) / np.maximum(expected + prior, 1e-300), 1.0)
        proved = np.maximum.accumulate((factor * EDGES)[::-1])
        at = np.log(np.clip(p, EDGES[-1], EDGES[0]))
        drawn = np.exp(np.interp(at, np.log(EDGES[::-1]), np.log(proved)))
        drawn *= np.minimum(p / EDGES[-1], 1.0)
        return np.asarray(np.clip(drawn, p, 1.0), np.float64)

    def take_in(self, p: Floats, tests: int) -> None:
        """Count the results of a day."""
        self.tests += tests
        self.reached += (p[:, None] <= EDGES).sum(axis=0)


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


def upper_tail_t3(t: Floats) -> Floats:
    """Give the chance of more than ``t`` under Student's distribution with 3 degrees of freedom.

    Use has heavier tails than the normal distribution: these are about those of real households' days.
    """
    x = t / np.sqrt(3)
    return np.asarray((np.arctan2(1.0, x) - x / (1 + x * x)) / np.pi)
