"""Messages that come in several frames, put together along a stream of lines.

Every line is answered at once: a frame that is one part of a message is told as such (``fragment``), the one
that makes it whole with all the message says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from decoders.assembly import Assembly
from decoders.errors import DecodeError
from decoders.telegram import Keys, Telegram, no_keys
from decoders.wmbus.layouts import Layouts
from metering.meter import MeterId

__all__ = ["InParts"]


class InParts:
    """Decodes frames; remembers the parts of messages, within the limit of an :class:`Assembly`.

    Args:
        decode: decodes one frame.
        layouts: record layouts known so far, for compact frames.
    """

    def __init__(self, decode: Callable[[bytes, Keys], Telegram], layouts: Layouts) -> None:
        self._decode = decode
        self._keys: Keys = no_keys
        self._assembly = Assembly(self._ask, layouts)

    def decode(self, frame: bytes, keys: Keys) -> Telegram:
        """Decode a frame, or the message it is the last missing part of.

        Raises:
            DecodeError: as the decoder says; ``fragment`` while parts are missing.
        """
        try:
            return self._decode(frame, keys)
        except DecodeError as error:
            whole = self._with_others(frame, keys) if error.code == "fragment" else None
            if whole is None:
                raise
            return whole

    def _with_others(self, frame: bytes, keys: Keys) -> Telegram | None:
        self._keys = keys
        try:
            return self._assembly.take(frame)
        finally:
            self._keys = no_keys

    def _ask(self, meter: MeterId) -> Sequence[bytes]:
        return self._keys(meter)
