"""Mail reaches a real server over STARTTLS, with a password, and says so when it does not."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.notices.port import Message, NotSent
from service.notices.smtp import SmtpChannel

pytestmark = pytest.mark.servers

MESSAGE = Message("smtp:1:notify", "Powiadomienie: wyciek", "Woda płynie bez przerwy.\n", {})
SENDER, TO = "nurt@example.org", ("anna@example.org", "crew@example.org")


class Postbox:
    """Keeps what the server takes."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.taken = []
        self.refuse = None

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  aiosmtpd calls it so
        if self.refuse:
            return self.refuse
        self.taken.append((envelope, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 that signs itself."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder


@pytest.fixture
def server(certificate):
    """A mail server that wants STARTTLS and a password."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")

    def known(_server, _session, _envelope, _mechanism, given):
        right = (given.login, given.password) == (b"nurt", b"hunter2")
        return AuthResult(success=right, handled=False)

    with socket.create_server(("localhost", 0)) as free:
        box = Postbox(free.getsockname()[1])
    controller = Controller(
        box,
        hostname="localhost",
        port=box.port,
        tls_context=tls,
        require_starttls=True,
        auth_required=True,
        authenticator=known,
    )
    controller.start()
    yield box
    controller.stop()


def channel(server, certificate, **changed):
    given = {
        "host": "localhost",
        "port": server.port,
        "security": "starttls",
        "sender": SENDER,
        "to": TO,
        "user": "nurt",
        "password": "hunter2",
        "ca_file": certificate / "cert.pem",
    }
    return SmtpChannel(**{**given, **changed})


def test_mail_goes_over_starttls_with_a_password_to_everybody(server, certificate):
    channel(server, certificate).send(MESSAGE)
    ((envelope, mail),) = server.taken
    assert envelope.mail_from == SENDER
    assert envelope.rcpt_tos == list(TO)
    assert mail["Subject"] == "Powiadomienie: wyciek"
    assert mail["Message-ID"] == "<nurt.smtp.1.notify@example.org>"
    assert mail.get_content().strip() == "Woda płynie bez przerwy."


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong-secret"}, "does not take our name or password"),
        ({"ca_file": None}, "certificate verify failed"),
        ({"security": "none", "user": None}, "530|STARTTLS"),
    ],
)
def test_a_server_that_does_not_take_it_is_told_without_the_password(server, certificate, changed, said):
    with pytest.raises(NotSent, match=said) as refused:
        channel(server, certificate, **changed).send(MESSAGE)
    assert "wrong-secret" not in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert not server.taken


def test_mail_the_server_defers_is_not_sent(server, certificate):
    server.refuse = "451 disk full"
    with pytest.raises(NotSent, match="451 disk full"):
        channel(server, certificate).send(MESSAGE)


def test_a_server_that_is_not_there_is_not_sent_to(certificate, server):
    with pytest.raises(NotSent, match="localhost:1:"):
        channel(server, certificate, port=1).send(MESSAGE)
