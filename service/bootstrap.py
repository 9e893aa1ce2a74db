"""Puts the web application together: settings, store and intake in. Nothing starts here."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from ingest.intake import Intake
from metering.ports import Clock, Store
from service.anomaly_money import tariff_of
from service.billing_utility import utility_of
from service.customers.wiring import make_customers
from service.fleet_source import FleetSource
from service.operators.wiring import gate_of
from service.settings_model import Settings
from service.web.app import create_app
from service.web.context import IngestStatus

__all__ = ["make_web", "status_of"]


def make_web(settings: Settings, store: Store, clock: Clock, intake: Intake | None) -> FastAPI:
    """Make the web application; without an intake it says nothing of ingest.

    Raises:
        SettingsError: everybody who reaches it could do everything, or a file of secrets cannot be read.
    """
    return create_app(
        store=store,
        clock=clock,
        ingest_status=status_of(intake) if intake else None,
        zone=ZoneInfo(settings.ingest.zone),
        plans=FleetSource(settings.gateways.file).plans,
        tariff=tariff_of(settings.anomaly),
        utility=utility_of(settings),
        customers=make_customers(settings, store, clock),
        gate=gate_of(settings, clock),
    )


def status_of(intake: Intake) -> Callable[[], IngestStatus]:
    """Give what the pages ask to learn how ingest is doing."""

    def ask() -> IngestStatus:
        now = intake.status
        return IngestStatus(
            connected=now.connected,
            queue_depth=now.queue_depth,
            oldest_unacked_s=now.oldest_unacked_s,
            received=now.received,
            batches=now.batches,
            last_commit_at=now.last_commit_at,
            stores_available=now.store_available,
        )

    return ask
