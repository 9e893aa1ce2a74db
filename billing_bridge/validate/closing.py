"""R7, R13-R18: what must be in order when a period closes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from billing_bridge.quality import Cim
from billing_bridge.validate.cases import PeriodCase
from billing_bridge.validate.outcome import NotRun, Passed, Raised, Result
from billing_bridge.validate.rule import NoParameters

__all__ = [
    "MainAndSubsParameters",
    "ProlongedParameters",
    "SumParameters",
    "WindowParameters",
    "boundary_window",
    "device_alarm",
    "main_and_subs",
    "meter_exchange",
    "prolonged_estimation",
    "sum_check",
    "verification_expired",
]

_ALARM_CODES = {
    "tamper": Cim.TAMPER,
    "magnet": Cim.TAMPER,
    "removal": Cim.TAMPER,
    "reverse": Cim.REVERSE_ROTATION,
    "sensor": Cim.SENSOR_FAILURE,
    "fault": Cim.SENSOR_FAILURE,
    "battery": Cim.BATTERY_LOW,
}


@dataclass(frozen=True, slots=True)
class ProlongedParameters:
    """R13."""

    periods: int = 2
    without_actual: timedelta = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class SumParameters:
    """R15."""

    resolutions: Decimal = Decimal(1)
    """Tolerance per interval, in steps of the register."""
    share: Decimal = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class WindowParameters:
    """R16."""

    radio: timedelta = timedelta(days=1)
    manual: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class MainAndSubsParameters:
    """R18."""

    ratio: Decimal = Decimal("1.05")


def meter_exchange(case: PeriodCase, _parameters: NoParameters) -> Result:
    """R7: both indices of every exchange must be on its protocol."""
    if not case.exchanges:
        return NotRun("no meter was exchanged in this period")
    lacking = sum(not complete for complete in case.exchanges)
    if not lacking:
        return Passed()
    told = {"exchanges": str(len(case.exchanges)), "without_index": str(lacking)}
    return Raised("A meter was exchanged and its closing or opening index is missing.", told)


def prolonged_estimation(case: PeriodCase, parameters: ProlongedParameters) -> Result:
    """R13: nobody has seen the meter for too long; somebody has to go there."""
    since = None if case.last_actual is None else case.end - case.last_actual
    told = {
        "estimated_periods": str(case.estimated_periods),
        "last_actual": "never" if case.last_actual is None else case.last_actual.isoformat(),
    }
    if case.estimated_periods >= parameters.periods or since is None or since > parameters.without_actual:
        return Raised("Estimated for too long; send a reader.", told)
    return Passed()


def device_alarm(case: PeriodCase, _parameters: NoParameters) -> Result:
    """R14: what the device itself complained of since the last read."""
    if case.alarms is None:
        return NotRun("the device tells no alarms: pulse inputs have no way to")
    if not case.alarms:
        return Passed()
    codes = [code for word, code in _ALARM_CODES.items() if any(word in name for name in case.alarms)]
    told = {"alarms": ", ".join(sorted(case.alarms))}
    return Raised("The device raised an alarm.", told, cim=codes[0] if codes else None)


def sum_check(case: PeriodCase, parameters: SumParameters) -> Result:
    """R15: do the intervals add up to the difference of the indices?"""
    if case.intervals_m3 is None or case.index_delta_m3 is None:
        return NotRun(
            "there are no intervals with indices at their ends: the meter sends no values of its own log"
            " (register volume/s1) for both ends of the period; `nurt billing import logs` takes them in"
        )
    total = sum(case.intervals_m3, Decimal(0))
    off = abs(total - case.index_delta_m3)
    steps = parameters.resolutions * case.resolution_m3 * len(case.intervals_m3)
    if off <= max(steps, parameters.share * abs(case.index_delta_m3)):
        return Passed()
    told = {"intervals_m3": str(total), "index_delta_m3": str(case.index_delta_m3), "off_m3": str(off)}
    return Raised("The intervals do not add up to the difference of the indices.", told)


def boundary_window(case: PeriodCase, parameters: WindowParameters) -> Result:
    """R16: a read near enough to both ends of the period."""
    window = parameters.manual if case.manual else parameters.radio
    ends = {"start": case.opening_off, "end": case.closing_off}
    missing = [name for name, off in ends.items() if off is None or abs(off) > window]
    if not missing:
        return Passed()
    told = {"missing_at": ", ".join(missing), "window_h": str(int(window / timedelta(hours=1)))}
    return Raised("There is no read near an end of the period.", told)


def verification_expired(case: PeriodCase, _parameters: NoParameters) -> Result:
    """R17: legalization of this meter, and of each meter behind it, on the day of the closing read."""
    known = [("this meter", case.legal_until), *((str(one.meter), one.legal_until) for one in case.subs)]
    if all(until is None for _name, until in known):
        return NotRun("no legalization is on record")
    expired = {name: until.isoformat() for name, until in known if until and until < case.closing_day}
    if not expired:
        return Passed()
    told = {"closing_day": case.closing_day.isoformat(), **expired}
    return Raised("The legalization had expired when the meter was read.", told)


def main_and_subs(case: PeriodCase, parameters: MainAndSubsParameters) -> Result:
    """R18: the meters behind a meter cannot pass more than it does."""
    if not case.subs:
        return NotRun("there is no meter behind this one")
    if case.volume_m3 is None:
        return NotRun("the volume is not known")
    behind = sum((one.volume_m3 for one in case.subs), Decimal(0))
    if behind <= parameters.ratio * case.volume_m3:
        return Passed()
    told = {"main_m3": str(case.volume_m3), "subs_m3": str(behind)}
    return Raised("The meters behind passed more than the main meter.", told)
