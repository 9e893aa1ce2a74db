"""How to reach the broker and what to subscribe to there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ingest.routes import CONTRACT_ROUTES
from metering.errors import SettingsError

__all__ = ["MqttSettings", "Tls", "subscriptions"]

_LAST_WORDS = re.compile(r"amr/1/[^/]+/(?:state|cfg/(?:desired|reported))|.*/(?:LWT|status|availability)")
"""Filters of what gateways say of themselves: our contract's, Tasmota's, ESPHome's, rtl_433's."""


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS files, PEM.

    Attributes:
        ca_file: authorities to trust; ``None`` = those of the system.
        cert_file: our certificate, if the broker asks for one.
        key_file: its key.
    """

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """How to reach the broker.

    Attributes:
        host: name or address.
        port: TCP port; 8883 is usual with TLS.
        client_id: fixed: the broker keeps our session under it. One per worker.
        protocol: ``5``; ``3.1.1`` for brokers that know no better.
        username: if the broker asks for one.
        password: never shown.
        tls: ``None`` = no TLS.
        filters: topic filters to subscribe to.
        shared_group: share deliveries among all workers of this group (MQTT 5); empty = all for us.
        last_words: listen to what gateways say of themselves, which cannot be shared; one worker of a machine
            is enough.
        former: filters our session may still have from an earlier run, as :func:`subscriptions` gave them.
        keepalive_s: seconds between signs of life.
        session_expiry_s: how long the broker keeps our session while we are away (MQTT 5).
        receive_maximum: most deliveries the broker sends before it waits for acknowledgements (MQTT 5).
        listening: only look: QoS 0 and a session the broker forgets with the connection.
        leaving: take only what already waits for us; unsubscribe from ``former``, subscribe to nothing.
        reconnect_s: shortest and longest pause before another attempt to connect.
        connect_timeout_s: how long one attempt may take.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    client_id: str = "nurt-ingest"
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    filters: Sequence[str] = tuple(route.topic_filter for route in CONTRACT_ROUTES)
    shared_group: str = ""
    last_words: bool = True
    former: Sequence[str] = ()
    keepalive_s: int = 30
    session_expiry_s: int = 7 * 86400
    receive_maximum: int = 1000
    listening: bool = False
    leaving: bool = False
    reconnect_s: tuple[int, int] = (1, 60)
    connect_timeout_s: float = 3.0

    def __post_init__(self) -> None:
        try:
            self.host.encode("idna")
        except UnicodeError as wrong:  # paho's thread would die of it
            raise SettingsError(f"{self.host[:80]!a} is not a host name or address") from wrong


def subscriptions(settings: MqttSettings) -> Sequence[str]:
    """Give the filters as the broker gets them.

    Kept messages are not sent to shared subscriptions (MQTT 5, 4.8.2), and what gateways say of themselves is
    kept: that is listened to by itself.
    """
    group = settings.shared_group
    if not group:
        return list(settings.filters)
    said = [one for one in settings.filters if settings.last_words and _LAST_WORDS.fullmatch(one)]
    return said + [f"$share/{group}/{one}" for one in settings.filters if not _LAST_WORDS.fullmatch(one)]
