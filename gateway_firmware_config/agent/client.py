"""The MQTT client library, set up for a broker: MQTT 5, login, TLS."""

from __future__ import annotations

from dataclasses import dataclass, field

from paho.mqtt import client as paho  # noqa: TID251  the agent may
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion  # noqa: TID251  same

from metering.errors import SettingsError

__all__ = ["Broker", "TlsFiles", "make_client"]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """TLS files, PEM; ``None`` = the system's authorities, no certificate of our own."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """How to reach the broker.

    Attributes:
        host: name or address.
        port: TCP port.
        client_id: the gateway's own.
        username: if the broker asks for one.
        password: never shown.
        tls: ``None`` = no TLS.
        keepalive_s: seconds between signs of life.
        reconnect_s: shortest and longest pause before another attempt to connect.
        needs_subscriber: whether a message taken for nobody counts as not taken.
    """

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsFiles | None = None
    keepalive_s: int = 60
    reconnect_s: tuple[int, int] = (1, 60)
    needs_subscriber: bool = True


def make_client(broker: Broker) -> paho.Client:
    """Make a client that knows where and as whom to connect; it does not connect yet.

    Raises:
        SettingsError: a TLS file cannot be read or used.
    """
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=broker.client_id, protocol=MQTTProtocolVersion.MQTTv5
    )
    client.reconnect_delay_set(*broker.reconnect_s)
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls is not None:
        _set_tls(client, broker.tls)
    return client


def _set_tls(client: paho.Client, tls: TlsFiles) -> None:
    try:
        client.tls_set(tls.ca_file, tls.cert_file, tls.key_file)
    except (OSError, ValueError) as wrong:  # ssl.SSLError is an OSError
        raise SettingsError(f"TLS with the broker: {wrong}") from wrong
