"""The way to a series store: HTTP with the login in a header, and faults in sentences."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import orjson
import structlog
import urllib3
from influxdb_client import InfluxDBClient  # type: ignore[attr-defined]
from influxdb_client.client.write.retry import WritesRetry
from influxdb_client.client.write_api import SYNCHRONOUS, WriteApi
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError, MaxRetryError

from metering.errors import StoreError, StoreUnavailable
from metering.store.series.address import Access, check_url

__all__ = ["Link"]

_log = structlog.get_logger(__name__)

_TRIES = 1
"""Tries again within one call; whoever calls goes on trying for as long as it takes."""

_SHOWN = 200


class Link:
    """One server. Threads may share it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._url = check_url(access.url)
        self.where = f"the series store {self._url} ({access.database})"
        self._pool = urllib3.PoolManager(
            maxsize=4,
            timeout=access.timeout_s,
            retries=urllib3.Retry(_TRIES, backoff_factor=0.2, allowed_methods=None, redirect=0, status=0),
            headers=_login(access),
            ca_certs=access.ca_file,
        )
        self._client: InfluxDBClient | None = None
        self._writer: WriteApi | None = None

    def write(self, lines: Sequence[str]) -> None:
        """Write lines with times in microseconds.

        Raises:
            StoreUnavailable: not reached, or too busy.
            StoreError: refused.
        """
        body = "\n".join(lines).encode("utf-8", "replace")
        try:
            with self._faults():
                if self._access.write_api == "v1":
                    self._write_v1(body)
                else:
                    self._v2().write(self._access.database, self._access.org, body, write_precision="us")  # type: ignore[arg-type]
        except _TooOldError as old:
            _log.warning("series.too_old", said=str(old))

    def rows(self, query: str, **more: str) -> Iterator[tuple[Mapping[str, str], Sequence[str], list[Any]]]:
        """Ask in InfluxQL; gives tags, column names and each row. Times are microseconds.

        Raises:
            StoreUnavailable: not reached, or too busy.
            StoreError: refused.
        """
        asked = {"db": self._access.database, "epoch": "u", **more}
        with self._faults():
            answer = self.request("POST", f"/query?{urlencode(asked)}", body=urlencode({"q": query}).encode())
        for text in answer.splitlines():
            for result in self._results(orjson.loads(text)):
                for series in result.get("series", ()):
                    tags = series.get("tags") or {}
                    for row in series.get("values", ()):
                        yield tags, series["columns"], row

    def request(self, method: str, path: str, *, body: bytes | None = None, kind: str = "") -> bytes:
        """Ask for a path.

        Raises:
            StoreUnavailable: not reached, or too busy.
            StoreError: refused.
        """
        headers = {"Content-Type": kind or "application/x-www-form-urlencoded"} if body is not None else {}
        if body is not None and self._access.gzip and kind:
            body, headers = gzip.compress(body, 3), headers | {"Content-Encoding": "gzip"}
        with self._faults():
            answer = self._pool.request(
                method, self._url + path, body=body, headers={**self._pool.headers, **headers}
            )
        if answer.status >= 300:
            raise self._fault(answer.status, answer.data)
        return answer.data

    def close(self) -> None:
        """Let go of connections."""
        writer, client, self._writer, self._client = self._writer, self._client, None, None
        if writer is not None:
            writer.close()  # type: ignore[no-untyped-call]
        if client is not None:
            client.close()  # type: ignore[no-untyped-call]
        self._pool.clear()

    def _write_v1(self, body: bytes) -> None:
        asked = urlencode({"db": self._access.database, "precision": "u"})
        self.request("POST", f"/write?{asked}", body=body, kind="text/plain; charset=utf-8")

    def _v2(self) -> WriteApi:
        if self._writer is None:
            access = self._access
            login = f"{access.username}:{access.secret}" if access.username else access.secret
            self._client = InfluxDBClient(
                self._url,
                login,
                org=access.org or "-",
                timeout=int(access.timeout_s * 1000),
                enable_gzip=access.gzip,
                ssl_ca_cert=access.ca_file,
                retries=WritesRetry(total=_TRIES, retry_interval=1, max_retry_delay=1, max_retry_time=3),
            )
            self._writer = self._client.write_api(write_options=SYNCHRONOUS)
        return self._writer

    def _results(self, answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        results: Sequence[Mapping[str, Any]] = answer.get("results", ())
        for said in (answer, *results):
            if "error" in said:
                raise self._fault(400, str(said["error"]).encode())
        return results

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except ApiException as wrong:
            raise self._fault(wrong.status or 0, str(wrong.body or "").encode()) from None
        except (HTTPError, OSError) as wrong:
            cause = wrong.reason if isinstance(wrong, MaxRetryError) and wrong.reason else wrong
            raise StoreUnavailable(f"{self.where} is not reached: {_plain(cause)}") from None

    def _fault(self, status: int, body: bytes) -> StoreError:
        said = _message(body)
        if "beyond retention policy" in said or "outside retention policy" in said:
            return _TooOldError(said)
        if status in {401, 403}:
            return StoreError(
                f"{self.where} refuses the login ({status}); see [series] username, password_file"
            )
        if "database not found" in said or (status == 404 and "not found" in said):
            return StoreError(f"{self.where} has no such database or bucket ({said}); make it there first")
        if status in {0, 408, 429} or status >= 500:
            return StoreUnavailable(f"{self.where} answers {status or 'nothing'}: {said}")
        return StoreError(f"{self.where} refuses ({status}): {said}")


class _TooOldError(StoreError):
    """Points older than the target keeps; it kept all others of the request."""


def _login(access: Access) -> dict[str, str]:
    if not access.secret and not access.username:
        return {}
    if access.username:
        return urllib3.make_headers(basic_auth=f"{access.username}:{access.secret}")
    return {"Authorization": f"Token {access.secret}"}


def _plain(cause: BaseException) -> str:
    """Say what is wrong without objects and addresses of the library."""
    text = str(cause)
    for said in ("Connection refused", "timed out", "Name or service not known", "certificate"):
        if said.lower() in text.lower():
            return said.lower()
    return type(cause).__name__


def _message(body: bytes) -> str:
    """Take what an answer says, from JSON or plain."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = body.decode("utf-8", "replace")
    if isinstance(answer, dict):
        answer = answer.get("error") or answer.get("message") or ""
    return " ".join(str(answer).split())[:_SHOWN]
