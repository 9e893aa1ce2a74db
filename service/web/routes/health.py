"""Is the process alive, and can it do its work?"""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from metering.errors import StoreError
from service.web.context import Site, UseSite
from service.web.formats import ExactJSON

__all__ = ["router"]

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    alive: bool = True


class Ready(BaseModel):
    """Whether the process can do its work now."""

    ready: bool
    reasons: list[str] = Field(description="why not, one sentence each")


@router.get("/healthz", response_model=Alive)
def healthz() -> ExactJSON:
    """Say that the process is alive."""
    return ExactJSON(Alive())


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready}})
def readyz(site: UseSite) -> ExactJSON:
    """Say whether the store can be written and, if ingest runs here, the broker is connected."""
    reasons = [*_store_reasons(site), *_ingest_reasons(site)]
    return ExactJSON(Ready(ready=not reasons, reasons=reasons), 503 if reasons else 200)


def _store_reasons(site: Site) -> list[str]:
    try:
        site.store.check()
    except StoreError as refusal:
        return [f"store: {refusal}"]
    return []


def _ingest_reasons(site: Site) -> list[str]:
    if site.ingest_status is None:
        return []
    status = site.ingest_status()
    reasons = [] if status.connected else ["ingest: not connected to the broker; trying again"]
    if not status.stores_available:
        reasons.append("ingest: a store cannot be written; what comes waits at the broker; see the log")
    return reasons
