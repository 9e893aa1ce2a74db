"""The utility of the settings, as the bridge knows it."""

from __future__ import annotations

from billing_bridge.utility import Utility
from service.settings_model import Settings

__all__ = ["utility_of"]


def utility_of(settings: Settings) -> Utility:
    """Give the utility as the bridge knows it."""
    return settings.billing.utility(settings.ingest.zone)
