"""What a register can do, and what is said of readings that do not follow it: the words of ``settle``."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from metering.consumption.points import IndexPoint

__all__ = ["Break", "BreakKind", "Limits", "Reason", "SetAside", "Settled"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a register can do, all in its own unit.

    Attributes:
        rate: the most it can rise in an hour, and fall at once (Q4 of ISO 4064-1); ``None`` = any fall and
            any rise is possible, and only a person or an exchange ends a line.
        tremor: falls up to this are the little that comes back through every pipe; never suspicious.
        spike: a fall of this size or more that undoes what the readings just before it rose, or that the
            readings just after it undo, shows a wrong reading rather than water running back.
        wraps_at: the value at which the register begins anew at zero: 10 to the number of its digits, or
            2 to the number of its bits times the pulse weight; ``None`` = not known.
    """

    rate: Decimal | None = None
    tremor: Decimal = Decimal(0)
    spike: Decimal = Decimal(0)
    wraps_at: Decimal | None = None

    @classmethod
    def of_water_m3(cls, *, q3_m3h: Decimal | None = None, digits: int | None = None) -> Limits:
        """Give the limits of a water meter's index in m3.

        Q4 is 1.25 Q3 (ISO 4064-1, 4.1.3); without a known Q3 it is taken as 4 m3/h. Falls of up to 10 L are
        tremor, from 100 L on they can be spikes.

        Args:
            q3_m3h: permanent flow rate, from the dial.
            digits: digits of the register for whole cubic metres; ``None`` = not known.
        """
        rate = Decimal("1.25") * q3_m3h if q3_m3h else Decimal(4)
        wraps_at = None if digits is None else Decimal(10) ** digits
        return cls(rate, Decimal("0.010"), Decimal("0.100"), wraps_at)

    @classmethod
    def of_pulses(cls, *, litres_per_pulse: Decimal, bits: int | None = None) -> Limits:
        """Give the limits of an index in m3 that an input counts in pulses.

        Args:
            litres_per_pulse: pulse weight.
            bits: width of the counter that wraps; ``None`` = not known.
        """
        water = cls.of_water_m3()
        wraps_at = None if bits is None else 2**bits * litres_per_pulse.scaleb(-3)
        return cls(water.rate, max(water.tremor, litres_per_pulse.scaleb(-3)), water.spike, wraps_at)


class Reason(StrEnum):
    """Why a reading was set aside."""

    REPEATED = "repeated"
    """The same moment and value once more."""
    CONTRADICTED = "contradicted"
    """Another value of the same moment fits the readings around it better, or as well and is lower."""
    MISTIMED = "mistimed"
    """A value of this line at a moment that cannot be its own (a clock was set, a batch came with wrong
    times), or a moment days after it arrived."""
    OUTLIVED = "outlived"
    """The readings before and after agree with each other and not with this one."""
    HELD = "held"
    """Newer than all that is settled, and nothing corroborates it yet."""
    NOT_INSTALLED = "not installed"
    """Outside the time its meter hung there."""


class BreakKind(StrEnum):
    """Where the register did not simply go on."""

    ROLL_OVER = "roll-over"
    """It began anew at zero after its highest value; the line goes on."""
    ROLL_BACK = "roll-back"
    """It fell below zero to its highest value; the line goes on."""
    EXCHANGE = "exchange"
    """Another meter took over, with both indices known; the line goes on."""
    OPEN_EXCHANGE = "open exchange"
    """Another meter took over and an index is not known; what passed around it is unknown."""
    RESET = "reset"
    """A lower state that later readings corroborate; what passed between is unknown."""
    JUMP = "jump"
    """A state higher than water can have made it, corroborated; what passed between is unknown."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A reading that does not count, and the settled ones beside it as evidence."""

    point: IndexPoint
    reason: Reason
    before: IndexPoint | None
    after: IndexPoint | None


@dataclass(frozen=True, slots=True)
class Break:
    """Two neighbouring settled readings between which the register did not simply go on."""

    kind: BreakKind
    closing: IndexPoint
    opening: IndexPoint


@dataclass(frozen=True, slots=True)
class Settled:
    """A series sorted out; nothing of it is lost: every reading is on a line or set aside.

    Attributes:
        lines: readings strictly increasing in time; totals of one line may be subtracted, those of two not.
        breaks: by time.
        set_aside: by time.
    """

    lines: tuple[tuple[IndexPoint, ...], ...]
    breaks: tuple[Break, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
