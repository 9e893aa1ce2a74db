"""Decoders: bytes become telegrams, telegrams become fields.

Pure: no clock, no I/O, no state between calls but what the caller owns (record layouts). Lives here: the
Wireless M-Bus and wired M-Bus protocol, meter models, the byte-by-byte trace and the builder that makes
frames out of values. May not live here: MQTT, databases, the registry, anything that asks what time it is.
"""

from decoders.decode import decode, peek
from decoders.errors import CODES, DecodeError, FrameError, LayerError, RecordError, SecurityError
from decoders.telegram import Keys, Record, Security, Telegram, Value, no_keys
from decoders.wmbus.layouts import Layouts

__all__ = [
    "CODES",
    "DecodeError",
    "FrameError",
    "Keys",
    "LayerError",
    "Layouts",
    "Record",
    "RecordError",
    "Security",
    "SecurityError",
    "Telegram",
    "Value",
    "decode",
    "no_keys",
    "peek",
]
