"""Techem MK Radio 4 water meter: volume at the due date and since, in tenths of a cubic metre."""

from __future__ import annotations

from decoders.payload import NOT_MINE, Payload, Sent
from decoders.techem import volumes

__all__ = ["read_payload"]

_CIS = frozenset({0xA0, 0xA2})


def read_payload(sent: Sent) -> Payload:
    """Read total and value at the due date; where MK Radio 3 has its dates stands something else.

    Raises:
        LayerError: ``truncated``.
    """
    return Payload(volumes(sent.application), whole=True) if sent.ci in _CIS else NOT_MINE
