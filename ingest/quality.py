"""Quality codes of what comes in."""

from __future__ import annotations

from metering.reading import Function, Quality
from metering.uplink import Reception

__all__ = ["quality_of"]


def quality_of(function: Function, reception: Reception, *, dated: bool) -> Quality:
    """Judge what the protocol can tell.

    The gateway's clock matters where the reading's time comes from the reception, and the reception did not
    reach us at once: what is live has our own time to go by.
    """
    if function is Function.ERROR:
        return Quality.METER_ERROR
    late = reception.history or reception.redelivered
    if late and not dated and not reception.clock.trusted:
        return Quality.CLOCK_UNSURE
    return Quality.RAW
