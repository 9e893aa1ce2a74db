"""The broker: reached, trusted, let in, listened to."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from ingest.inbox import Inbox
from ingest.mqtt import MqttSettings as Broker
from ingest.mqtt import Subscriber
from metering.errors import TelemetryError
from metering.ports import Clock
from service.checking.certificates import days_line, file_lines
from service.checking.line import Line, fault, ok, warning
from service.settings_model import MqttSettings
from service.taking_in import broker_of

__all__ = ["broker_lines"]

_PATIENCE_S = 5.0
_LOOK_S = 0.02


def broker_lines(mqtt: MqttSettings, clock: Clock) -> Iterator[Line]:
    """Look at the broker from the wire up; what needs a step that failed is not looked at."""
    where = f"{mqtt.host}:{mqtt.broker_port}"
    for name, file in (("our certificate", mqtt.cert_file), ("authority", mqtt.ca_file)):
        if file is not None:
            yield from file_lines(name, file, clock.now())
    yield from _privacy(mqtt, where)
    try:
        broker = broker_of(mqtt)
        ends = _certificate_ends(mqtt)
    except TelemetryError as wrong:
        yield fault("broker", str(wrong), "see [mqtt] in the settings")
        return
    except ssl.SSLCertVerificationError as wrong:
        yield fault("broker", f"{where}: {wrong.verify_message}", "see ca_file and the broker's certificate")
        return
    except ssl.SSLError as wrong:
        yield fault("broker", f"{where} does not speak TLS as we do: {wrong.reason}", "see port and tls")
        return
    except OSError as wrong:
        said = wrong.strerror or str(wrong)
        yield fault(
            "broker", f"{where} cannot be reached: {said}", "check that it runs, its address, firewall"
        )
        return
    if ends is not None:
        yield days_line("broker", f"the certificate of {where}", ends, clock.now())
    yield _login(broker, where, clock)


def _privacy(mqtt: MqttSettings, where: str) -> Iterator[Line]:
    if _here(mqtt.host):
        return
    if not mqtt.tls:
        do = "set tls = true and port 8883; see docs/operating.md"
        yield warning("encryption", f"what is said with {where} can be read and changed on the way", do)
    if mqtt.username is None and mqtt.cert_file is None:
        yield warning(
            "login", f"{where} lets everybody in, as it seems", "give service and gateways passwords each"
        )


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _certificate_ends(mqtt: MqttSettings) -> datetime | None:
    """Reach the broker; give when its certificate ends, if it has one."""
    with socket.create_connection((mqtt.host, mqtt.broker_port), timeout=_PATIENCE_S) as connection:
        if not mqtt.tls:
            return None
        context = ssl.create_default_context(cafile=str(mqtt.ca_file) if mqtt.ca_file else None)
        if mqtt.cert_file and mqtt.key_file:
            context.load_cert_chain(mqtt.cert_file, mqtt.key_file)
        with context.wrap_socket(connection, server_hostname=mqtt.host) as secured:
            told = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)


def _login(broker: Broker, where: str, clock: Clock) -> Line:
    """Log in and subscribe as the service would, beside it, without taking anything from it."""
    beside = replace(broker, client_id=f"{broker.client_id}-check", listening=True, shared_group="")
    subscriber = Subscriber(beside, Inbox(10_000, 64 << 20), clock=clock)
    subscriber.start()
    end = time.monotonic() + _PATIENCE_S
    while not (subscriber.subscribed or subscriber.refused) and time.monotonic() < end:
        time.sleep(_LOOK_S)
    subscribed, refused = subscriber.subscribed, subscriber.refused
    subscriber.stop()
    if refused:
        return fault("broker", f"{where} refused: {refused}", "check username, password_file, and its ACL")
    if not subscribed:
        return fault("broker", f"{where} does not answer as an MQTT broker", "check host, port and tls")
    return ok("broker", f"{where} lets us in and takes our {len(broker.filters)} subscriptions")
