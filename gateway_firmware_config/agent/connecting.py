"""The agent's settings for the broker -> its connection, its pace, and what it says of itself there."""

from __future__ import annotations

import json
import threading

from gateway_firmware_config.agent.client import Broker, TlsFiles
from gateway_firmware_config.agent.courier import Pace
from gateway_firmware_config.agent.moment import Moment, Moments, rfc3339
from gateway_firmware_config.agent.mqtt import BrokerLink, Will
from gateway_firmware_config.agent.settings import AgentSettings, BrokerSettings
from metering.uplink import UplinkTopic

__all__ = ["link_of", "pace_of", "state_of", "topic_of"]


def link_of(settings: AgentSettings, boot: str, moments: Moments, wake: threading.Event) -> BrokerLink:
    """Make the connection; ``wake`` is set whenever there is news from it.

    Raises:
        SettingsError: a file named for the broker cannot be read or used.
    """
    topic = topic_of(settings.gateway.name, "state")

    def online() -> None:
        link.say(topic, state_of("online", boot, moments.now()), keep=True)
        wake.set()

    will = Will(topic, state_of("offline", boot, moments.now()))
    orders = topic_of(settings.gateway.name, "cfg/desired") if settings.orders.public_key else ""
    link = BrokerLink(_broker(settings), will, on_online=online, on_verdict=wake.set, listen_to=orders)
    return link


def _broker(settings: AgentSettings) -> Broker:
    said: BrokerSettings = settings.broker
    return Broker(
        host=said.host,
        port=said.broker_port,
        client_id=f"nurt-agent-{settings.gateway.name}",
        username=said.username,
        password=said.secret(),
        tls=_tls(said),
        keepalive_s=said.keepalive_s,
        reconnect_s=(1, said.reconnect_max_s),
        needs_subscriber=said.needs_subscriber,
    )


def _tls(said: BrokerSettings) -> TlsFiles | None:
    files = (said.ca_file, said.cert_file, said.key_file)
    return TlsFiles(*(str(file) if file else None for file in files)) if said.tls else None


def pace_of(settings: AgentSettings) -> Pace:
    """Give how the courier goes."""
    return Pace(
        clock_wait_ms=settings.clock.wait_s * 1000,
        collect_ms=round(settings.broker.publish_every_s * 1000),
        pack=settings.broker.gzip,
    )


def topic_of(gateway: str, leaf: str) -> str:
    """Give a topic of the contract."""
    return str(UplinkTopic(gateway, leaf))


def state_of(state: str, boot: str, now: Moment) -> bytes:
    """Write what is kept on ``state``: ``online`` or ``offline``."""
    said = {"v": 1, "state": state, "boot": boot, "ts": rfc3339(now.at_ms), "ts_src": now.source.value}
    return json.dumps(said, separators=(",", ":")).encode()
