"""The customers' side made of the settings."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import FastAPI

from metering.ports import Clock, Store
from service.billing_self_reading import SelfReadings
from service.customers.app import customer_app
from service.customers.door import Door
from service.customers.site import CustomerSite
from service.customers.token import read_secrets
from service.settings_model import Settings

__all__ = ["make_customers"]


def make_customers(settings: Settings, store: Store, clock: Clock) -> FastAPI | None:
    """Make the customers' pages; ``None`` if no portal has a secret.

    Raises:
        SettingsError: the secrets cannot be read.
    """
    mine = settings.customers
    if mine.key_file is None:
        return None
    zone = settings.ingest.zone
    door = Door(
        store=store,
        secrets=read_secrets(mine.key_file),
        clock=clock,
        utility=settings.billing.utility(zone),
        zone=ZoneInfo(zone),
        hourly_months=mine.hourly_months,
        looks_months=mine.looks_months,
    )
    readings = SelfReadings(store, settings, clock)
    return customer_app(CustomerSite(door, readings, mine.language, mine.embed, mine.title, clock.now))
