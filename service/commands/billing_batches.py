"""``nurt billing batches``: files that left for the billing system, and what of them is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from metering.batches import Batch

__all__ = ["batches"]


def batches(
    again: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="Leave this batch once more: the same bytes.", show_default=False
        ),
    ] = None,
    config: Config = None,
) -> None:
    """List the files that wait for answers, or leave one of them once more.

    A file is never made anew: what is left again is what was left before. Answers come as NAME.ack.csv with
    the columns key;result;receipt;reason, where result is accepted or refused.

    **Examples**

        nurt billing batches

        nurt billing batches --again 17
    """
    from metering.clock import SystemClock
    from metering.errors import TelemetryError
    from service.database import prepared_store
    from service.text_table import text_table

    settings = settings_in_force(config).settings
    target = settings.billing.target
    store = prepared_store(settings.store, SystemClock())
    try:
        with store.reading() as tx:
            waiting = tx.batches.unanswered(target)
            one = tx.batches.batch(target, again) if again is not None else None
    finally:
        store.close()
    if again is not None and one is None:
        raise TelemetryError(
            f"there is no batch {again} for {target}; nurt billing batches lists those that wait"
        )
    if one is not None:
        from billing_bridge.export.batch import manifest_name

        drop = settings.billing_files.drop()
        drop.put(one.file, one.content)
        drop.put(manifest_name(one), one.manifest)
        drop.close()
        typer.echo(f"{one.file} and its manifest are left again, the same bytes.")
        return
    if not waiting:
        typer.echo("No file waits for an answer.")
    for line in text_table([_row(batch) for batch in waiting]):
        typer.echo(line)


def _row(batch: Batch) -> dict[str, str]:
    sent = batch.sent_at
    return {
        "file": batch.file,
        "reads": f"{len(batch.keys):,}",
        "bytes": f"{len(batch.content):,}",
        "made (UTC)": f"{batch.made_at:%Y-%m-%d %H:%M}",
        "left (UTC)": f"{sent:%Y-%m-%d %H:%M}" if sent else "not yet",
    }
