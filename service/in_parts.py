"""Messages that come in several frames, put together along a stream of lines.

Every line is answered at once: a frame that is one part of a message is told as such (``fragment``), the one
that makes it whole with all the message says. A telegram after which more records follow (DIF ``1F``) is told
for itself, the last of them with the records of all. There are meters that say so of each telegram, and
nothing follows: one that has a register again does not continue the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from decoders.assembly import Assembly
from decoders.errors import DecodeError
from decoders.telegram import Keys, Telegram, no_keys
from decoders.wmbus.layouts import Layouts
from metering.meter import MeterId

__all__ = ["Headers", "InParts", "headers_of"]

Headers = tuple[tuple[bytes, bytes], ...]
"""DIB and VIB of each record."""

_WIRED = 0x68
_MOST_SENDERS = 1024
"""As many unfinished messages as an :class:`Assembly` keeps."""


class InParts:
    """Decodes frames; remembers the parts of messages, within the limit of an :class:`Assembly`.

    Args:
        decode: decodes one frame.
        layouts: record layouts known so far, for compact frames.

    Attributes:
        senders: those who said that more follows, each with the headers of its last telegram.
    """

    def __init__(self, decode: Callable[[bytes, Keys], Telegram], layouts: Layouts) -> None:
        self._decode = decode
        self._keys: Keys = no_keys
        self._assembly = Assembly(self._ask, layouts)
        self.senders: dict[bytes, Headers] = {}

    def decode(self, frame: bytes, keys: Keys) -> Telegram:
        """Decode a frame, or the message it is the last missing part of.

        Raises:
            DecodeError: as the decoder says; ``fragment`` while parts are missing.
        """
        try:
            telegram = self._decode(frame, keys)
        except DecodeError as error:
            whole = self._with_others(frame, keys) if error.code == "fragment" else None
            if whole is None:
                raise
            return whole
        return self.continued(telegram)

    def concerns(self, frame: bytes) -> bool:
        """Whether a telegram may continue one that came before it."""
        return _sender(frame) in self.senders

    def begins_again(self, frame: bytes, headers: Headers) -> bool:
        """Whether a telegram has the records of the last one of its sender that said that more follow."""
        return self.senders.get(_sender(frame)) == headers

    def continued(self, telegram: Telegram) -> Telegram:
        """Give a telegram with those it continues if it is the last, else as it is.

        Without access numbers nothing proves that one follows the other.
        """
        sender, headers = _sender(telegram.frame), headers_of(telegram)
        if telegram.access is None or not (telegram.more_follows or sender in self.senders):
            return telegram
        if telegram.more_follows and self.begins_again(telegram.frame, headers):
            return telegram
        self.senders.pop(sender, None)
        if telegram.more_follows:
            self.senders[sender] = headers
            if len(self.senders) > _MOST_SENDERS:
                del self.senders[next(iter(self.senders))]
        whole = self._assembly.unite(telegram)
        if whole is None:
            return telegram
        together = headers_of(whole)
        return whole if len(set(together)) == len(together) else telegram

    def _with_others(self, frame: bytes, keys: Keys) -> Telegram | None:
        self._keys = keys
        try:
            return self._assembly.take(frame)
        finally:
            self._keys = no_keys

    def _ask(self, meter: MeterId) -> Sequence[bytes]:
        return self._keys(meter)


def headers_of(telegram: Telegram) -> Headers:
    """Give what says which registers a telegram has."""
    return tuple([(record.dib, record.vib) for record in telegram.records])


def _sender(frame: bytes) -> bytes:
    """Give the bytes of a frame that name who sends it: behind C, or behind the CI field of a wired one."""
    return frame[7:15] if frame[0] == frame[3] == _WIRED else frame[2:10]
