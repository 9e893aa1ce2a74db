"""Mosquitto as `nurt gateway render` sets it up: TLS, hashed passwords, an ACL line for every gateway."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway_firmware_config.fleet import Fleet
from gateway_firmware_config.passwords import hashed_line
from gateway_firmware_config.rendering import render_broker


def certificates(folder: Path) -> None:
    """Write an authority and a certificate for 127.0.0.1 it has signed."""
    ours, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day = dt.timedelta(days=1)
    now = dt.datetime.now(dt.UTC)

    def signed(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *more: tuple[x509.ExtensionType, bool]):
        made = x509.CertificateBuilder(authority, subject, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - day).not_valid_after(now + day)
        for extension, critical in more:
            made = made.add_extension(extension, critical)
        return made.sign(ours, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    (folder / "ca.pem").write_bytes(
        signed(authority, ours, (x509.BasicConstraints(ca=True, path_length=0), True))
    )
    (folder / "server.pem").write_bytes(signed(server, theirs, (names, False)))
    (folder / "server.key").write_bytes(
        theirs.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < end, f"nobody listens on {port}"
            time.sleep(0.05)
        else:
            return


class RenderedBroker:
    """A broker for the gateways of a fleet; everybody's password is ``pw-NAME``.

    Attributes:
        port: with TLS.
        authority: the certificate to trust.
        folder: where its files are.
    """

    def __init__(self, fleet: Fleet, start: Callable[[str], object], folder: Path) -> None:
        certificates(folder)
        self.folder, self.authority, self.port = folder, folder / "ca.pem", free_port()
        plan = fleet.broker.model_copy(update={"folder": folder, "tls": True, "port": self.port})
        made = render_broker(fleet.model_copy(update={"broker": plan}))
        users = [plan.service, *fleet.gateway]
        (folder / "passwords").write_text("".join(hashed_line(user, f"pw-{user}") + "\n" for user in users))
        (folder / "acl").write_text(made["acl"].text)
        for file in ("acl", "passwords"):
            (folder / file).chmod(0o600)
        self.process = start(made["nurt.conf"].text)
        await_port(self.port)

    def login(self, user: str) -> str:
        """Give the settings with which a user logs in, as TOML."""
        file = self.folder / f"password-of-{user}"
        file.write_text(f"pw-{user}\n")
        return (
            f"port = {self.port}\ntls = true\nca_file = '{self.authority}'\n"
            f"username = '{user}'\npassword_file = '{file}'\n"
        )


class Speaker:
    """A client of the broker over TLS, as one of its users."""

    def __init__(self, port: int, authority: Path, user: str, password: str) -> None:
        self.client = Client(CallbackAPIVersion.VERSION2, user, protocol=MQTTv5)
        self.client.username_pw_set(user, password)
        self.client.tls_set(str(authority))
        self.heard: list[str] = []
        self.answers: dict[int, bool] = {}
        self.welcome: bool | None = None
        self._changed = threading.Condition()
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self._note("welcome", not reason.is_failure)
        self.client.on_publish = lambda _c, _u, mid, reason, _p: self._note(mid, not reason.is_failure)
        self.client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._note(mid, not reasons[0].is_failure)
        self.client.on_message = lambda _c, _u, message: self._note("heard", message.topic)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.wait(lambda: self.welcome is not None)

    def _note(self, what: object, value: object) -> None:
        with self._changed:
            if what == "welcome":
                self.welcome = bool(value)
            elif what == "heard":
                self.heard.append(str(value))
            else:
                self.answers[what] = bool(value)  # type: ignore[index]
            self._changed.notify_all()

    def wait(self, true: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(true, 10)

    def may_say(self, topic: str) -> bool:
        number = self.client.publish(topic, b"{}", qos=1).mid
        self.wait(lambda: number in self.answers)
        return self.answers[number]

    def hear(self, topics: str) -> None:
        number = self.client.subscribe(topics, qos=1)[1]
        self.wait(lambda: number in self.answers)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
