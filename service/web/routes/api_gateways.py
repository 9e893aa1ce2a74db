"""Gateways and their account."""

from __future__ import annotations

from fastapi import APIRouter

from metering.ports import GatewayRow
from service.fleet_status import GatewayStatus, read_status
from service.web.context import UseSite
from service.web.errors import PROBLEMS
from service.web.formats import ExactJSON
from service.web.schemas.gateways import GatewayOut, GatewaysOut

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["gateways"], responses=PROBLEMS)


@router.get("/gateways", response_model=GatewaysOut)
def list_gateways(site: UseSite) -> ExactJSON:
    """List gateways: received = stored + duplicate + held + foreign + quarantined."""
    now = site.clock.now()
    with site.store.reading() as tx:
        rows = {row.name: row for row in tx.ledger.gateways()}
        fleet = {one.name: one for one in read_status(tx, now, site.plans())}
    unheard = {name: GatewayRow(name, None, None, None, 0, {}) for name in fleet if name not in rows}
    every = sorted((rows | unheard).items())
    return ExactJSON(
        GatewaysOut(
            gateways=[
                GatewayOut.of(row, fleet.get(name) or GatewayStatus(name=name), now) for name, row in every
            ]
        )
    )
