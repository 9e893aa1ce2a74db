"""Certificates, and how long they are good for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509

from service.checking.line import Line, fault, ok, warning

__all__ = ["days_line", "file_lines"]

_SOON, _NOW = 30, 7
"""Days left: to be told, and to be told loudly."""

_RENEW = "renew it; when it ends, gateways and service cannot reach the broker"


def days_line(what: str, whose: str, ends: datetime, now: datetime) -> Line:
    """Say how long a certificate is good for."""
    days = (ends - now).total_seconds() / 86400
    said = f"{whose} is good for {int(days)} days, until {ends:%Y-%m-%d}"
    if days < 0:
        return fault(what, f"{whose} ended on {ends:%Y-%m-%d}", "renew it now")
    if days < _NOW:
        return fault(what, said, _RENEW)
    if days < _SOON:
        return warning(what, said, _RENEW)
    return ok(what, said)


def file_lines(name: str, file: Path, now: datetime) -> Iterator[Line]:
    """Look at the certificates of a PEM file; the one that ends first counts."""
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as wrong:
        yield fault(name, f"{file} cannot be read: {wrong.strerror}", "check path and rights")
        return
    except ValueError:
        yield fault(name, f"{file} holds no certificate in PEM form", "name the right file in [mqtt]")
        return
    ends = min(one.not_valid_after_utc for one in found)
    yield days_line(name, str(file), ends, now)
