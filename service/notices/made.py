"""The teller the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from billing_bridge.export.signature import Secret
from metering.errors import InvalidValue, SettingsError
from metering.ports import Clock, Store
from service.anomaly_money import tariff_of
from service.anomaly_settings import NoticeSettings, secret_of
from service.notices.message import Wording
from service.notices.port import Channel
from service.notices.smtp import SmtpChannel
from service.notices.teller import Teller
from service.notices.webhook import WebhookChannel
from service.settings_model import Settings

__all__ = ["channel_names", "make_teller"]


def channel_names(notices: NoticeSettings) -> tuple[str, ...]:
    """Name the channels that are set."""
    set_ones = (("smtp", notices.smtp_host), ("webhook", notices.webhook_url))
    return tuple(name for name, given in set_ones if given)


def make_teller(settings: Settings, store: Store, clock: Clock) -> Teller:
    """Make what sends notices.

    Raises:
        SettingsError: a secret cannot be read.
    """
    notices = settings.notices
    zone, tariff = ZoneInfo(settings.ingest.zone), tariff_of(settings.anomaly)
    wording = Wording(notices.language, zone, notices.link, tariff)
    return Teller(store, clock, tuple(_channels(notices, clock)), wording, notices.digest_hour)


def _channels(notices: NoticeSettings, clock: Clock) -> Iterator[Channel]:
    if notices.smtp_host and notices.sender:
        file = notices.smtp_password_file
        yield SmtpChannel(
            notices.smtp_host,
            notices.smtp_port,
            notices.smtp_security,
            notices.sender,
            tuple(notices.to),
            notices.smtp_user,
            secret_of(file, "smtp_password_file") if file else None,
            notices.smtp_ca_file,
        )
    if notices.webhook_url and notices.webhook_secret_file:
        yield WebhookChannel(notices.webhook_url, _webhook_secret(notices), clock)


def _webhook_secret(notices: NoticeSettings) -> Secret:
    file = notices.webhook_secret_file
    assert file is not None  # noqa: S101  the settings see to it
    try:
        return Secret.parse(secret_of(file, "webhook_secret_file"))
    except InvalidValue as wrong:
        raise SettingsError(f"notices.webhook_secret_file {file}: {wrong}") from None
