"""Sessions: a signed note of who signed in and until when, carried by the browser in a cookie.

::

    <name, base64url>.<until, seconds since 1970>.<random>.<signature>
    signature   HMAC-SHA256 of all before it, the person's role and password hash, under the file's secret

Nothing is kept here: whoever gets another password or role, or is taken out of the file, is signed out.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from service.operators.book import Book, Person

__all__ = ["COOKIE", "minted", "person_of"]

COOKIE = "nurt_operator"

_MOST = 400


def minted(person: Person, book: Book, now: datetime, lasting: timedelta) -> str:
    """Give the cookie of somebody who just signed in."""
    name = base64.urlsafe_b64encode(person.name.encode()).rstrip(b"=").decode()
    body = f"{name}.{int((now + lasting).timestamp())}.{secrets.token_urlsafe(9)}"
    return f"{body}.{_signed(body, person, book)}"


def person_of(cookie: str, book: Book, now: datetime) -> Person | None:
    """Give who a cookie stands for; ``None`` if it is not ours, or not valid any more."""
    body, _, signature = cookie.rpartition(".")
    name, until, *_ = *body.split(".", 2), "", ""
    person = book.person(_name(name)) if len(cookie) <= _MOST else None
    if person is None or not book.secret or not (until.isascii() and until.isdecimal()):
        return None
    if not hmac.compare_digest(_signed(body, person, book).encode(), signature.encode()):
        return None
    return person if now.timestamp() < int(until) else None


def _signed(body: str, person: Person, book: Book) -> str:
    told = f"{body}\n{person.name}\n{person.role.value}\n{person.password}"
    return hmac.new(book.secret, told.encode(), sha256).hexdigest()


def _name(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
    except (ValueError, binascii.Error):
        return ""
