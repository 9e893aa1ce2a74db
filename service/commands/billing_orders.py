"""``nurt billing orders | order | withdraw``: readers sent to dials, by a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from metering.orders import ReadingOrder

__all__ = ["Due", "due_of", "order", "orders", "withdraw"]

Due = Annotated[
    datetime | None,
    typer.Option(
        "--due",
        formats=["%Y-%m-%d"],
        help="Last local day; else as [billing] reader_days says.",
        show_default=False,
    ),
]


def due_of(due: datetime | None) -> date | None:
    """Give the day of the option."""
    return None if due is None else due.date()


def orders(
    all_: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,  # noqa: FBT002  an option
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose day has passed.")] = False,  # noqa: FBT002  an option
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    config: Config = None,
) -> None:
    """List where a reader is to go, till when and why; overdue ones are marked.

    `nurt billing visits --asked` writes them as a route, `nurt billing visited` takes what was found.

    **Examples**

        nurt billing orders

        nurt billing orders --overdue
    """
    from metering.clock import SystemClock
    from metering.orders import OrderState
    from service.billing_utility import utility_of
    from service.database import prepared_store

    settings, clock = settings_in_force(config).settings, SystemClock()
    zone = utility_of(settings).rounding.zone
    today = clock.now().astimezone(zone).date()
    states = list(OrderState) if all_ else [OrderState.OPEN]
    store = prepared_store(settings.store, clock)
    try:
        with store.reading() as tx:
            found = tx.orders.orders(states, limit=limit)
            waiting, late = tx.orders.counts(today)
    finally:
        store.close()
    shown = [one for one in found if one.overdue(today)] if overdue else list(found)
    typer.echo("\n".join(_listed(shown, today)) if shown else "No order to show.")
    typer.echo(f"{waiting} open, {late} of them overdue")


def order(
    service_point: Annotated[str, typer.Argument(help="Whose dial.")],
    by: Annotated[str, typer.Option("--by", help="Who orders.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the reader; it stands on the route.")],
    due: Due = None,
    config: Config = None,
) -> None:
    """Send a reader to a dial, by a day.

    A period that could only be estimated waits for the visit until then; after that [billing] after_deadline
    counts. The visit that comes in closes the order, or a read of the meter after all, or withdrawing it.

    **Examples**

        nurt billing order SP1 --by "A. Kos" --reason "no radio since May" --due 2026-12-04
    """
    from billing_bridge.ordering import due_day, order_reader
    from metering.clock import SystemClock
    from metering.orders import NewOrder
    from service.billing_utility import utility_of
    from service.database import prepared_store

    settings, clock = settings_in_force(config).settings, SystemClock()
    now = clock.now()
    wanted = NewOrder(
        service_point, due_day(utility_of(settings), now, due_of(due)), reason.strip(), by.strip()
    )
    store = prepared_store(settings.store, clock)
    try:
        with store.writing() as tx:
            placed = order_reader(tx, wanted, now)
    finally:
        store.close()
    typer.echo(f"Order {placed.number}: {service_point} is to be read by {placed.about.due}.")


def withdraw(
    number: Annotated[int, typer.Argument(min=1, help="Of the order, as the list says.")],
    by: Annotated[str, typer.Option("--by", help="Who withdraws.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    config: Config = None,
) -> None:
    """Withdraw an order: nobody needs to go. A question that waited for it is open again.

    **Examples**

        nurt billing withdraw 3 --by "A. Kos" --reason "radio is back"
    """
    from billing_bridge.ordering import withdraw as take_back
    from metering.clock import SystemClock
    from service.database import prepared_store

    settings, clock = settings_in_force(config).settings, SystemClock()
    store = prepared_store(settings.store, clock)
    try:
        with store.writing() as tx:
            gone = take_back(tx, number, by, reason, clock.now())
    finally:
        store.close()
    typer.echo(f"Order {number} for {gone.about.service_point} is withdrawn.")


def _listed(found: Sequence[ReadingOrder], today: date) -> Iterator[str]:
    from service.text_table import text_table

    rows = [
        {
            "number": one.number,
            "service point": one.about.service_point,
            "due": one.about.due,
            "state": "OVERDUE" if one.overdue(today) else one.state.value,
            "by": one.about.by,
            "question": one.about.question or "",
            "why": one.about.reason,
            "outcome": f"{one.settled_by}: {one.outcome}" if one.settled_at else "",
        }
        for one in found
    ]
    yield from text_table(rows)
