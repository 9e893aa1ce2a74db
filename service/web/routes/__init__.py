"""Every address of the application."""

from __future__ import annotations

from service.web.routes import (
    api_coverage,
    api_districts,
    api_docs,
    api_findings,
    api_gateways,
    api_meters,
    api_quarantine,
    api_readings,
    api_telegrams,
    health,
    metrics,
    page_billing,
    page_billing_work,
    page_coverage,
    page_districts,
    page_findings,
    page_gateways,
    page_login,
    page_meter,
    page_meters,
    page_overview,
    page_quarantine,
    page_telegrams,
)

__all__ = ["ROUTERS"]

ROUTERS = tuple(
    module.router
    for module in (
        health,
        metrics,
        api_meters,
        api_readings,
        api_telegrams,
        api_gateways,
        api_quarantine,
        api_coverage,
        api_findings,
        api_districts,
        api_docs,
        page_overview,
        page_meters,
        page_meter,
        page_telegrams,
        page_quarantine,
        page_gateways,
        page_coverage,
        page_findings,
        page_districts,
        page_billing,
        page_billing_work,
        page_login,
    )
)
