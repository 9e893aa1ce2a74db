"""Standard Webhooks 1.0.0 signatures: HMAC-SHA256 over ``{id}.{timestamp}.{body}``."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from metering.errors import InvalidValue

__all__ = ["TOLERANCE", "Secret", "sign", "verify"]

TOLERANCE = timedelta(minutes=5)
"""How far the timestamp of a message may be off."""

_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Secret:
    """A shared secret. Never logged or shown."""

    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Secret:
        """Read ``whsec_`` and base64 of 24 to 64 bytes.

        Raises:
            InvalidValue: not such a text; the sentence does not repeat it.
        """
        try:
            key = base64.b64decode(text.strip().removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not text.strip().startswith(_PREFIX) or not 24 <= len(key) <= 64:
            raise InvalidValue("a webhook secret is whsec_ and base64 of 24 to 64 bytes")
        return cls(key)


def sign(secrets: Sequence[Secret], identity: str, at: datetime, body: bytes) -> str:
    """Give ``webhook-signature``: one signature per secret, so that secrets can be changed over."""
    return " ".join(f"v1,{_of(secret, identity, at, body)}" for secret in secrets)


def verify(secret: Secret, headers: dict[str, str], body: bytes, now: datetime) -> bool:
    """Say whether a message is from who holds the secret, and from now. Header names in lower case."""
    try:
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), now.tzinfo)
        identity, signatures = headers["webhook-id"], headers["webhook-signature"]
    except (KeyError, ValueError, OverflowError, OSError):
        return False
    if abs(now - at) > TOLERANCE:
        return False
    expected = f"v1,{_of(secret, identity, at, body)}".encode()
    return any(hmac.compare_digest(expected, one.encode()) for one in signatures.split(" "))


def _of(secret: Secret, identity: str, at: datetime, body: bytes) -> str:
    signed = f"{identity}.{int(at.timestamp())}.".encode() + body
    return base64.b64encode(hmac.new(secret.key, signed, sha256).digest()).decode()
