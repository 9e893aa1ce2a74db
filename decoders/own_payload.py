"""Frames whose CI field says that the payload is the manufacturer's own: what their headers tell.

:func:`decoders.decode.decode` refuses them, and says what it knows in its error. Whoever has payload readers
can ask here first, and needs no error.
"""

from __future__ import annotations

from decoders.quick_records import quick_telegram
from decoders.telegram import Security, Telegram
from decoders.wmbus import link
from decoders.wmbus.ci import CI, Content

__all__ = ["own_payload"]

_CI_AT = 10
_UNPROTECTED = Security()


def own_payload(frame: link.Frame) -> Telegram | None:
    """Give the telegram that decoding would refuse as ``manufacturer_specific``, its payload in ``plain``.

    Returns:
        What the error's ``known`` would be; ``None`` for all other frames, and for those that have another
        layer around the payload.

    Raises:
        FrameError: ``not_a_frame`` if M holds no letters.
    """
    data = frame.data
    if (
        frame.wired
        or frame.missing
        or len(data) <= _CI_AT
        or CI[data[_CI_AT]].content is not Content.MANUFACTURER
    ):
        return None
    head = link.header(data)
    control = link.CONTROL.get(head.control)
    if control is None or not control.from_meter:
        return None
    return quick_telegram(
        data,
        head.sender,
        head.sender,
        head.control,
        (data[_CI_AT],),
        None,
        None,
        _UNPROTECTED,
        (),
        b"",
        False,
        data[_CI_AT + 1 :],
        (),
        False,
    )
