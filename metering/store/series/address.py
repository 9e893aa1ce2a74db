"""Where a series store is, and how to log in."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from metering.errors import InvalidValue

__all__ = ["Access", "check_url"]


@dataclass(frozen=True, slots=True)
class Access:
    """Where a series store is and how to log in.

    Attributes:
        url: ``http://host:8086``, without login.
        database: database (1.x), bucket (2.x) or database (3.x).
        org: organisation, 2.x only.
        username: for 1.x with authentication.
        secret: password or token.
        write_api: ``v1`` or ``v2``.
        gzip: pack what is sent.
        timeout_s: for one request.
        ca_file: certificates to trust; the system's if not set.
    """

    url: str
    database: str = "nurt"
    org: str = ""
    username: str = ""
    secret: str = field(default="", repr=False)
    write_api: str = "v2"
    gzip: bool = True
    timeout_s: float = 10.0
    ca_file: str | None = None


def check_url(url: str) -> str:
    """Let only addresses of HTTP servers pass, without login: an address is shown and logged.

    Raises:
        InvalidValue: not one.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise InvalidValue("the address of a series store holds no login; use username and password_file")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise InvalidValue("the address of a series store looks like http://localhost:8086")
    return url.rstrip("/")
