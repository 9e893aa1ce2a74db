"""A folder on another machine, over SFTP (SSH File Transfer Protocol, version 3).

The machine must show the host key that was written down before: a stranger gets no files. Files are written
beside, then renamed in one step (``posix-rename@openssh.com``, which OpenSSH has; else a plain rename).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from billing_bridge.export.drop import MOST_BYTES, DropUnavailable
from metering.errors import InvalidValue

if TYPE_CHECKING:
    import paramiko

__all__ = ["SftpDrop", "SftpPlace", "host_key"]

_TIMEOUT = 20.0
"""Seconds for connecting, and for each answer."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SftpPlace:
    """Where and as whom.

    Attributes:
        host: name or address.
        user: to log in as.
        known_key: ``ssh-ed25519 AAAA...``, as ``ssh-keyscan`` prints it behind the name.
        outgoing: folder where files are left.
        incoming: folder where answers are found.
        port: of the server.
        key_file: private key to log in with, not locked by a passphrase.
        password: to log in with if there is no key file.
    """

    host: str
    user: str
    known_key: str
    outgoing: PurePosixPath
    incoming: PurePosixPath
    port: int = 22
    key_file: Path | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.user}@{self.host}:{self.port}"


def host_key(text: str) -> tuple[str, str]:
    """Split ``ssh-ed25519 AAAA...`` (a name before it is passed over) into kind and key.

    Raises:
        InvalidValue: not such a text.
    """
    words = text.split()
    kinds = [number for number, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-"))]
    if not kinds or len(words) < kinds[0] + 2:
        raise InvalidValue("a host key looks like 'ssh-ed25519 AAAA...': run ssh-keyscan HOST and compare it")
    return words[kinds[0]], words[kinds[0] + 1]


class SftpDrop:
    """A folder behind SSH; the connection is opened when it is needed and kept."""

    def __init__(self, place: SftpPlace) -> None:
        """Prepare; nothing is opened.

        Raises:
            InvalidValue: the host key is none, or there is nothing to log in with.
        """
        host_key(place.known_key)
        if place.key_file is None and place.password is None:
            raise InvalidValue(f"{place.where}: neither a key file nor a password to log in with")
        self._place = place
        self._transport: paramiko.Transport | None = None
        self._sftp: paramiko.SFTPClient | None = None

    def put(self, name: str, content: bytes) -> None:
        """Write beside, rename; then look whether all of it is there."""
        final = str(self._place.outgoing / name)

        def write(sftp: paramiko.SFTPClient) -> None:
            with sftp.open(f"{final}.part", "wb") as out:
                out.set_pipelined(True)
                out.write(content)
            _rename(sftp, f"{final}.part", final)

        self._with(write)

    def names(self) -> Sequence[str]:
        """Give the names of the files there."""
        return self._with(lambda sftp: sorted(sftp.listdir(str(self._place.incoming))))

    def get(self, name: str) -> bytes:
        """Give a file."""

        def read(sftp: paramiko.SFTPClient) -> bytes:
            with sftp.open(str(self._place.incoming / name), "rb") as file:
                return bytes(file.read(MOST_BYTES + 1))

        return self._with(read)

    def close(self) -> None:
        """Close the connection."""
        transport, self._transport, self._sftp = self._transport, None, None
        if transport is not None:
            transport.close()

    def _with(self, work: Callable[[paramiko.SFTPClient], _T]) -> _T:
        import paramiko

        try:
            return work(self._connected())
        except (OSError, EOFError, paramiko.SSHException) as wrong:
            self.close()
            raise DropUnavailable(f"{self._place.where}: {_reason(wrong)}") from wrong

    def _connected(self) -> paramiko.SFTPClient:
        if self._sftp is None or self._transport is None or not self._transport.is_active():
            self.close()
            self._transport, self._sftp = self._open()
        return self._sftp

    def _open(self) -> tuple[paramiko.Transport, paramiko.SFTPClient]:
        import paramiko

        place = self._place
        wire = socket.create_connection((place.host, place.port), _TIMEOUT)
        transport = paramiko.Transport(wire)
        try:
            transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = _TIMEOUT
            kind, known = host_key(place.known_key)
            options = transport.get_security_options()
            options.key_types = tuple(one for one in options.key_types if _same_kind(one, kind))
            transport.start_client(timeout=_TIMEOUT)
            _demand_known(place, transport.get_remote_server_key().get_base64(), known)
            _log_in(transport, place)
            return transport, _files(transport, place)
        except BaseException:
            transport.close()
            raise


def _demand_known(place: SftpPlace, shown: str, known: str) -> None:
    if shown != known:
        raise DropUnavailable(
            f"{place.where} shows another host key than the one written down; nothing was sent. "
            "If the server was replaced, run ssh-keyscan and put the new key into the settings"
        )


def _files(transport: paramiko.Transport, place: SftpPlace) -> paramiko.SFTPClient:
    import paramiko

    sftp = paramiko.SFTPClient.from_transport(transport)
    if sftp is None:
        raise DropUnavailable(f"{place.where}: no SFTP there")
    channel = sftp.get_channel()
    if channel is not None:
        channel.settimeout(_TIMEOUT)
    return sftp


def _same_kind(algorithm: str, kind: str) -> bool:
    return algorithm == kind or (kind == "ssh-rsa" and algorithm.startswith("rsa-sha2-"))


def _log_in(transport: paramiko.Transport, place: SftpPlace) -> None:
    import paramiko

    try:
        if place.key_file is None:
            transport.auth_password(place.user, place.password or "")
            return
        key = paramiko.PKey.from_path(place.key_file)
        transport.auth_publickey(place.user, key)
    except paramiko.AuthenticationException as wrong:
        raise DropUnavailable(f"{place.where} does not let us in: check user, key and password") from wrong
    except TypeError as wrong:
        raise DropUnavailable(
            f"the key file {place.key_file} wants a passphrase; a service has none"
        ) from wrong
    except (OSError, ValueError) as wrong:
        raise DropUnavailable(
            f"the key file {place.key_file} cannot be used: {type(wrong).__name__}"
        ) from wrong


def _rename(sftp: paramiko.SFTPClient, part: str, final: str) -> None:
    try:
        sftp.posix_rename(part, final)
    except OSError:
        with suppress(OSError):
            sftp.remove(final)
        sftp.rename(part, final)


def _reason(wrong: Exception) -> str:
    if isinstance(wrong, OSError):
        return wrong.strerror or str(wrong) or "no answer"
    return str(wrong) or "the connection broke off"
