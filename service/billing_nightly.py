"""The nightly round: late reads reviewed, books compared, questions asked."""

from __future__ import annotations

from collections.abc import Mapping

from metering.ports import Clock, Store
from service.billing import Span, utility_of
from service.billing_inbox import fetch_held
from service.billing_reconcile import (
    Reconciled,
    ask,
    compare_books,
    compare_ourselves,
    theirs_of,
)
from service.settings_model import Settings

__all__ = ["reconciled"]


def reconciled(  # noqa: PLR0913  what is compared, and with what
    settings: Settings, store: Store, clock: Clock, span: Span, raw: bytes | None, *, keep: bool
) -> Mapping[str, Reconciled]:
    """Compare with the billing system and with ourselves.

    Args:
        settings: in force.
        store: open.
        clock: the present.
        span: which periods.
        raw: what the billing system holds; ``None`` = it is fetched if there is an inbox URL.
        keep: ask a person about what does not agree.

    Raises:
        BadList: what the billing system gave is no list of reads.
        BadAnswer: it gives none.
    """
    utility = utility_of(settings)
    told: dict[str, Reconciled] = {}
    held = raw if raw is not None else fetch_held(settings.billing, clock)
    if held is not None:
        theirs = theirs_of(held)
        told[f"with {utility.target}"] = compare_books(store, utility, theirs, span.since, span.until)
    ours = compare_ourselves(store, utility, span.since, span.until, clock.now())
    told["with chart and meter"] = ours
    if keep:
        for done in told.values():
            ask(store, clock, done)
    return told
