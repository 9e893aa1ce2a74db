"""What a finding has cost so far: litres, and money where the price of water is set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from metering.finding import Finding
from service.anomaly_settings import AnomalySettings

__all__ = ["Loss", "Tariff", "loss_so_far", "tariff_of"]

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Tariff:
    """Price of water.

    Attributes:
        per_m3: price of a cubic metre.
        currency: its currency.
    """

    per_m3: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Loss:
    """An estimate of what was lost.

    Attributes:
        litres: since the onset.
        money: what they cost; ``None`` where no price is set.
        currency: its currency; empty where no price is set.
    """

    litres: int
    money: Decimal | None
    currency: str


def tariff_of(settings: AnomalySettings) -> Tariff | None:
    """Give the price of water that is set, if one is."""
    return Tariff(settings.water_per_m3, settings.currency) if settings.water_per_m3 else None


def loss_so_far(finding: Finding, now: datetime, tariff: Tariff | None) -> Loss | None:
    """Add to what was lost when the last tier was reached what ran at its rate since; ``None`` = no flow."""
    last = finding.stages[-1]
    if last.loss_l is None:
        return None
    seconds = max(((finding.cleared_at or now) - last.raised_at).total_seconds(), 0.0)
    litres = round(last.loss_l + (last.rate_lph or 0.0) * seconds / 3600)
    if tariff is None:
        return Loss(litres, None, "")
    return Loss(litres, (Decimal(litres) / 1000 * tariff.per_m3).quantize(_CENT), tariff.currency)
