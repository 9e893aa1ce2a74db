"""Quality codes on billing data: IEC 61968-9 ReadingQualityType and ESPI QualityOfReading.

Source: IEC 61968-9 annex on reading qualities (``system.category.index``); NAESB REQ.21 (ESPI 4.0).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = ["Cim", "Espi"]


class Cim(StrEnum):
    """``system.category.index``; system 3 = MDM (we), 5 = external."""

    VALIDATED = "3.0.1"
    CLOCK_ERROR = "3.1.9"
    DIAGNOSTICS = "3.1.0"
    BATTERY_LOW = "3.1.1"
    SENSOR_FAILURE = "3.1.3"
    TAMPER = "3.3.0"
    REVERSE_ROTATION = "3.3.4"
    OVERFLOW = "3.4.1"
    PARTIAL_INTERVAL = "3.4.2"
    LONG_INTERVAL = "3.4.3"
    CONFIGURATION_CHANGED = "3.4.6"
    CUSTOMER_READ = "5.4.130"
    MANUAL_READ = "5.4.131"
    OUT_OF_RANGE = "3.5.256"
    SUSPECT = "3.5.258"
    KNOWN_MISSING = "3.5.259"
    VALIDATION = "3.6.0"
    ZERO_USAGE = "3.6.1"
    INACTIVE_USAGE = "3.6.2"
    USAGE_ABOVE_PERCENT = "3.6.5"
    USAGE_BELOW_PERCENT = "3.6.6"
    EDITED = "3.7.0"
    REJECTED = "3.7.3"
    ESTIMATED = "3.8.0"


class Espi(IntEnum):
    """QualityOfReading."""

    VALID = 0
    MANUALLY_EDITED = 7
    ESTIMATED_REFERENCE_DAY = 8
    ESTIMATED_LINEAR = 9
    QUESTIONABLE = 10
    DERIVED = 11
    PROJECTED = 12
    MIXED = 13
    RAW = 14
    OTHER = 16
    VALIDATED = 17
    VERIFIED = 18
    """Failed a check, but a person confirmed that it is real."""
    REVENUE_QUALITY = 19
