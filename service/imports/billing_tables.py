"""Which tables of billing there are: apart, so that the command line need not know how they are read."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["What"]


class What(StrEnum):
    """Which table."""

    TENANCIES = "tenancies"
    DEDUCTIONS = "deductions"
    METERS = "meters"
    PROTOCOLS = "protocols"
    LOGS = "logs"
