"""``nurt billing exceptions``, and what a person does about one: accept, reject, edit, estimate, ..."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.billing_orders import Due, due_of
from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from metering.billing import OpenException

__all__ = ["accept", "agree", "edit", "estimate", "exceptions", "reader", "reject"]

Number = Annotated[int, typer.Argument(min=1, help="Of the question, as the list says.")]
By = Annotated[str, typer.Option("--by", help="Who decides.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in your words; it stays on record.")]


def exceptions(
    number: Annotated[int | None, typer.Argument(min=1, help="Only this one, with its evidence.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,  # noqa: FBT002  an option
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    config: Config = None,
) -> None:
    """List what waits for a person: rules that failed, periods without a read, corrections, contradictions.

    **Examples**

        nurt billing exceptions

        nurt billing exceptions 17
    """
    from metering.billing import ExceptionState
    from metering.clock import SystemClock
    from metering.errors import InvalidValue
    from service.database import prepared_store

    store = prepared_store(settings_in_force(config).settings.store, SystemClock())
    states = [state for state in ExceptionState if all_ or not state.settled]
    try:
        with store.reading() as tx:
            asked = tx.billing.exception(number) if number is not None else None
            found = tx.billing.exceptions(states, limit=limit) if number is None else ()
    finally:
        store.close()
    if number is not None and asked is None:
        raise InvalidValue(f"there is no question {number}; nurt billing exceptions lists them")
    if asked is not None:
        typer.echo("\n".join(_in_full(asked)))
        return
    typer.echo("\n".join(_listed(found)) if found else "Nothing waits for a person.")


def accept(number: Number, by: By, reason: Reason, config: Config = None) -> None:
    """Bill it as it is, or take a proposed correction.

    **Examples**

        nurt billing accept 17 --by "A. Kos" --reason "pool filled, customer confirmed"
    """
    _decide("accept", number, by, reason, config)


def reject(number: Number, by: By, reason: Reason, config: Config = None) -> None:
    """Bill nothing on it; the next closing takes the period anew.

    **Examples**

        nurt billing reject 17 --by "A. Kos" --reason "the photo shows 110"
    """
    _decide("reject", number, by, reason, config)


def edit(
    number: Number,
    by: By,
    reason: Reason,
    index_m3: Annotated[str, typer.Option("--index-m3", help="Closing index on the dial, m3: 123.456")],
    config: Config = None,
) -> None:
    """Put the closing index by hand: a new revision beside what was held; raw values stay.

    **Examples**

        nurt billing edit 17 --index-m3 118 --by "A. Kos" --reason "photo of 1 March"
    """
    _decide("edit", number, by, reason, config, index_m3)


def estimate(number: Number, by: By, reason: Reason, config: Config = None) -> None:
    """Bill an estimate from the reads outside the period, by the method that law or contract lays down.

    **Examples**

        nurt billing estimate 17 --by "A. Kos" --reason "meter under water since 3 March"
    """
    _decide("estimate", number, by, reason, config)


def reader(number: Number, by: By, reason: Reason, due: Due = None, config: Config = None) -> None:
    """Send a reader, by a day: the question stays open, an order stands in `nurt billing orders`.

    **Examples**

        nurt billing reader 17 --by "A. Kos" --reason "dial and radio differ" --due 2026-12-04
    """
    _decide("reader", number, by, reason, config, due=due_of(due))


def agree(number: Number, by: By, reason: Reason, config: Config = None) -> None:
    """Agree, as the second person, to a decision above the limit ([billing] four_eyes_m3).

    **Examples**

        nurt billing agree 17 --by "M. Bak" --reason "called the customer"
    """
    _decide("agree", number, by, reason, config)


def _decide(  # noqa: PLR0913, PLR0917  the options of the commands
    action: str,
    number: int,
    by: str,
    reason: str,
    config: Path | None,
    index: str | None = None,
    due: date | None = None,
) -> None:
    from decimal import Decimal, InvalidOperation

    from billing_bridge.deciding import Action, Operator
    from metering.clock import SystemClock
    from metering.errors import InvalidValue
    from service.billing import utility_of
    from service.database import prepared_store

    settings = settings_in_force(config).settings
    try:
        index_m3 = Decimal(index.replace(",", ".")) if index is not None else None
    except InvalidOperation:
        raise InvalidValue(f"--index-m3 {index!r} is not a number like 123.456") from None
    if index_m3 is not None and not (index_m3.is_finite() and index_m3 >= 0):
        raise InvalidValue(f"--index-m3 {index!r} cannot stand on a dial")
    store = prepared_store(settings.store, SystemClock())
    try:
        operator = Operator(store, utility_of(settings), SystemClock(), by)
        decided = operator.decide(number, Action(action), reason, index_m3=index_m3, due=due)
    finally:
        store.close()
    typer.echo(decided.sentence)


def _listed(found: Sequence[OpenException]) -> Iterator[str]:
    from service.text_table import text_table

    rows = [
        {
            "number": one.number,
            "kind": one.about.kind.value,
            "state": one.state.value,
            "service point": one.about.service_point,
            "period": one.about.period,
            "what": one.about.sentence,
        }
        for one in found
    ]
    yield from text_table(rows)


def _in_full(one: OpenException) -> Iterator[str]:
    import orjson

    about = one.about
    stands = f"{about.kind.value}, {one.state.value}, asked {one.opened_at:%Y-%m-%d %H:%MZ}"
    yield f"Question {one.number} ({stands})"
    yield f"{about.service_point} {about.register}, {about.period}: {about.sentence}"
    if about.read:
        yield f"Read: {about.read}"
    yield orjson.dumps(orjson.loads(about.evidence), option=orjson.OPT_INDENT_2).decode()
    for made in one.decisions:
        yield f"{made.at:%Y-%m-%d %H:%MZ} {made.action} by {made.by}: {made.reason}"
