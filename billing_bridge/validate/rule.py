"""A rule: what it means, what it can be set to, and the function that judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Generic, TypeVar

from billing_bridge.duration import read_duration
from billing_bridge.quality import Cim, Espi
from billing_bridge.validate.outcome import NotRun, Outcome, Passed, Raised, Result, Severity, Verdict
from metering.errors import InvalidValue

__all__ = ["NoParameters", "Policy", "Rule", "apply", "passed"]

Case = TypeVar("Case")
Parameters = TypeVar("Parameters")


@dataclass(frozen=True, slots=True)
class NoParameters:
    """Of rules that have nothing to set."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[Case, Parameters]):
    """One rule.

    Attributes:
        id: ``R9``.
        name: two or three words.
        meaning: one sentence for people.
        severity: what raising it means, unless the result says otherwise.
        cim: IEC 61968-9 code of what it raises.
        judge: the rule itself, pure.
        defaults: its parameters where the utility sets none.
        espi: ESPI quality of what it raises.
    """

    id: str
    name: str
    meaning: str
    severity: Severity
    cim: Cim
    judge: Callable[[Case, Parameters], Result]
    defaults: Parameters
    espi: Espi = Espi.QUESTIONABLE


@dataclass(frozen=True, slots=True)
class Policy:
    """A utility's settings of the rules, for all customers and for classes of them.

    Attributes:
        everywhere: ``{"R9": {"ratio": "3"}}``: values as text, as in a settings file.
        by_class: the same per customer class; what it does not say is as everywhere.
    """

    everywhere: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_class: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    _read: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def parameters(self, rule: Rule[Any, Parameters], customer_class: str = "") -> Parameters:
        """Give the parameters of a rule.

        Raises:
            InvalidValue: a name or value that the rule does not know.
        """
        key = rule.id, customer_class if customer_class in self.by_class else ""
        if (known := self._read.get(key)) is None:
            special = self.by_class.get(customer_class, {}).get(rule.id, {})
            known = self._read[key] = _with(rule, {**self.everywhere.get(rule.id, {}), **special})
        read: Parameters = known
        return read

    def check(self, rules: Iterable[Rule[Any, Any]]) -> None:
        """Say whether every setting is one of a rule.

        Raises:
            InvalidValue: one is not; the sentence names rule and setting.
        """
        known = {rule.id: rule for rule in rules}
        for where in (self.everywhere, *self.by_class.values()):
            for name, said in where.items():
                if name not in known:
                    raise InvalidValue(f"there is no rule {name!r}; see `nurt billing rules`")
                _with(known[name], said)


def apply(rule: Rule[Case, Any], case: Case, policy: Policy, customer_class: str = "") -> Outcome:
    """Ask one rule."""
    result = rule.judge(case, policy.parameters(rule, customer_class))
    match result:
        case NotRun(reason):
            return Outcome(rule.id, Verdict.NOT_RUN, sentence=reason)
        case Passed():
            return passed(rule.id)
        case Raised(sentence, evidence, severity, cim):
            told, code = severity or rule.severity, cim or rule.cim
            return Outcome(rule.id, Verdict.RAISED, told, sentence, code, rule.espi, evidence)


@cache
def passed(rule: str) -> Outcome:
    """Give the outcome of a rule that has nothing to say: one object for all."""
    return Outcome(rule, Verdict.PASSED, cim=Cim.VALIDATED, espi=Espi.VALIDATED)


def _with(rule: Rule[Any, Parameters], said: Mapping[str, str]) -> Parameters:
    if not said:
        return rule.defaults
    defaults: Any = rule.defaults
    known = {one.name: getattr(defaults, one.name) for one in fields(defaults)}
    for name in said:
        if name not in known:
            raise InvalidValue(f"rule {rule.id} has no setting {name!r}; it has {', '.join(known) or 'none'}")
    changed: Parameters = replace(
        defaults, **{name: _read(f"{rule.id}.{name}", text, known[name]) for name, text in said.items()}
    )
    return changed


def _read(name: str, text: str, default: object) -> object:
    """Read a value of the kind its default has."""
    if isinstance(default, timedelta):
        try:
            return read_duration(text)
        except InvalidValue as wrong:
            raise InvalidValue(f"{name} = {wrong}") from None
    number = _number(text)
    whole = isinstance(default, int)
    if number is None or (whole and number % 1):
        expected = "a whole number, 0 or more" if whole else "a number, 0 or more"
        raise InvalidValue(f"{name} = {text!r}: expected {expected}")
    return int(number) if whole else number


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 else None
