"""Signed tokens with which a utility's own portal shows us to a customer.

::

    n1.<claims>.<signature>          both base64url without padding
    claims      {"k": "ebok", "c": "U-104", "p": "SP-7", "iat": 1775030400, "exp": 1775034000}
    signature   HMAC-SHA256 of "n1.<claims>" under the portal's secret

``k`` names the secret, so every portal has its own and two may be valid while one is changed. The contract
``c`` and the service point ``p`` say whose consumption; which span of it is what the tenancies say, never the
token.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets as chance
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from metering.errors import InvalidValue, SettingsError

__all__ = ["LONGEST", "Claims", "Refused", "Secrets", "mint", "new_secret", "read_secrets", "verify"]

LONGEST = timedelta(days=1)
"""A token that would be valid longer is refused: it may be in a browser's history."""

_PREFIX = "n1"
_SKEW = timedelta(minutes=2)
"""By how much the portal's clock may go before ours."""

_NAME = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)
_SECRET_BYTES = 32


class Refused(InvalidValue):
    """A token is not valid; the sentence does not say more than its bearer may know.

    Attributes:
        expired: whether it was valid once.
    """

    def __init__(self, *, expired: bool = False) -> None:
        self.expired = expired
        how = "has expired" if expired else "is not valid"
        super().__init__(f"this link {how}; open it from your customer account again")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says.

    Attributes:
        portal: whose secret signed it.
        contract: number.
        service_point: whose consumption.
        issued_at: UTC.
        expires_at: UTC.
    """

    portal: str
    contract: str
    service_point: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets of portals by name; never shown."""

    by_name: Mapping[str, bytes] = field(repr=False)


def new_secret() -> str:
    """Make a secret for a portal: 32 random bytes in base64."""
    return base64.b64encode(chance.token_bytes(_SECRET_BYTES)).decode()


def read_secrets(path: Path) -> Secrets:
    """Read a file of lines ``name secret``; blank lines and ``#`` lines are passed over.

    Raises:
        SettingsError: it cannot be read, or a line is not such a line; no secret is repeated.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        reason = getattr(wrong, "strerror", None) or "not UTF-8 text"
        raise SettingsError(f"customers.key_file {path} cannot be read: {reason}") from wrong
    found: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, secret = _line(line, f"{path} line {number}")
            if name in found:
                raise SettingsError(f"{path} line {number}: {name} is there already")
            found[name] = secret
    if not found:
        raise SettingsError(f"{path} holds no secret; nurt customers key NAME makes one")
    return Secrets(found)


def _line(line: str, where: str) -> tuple[str, bytes]:
    words = line.split()
    if len(words) != 2 or not _NAME.fullmatch(words[0]):
        raise SettingsError(f"{where} is not 'name secret'; names are a-z 0-9 _ -")
    try:
        secret = base64.b64decode(words[1], validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) < _SECRET_BYTES:
        raise SettingsError(f"{where}: the secret is not base64 of {_SECRET_BYTES} bytes or more")
    return words[0], secret


def mint(claims: Claims, secrets: Secrets) -> str:
    """Make a token.

    Raises:
        InvalidValue: no such portal, or valid for too long.
    """
    secret = secrets.by_name.get(claims.portal)
    if secret is None:
        raise InvalidValue(f"there is no secret of {claims.portal}")
    if claims.expires_at - claims.issued_at > LONGEST:
        raise InvalidValue(f"a token is valid for {LONGEST.total_seconds() / 3600:.0f} h at most")
    said = {
        "k": claims.portal,
        "c": claims.contract,
        "p": claims.service_point,
        "iat": int(claims.issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
    }
    body = f"{_PREFIX}.{_encode(json.dumps(said, separators=(',', ':'), ensure_ascii=False).encode())}"
    return f"{body}.{_encode(_sign(body, secret))}"


def verify(token: str, secrets: Secrets, now: datetime) -> Claims:
    """Read a token that was given to us.

    Raises:
        Refused: it is not ours, was changed, or is not valid now.
    """
    body, _, signature = token.rpartition(".")
    prefix, _, told = body.partition(".")
    if prefix != _PREFIX or len(token) > 2000:
        raise Refused
    said = _claims(told)
    secret = secrets.by_name.get(str(said.get("k")), b"")
    if not hmac.compare_digest(_sign(body, secret or b"none"), _decode(signature)) or not secret:
        raise Refused
    claims = _read(said)
    if now >= claims.expires_at:
        raise Refused(expired=True)
    if claims.issued_at > now + _SKEW or claims.expires_at - claims.issued_at > LONGEST:
        raise Refused
    return claims


def _claims(told: str) -> Mapping[str, Any]:
    try:
        said = json.loads(_decode(told))
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _read(said: Mapping[str, Any]) -> Claims:
    try:
        issued, expires = (datetime.fromtimestamp(int(said[name]), UTC) for name in ("iat", "exp"))
        return Claims(str(said["k"]), str(said["c"]), str(said["p"]), issued, expires)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise Refused from None


def _sign(body: str, secret: bytes) -> bytes:
    return hmac.new(secret, body.encode(), sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return b""
