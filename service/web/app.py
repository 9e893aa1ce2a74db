"""The web application: routes, errors, headers, put together."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from billing_bridge.utility import Utility
from metering.ports import Clock, Store
from service.anomaly_money import Tariff
from service.fleet_source import NO_PLANS, Plans
from service.operators.gate import Gate
from service.web.context import IngestStatus, Site
from service.web.errors import add_error_handlers
from service.web.gatekeeper import Gatekeeper
from service.web.headers import SecurityHeaders
from service.web.routes import ROUTERS

__all__ = ["IngestStatus", "create_app"]


def create_app(  # noqa: PLR0913  what the site is made of
    *,
    store: Store,
    clock: Clock,
    ingest_status: Callable[[], IngestStatus] | None,
    zone: ZoneInfo,
    title: str = "Nurt",
    plans: Callable[[], Plans] = lambda: NO_PLANS,
    tariff: Tariff | None = None,
    utility: Utility | None = None,
    customers: FastAPI | None = None,
    gate: Gate | None = None,
) -> FastAPI:
    """Make the application.

    Args:
        store: where everything is; closed by whoever opened it.
        clock: the present.
        ingest_status: asks how ingest is doing; ``None`` if no ingest runs in this process.
        zone: the utility's local calendar, for days on charts and times on pages.
        title: name on the pages.
        plans: asks what is planned for the gateways.
        tariff: price of water, for the money a finding has cost.
        utility: what is set for billing; ``None`` = questions of billing are shown and not decided.
        customers: the customers' pages, put below ``/c``; ``None`` = there are none.
        gate: who comes in to the operators' pages; ``None`` = whoever reaches them.
    """
    # FastAPI's own API pages load scripts from elsewhere; ours is at /api/docs.
    app = FastAPI(
        title=f"{title} API",
        version=version("nurt"),
        description="Readings, consumption and telegrams of water meters. Numbers are exact decimals.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.site = Site(store, clock, ingest_status, zone, title, plans, tariff, utility, gate)
    app.add_middleware(Gatekeeper)
    app.add_middleware(SecurityHeaders)
    add_error_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    if customers is not None:
        app.mount("/c", customers)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
