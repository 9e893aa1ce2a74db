"""What a gateway is told over MQTT: signed settings with a revision (``amr/1/<gw>/cfg/desired``).

::

    {"v":1,"rev":1767225600,"cfg":"<agent.toml>","sig":"<Ed25519, hex>"}

The signature covers the gateway's name, the revision and the text, so that an order can be given neither to
another gateway nor under another revision. The private key stays with the operator; a gateway knows the
public one and obeys nothing else, whatever the broker lets through.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from metering.errors import InvalidValue

__all__ = ["BadOrder", "Order", "new_key", "private_key", "public_text", "signed", "verified"]

_LARGEST = 65_536
_PURPOSE = "nurt gateway order 1"


class BadOrder(InvalidValue):
    """What was published is no order for this gateway. Never repeats what was published."""


@dataclass(frozen=True, slots=True)
class Order:
    """Settings for one gateway.

    Attributes:
        gateway: its name.
        rev: revision; a later order has a higher one.
        settings: text of its ``agent.toml``.
    """

    gateway: str
    rev: int
    settings: str

    def signed_bytes(self) -> bytes:
        """Give what the signature covers."""
        return "\n".join((_PURPOSE, self.gateway, str(self.rev), self.settings)).encode()


def signed(order: Order, key: Ed25519PrivateKey) -> bytes:
    """Write and sign what is published."""
    signature = key.sign(order.signed_bytes()).hex()
    return json.dumps({"v": 1, "rev": order.rev, "cfg": order.settings, "sig": signature}).encode()


def verified(payload: bytes, gateway: str, public_key: str) -> Order:
    """Read what was published for a gateway.

    Args:
        payload: as published.
        gateway: who reads it.
        public_key: the operator's, 64 hexadecimal digits.

    Raises:
        BadOrder: not an order, or not signed by the operator for this gateway.
    """
    try:
        said = json.loads(payload[:_LARGEST])
        order = Order(gateway, said["rev"], said["cfg"])
        signature = bytes.fromhex(said["sig"])
    except (ValueError, KeyError, TypeError, RecursionError) as wrong:
        raise BadOrder("not an order: revision, settings and signature in JSON") from wrong
    if type(order.rev) is not int or order.rev < 1 or not isinstance(order.settings, str):
        raise BadOrder("not an order: a revision is a number from 1, settings are text")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, order.signed_bytes())
    except (InvalidSignature, UnicodeEncodeError) as wrong:
        raise BadOrder("not signed by the operator for this gateway") from wrong
    return order


# --- keys --------------------------------------------------------------------------------------------


def new_key() -> bytes:
    """Make a private key, PEM."""
    from cryptography.hazmat.primitives import serialization  # the agent does without, for its memory

    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        InvalidValue: it is none.
    """
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as wrong:
        raise InvalidValue("not a private key in PEM without a passphrase") from wrong
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidValue("not an Ed25519 key")
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """Give the public key as gateways are told it: 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()
