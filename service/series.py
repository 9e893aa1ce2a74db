"""The series store of the settings: what sends to it, and what reads from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from metering.errors import SettingsError
from metering.ports import Store
from metering.store import SqlStore
from metering.store.series.address import Access
from metering.store.sql.series_queue import SeriesQueue
from service.settings_series import SeriesSettings

if TYPE_CHECKING:
    from metering.store.series.sender import Sender
    from metering.store.series.target import SeriesTarget

__all__ = ["access_of", "readable", "sender_of", "target_of"]

_log = structlog.get_logger(__name__)


def access_of(settings: SeriesSettings) -> Access:
    """Give where the series store is and how to log in.

    Raises:
        SettingsError: none is set, or its password file cannot be read.
    """
    if settings.kind is None or settings.url is None:
        raise SettingsError("there is no series store in the settings; see [series] kind and url")
    return Access(
        url=settings.url,
        database=settings.database,
        org=settings.org,
        username=settings.username,
        secret=settings.secret(),
        write_api=settings.write_api,
        gzip=settings.gzip,
        timeout_s=settings.timeout_s,
        ca_file=str(settings.ca_file) if settings.ca_file else None,
    )


def target_of(settings: SeriesSettings) -> SeriesTarget:
    """Make the series store to write to; nothing is asked of it yet.

    Raises:
        SettingsError: none is set, its password file cannot be read, or its client is not installed.
    """
    access = access_of(settings)
    try:
        from metering.store.series.influx import InfluxSeries
        from metering.store.series.target import Removal
        from metering.store.series.victoria import VictoriaSeries
    except ModuleNotFoundError:
        raise SettingsError(
            "a series store needs its client; install it with `pip install nurt[influx]`"
        ) from None

    if settings.kind == "victoria-metrics":
        return VictoriaSeries(access, batch=settings.batch)
    return InfluxSeries(access, removal=Removal(settings.removal), batch=settings.batch)


def sender_of(settings: SeriesSettings, store: Store) -> Sender | None:
    """Make what sends readings on, and have the database note from now on what is to be sent.

    ``None`` if no series store is set; readings are then noted for none, at no cost.

    Raises:
        SettingsError: see :func:`target_of`.
        StoreError: the database cannot be written.
    """
    if not isinstance(store, SqlStore):
        return None
    queue = SeriesQueue(store.database)
    if settings.kind is None:
        if queue.enabled():
            _log.warning("series.noted_for_none", do="set [series] again, or run `nurt db forward --off`")
        return None
    target = target_of(settings)
    from metering.store.series.sender import Sender

    if queue.enable():
        _log.info("series.begins", do="`nurt db forward` sends what is in the database already")
    return Sender(queue, target)


def readable(settings: SeriesSettings, store: Store) -> Store:
    """Give the store pages read: the same, or with series from InfluxDB if the settings say so.

    Raises:
        SettingsError: see :func:`target_of`.
    """
    if not settings.read or not isinstance(store, SqlStore):
        return store
    target = target_of(settings)
    from metering.store.series.influx import InfluxSeries
    from metering.store.series.store import SeriesStore

    assert isinstance(target, InfluxSeries)  # noqa: S101  the settings allow reading from nothing else
    return SeriesStore(store, target)
