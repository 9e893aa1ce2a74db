"""Gateways and their account."""

from __future__ import annotations

from fastapi import APIRouter

from service.web.context import UseSite
from service.web.errors import PROBLEMS
from service.web.formats import ExactJSON
from service.web.schemas.gateways import GatewayOut, GatewaysOut

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["gateways"], responses=PROBLEMS)


@router.get("/gateways", response_model=GatewaysOut)
def list_gateways(site: UseSite) -> ExactJSON:
    """List gateways: received = stored + duplicate + held + foreign + quarantined."""
    with site.store.reading() as tx:
        rows = tx.ledger.gateways()
    now = site.clock.now()
    return ExactJSON(GatewaysOut(gateways=[GatewayOut.of(row, now) for row in rows]))
