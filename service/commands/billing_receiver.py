"""``nurt billing reference-receiver``: a billing system to try the hand-over with. Never the product."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.commands.options import Config, settings_in_force

__all__ = ["reference_receiver"]


def reference_receiver(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 takes a free one.")
    ] = 8090,
    data: Annotated[
        Path | None, typer.Option(help="File of its books; in memory if not said.", show_default=False)
    ] = None,
    config: Config = None,
) -> None:
    """Run a reference of a billing system: books each read once, prices it, sends invoices back.

    It knows customers by the tenancies of the settings' database and shares the secrets of [billing]
    secret_file. A utility's own billing system is what this stands for; this is for trying and for tests.

    **Examples**

        nurt billing reference-receiver --port 8090 --data books.db
    """
    from metering.clock import SystemClock
    from metering.errors import SettingsError
    from service.database import prepared_store
    from service.demo.billing_books import Books
    from service.demo.billing_customers import customer_at
    from service.demo.billing_receiver import Receiver

    settings, clock = settings_in_force(config).settings, SystemClock()
    secrets = settings.billing.secrets()
    if not secrets:
        raise SettingsError("[billing] secret_file is not set: nobody could sign")
    store = prepared_store(settings.store, clock)
    books = Books(data, now=clock.now, customer_of=customer_at(store))
    try:
        listening = Receiver(books, secrets[0], clock.now, port)
    except OSError as wrong:
        raise SettingsError(f"port {port} on 127.0.0.1 cannot be had: {wrong.strerror}") from wrong
    typer.echo(
        f"Reads are booked at {listening.url}/reads, documents are at {listening.url}/documents."
        " Ctrl-C ends it."
    )
    try:
        listening.serve()
    except KeyboardInterrupt:
        typer.echo("Ended.")
    finally:
        books.close()
        store.close()
