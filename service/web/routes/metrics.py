"""Metrics for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from service.web.context import UseSite
from service.web.metrics import registry_of

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(site: UseSite) -> Response:
    """Give all metrics in the text format."""
    registry = registry_of(site.store, site.ingest_status, site.clock, site.plans, site.zone)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
