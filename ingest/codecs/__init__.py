"""What LoRaWAN devices put into their uplinks: pure functions of port and payload, one device a file.

A codec gives what the bytes say (:mod:`ingest.codecs.content`), nothing if they say nothing that is kept (a
battery, a status), or raises :class:`~metering.uplink.BadUplink` with ``bad_port`` or ``bad_payload``.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingest.codecs import (
    adeunis_pulse,
    axioma_w1,
    izar_to_lorawan,
    kamstrup_flowiq,
    lobaro,
    milesight_em300_di,
)
from ingest.codecs.content import Codec

__all__ = ["CODECS"]

CODECS: Mapping[str, Codec] = {
    "adeunis_pulse": adeunis_pulse.read,
    "axioma_w1": axioma_w1.read,
    "izar_to_lorawan": izar_to_lorawan.read,
    "kamstrup_flowiq": kamstrup_flowiq.read,
    "lobaro": lobaro.read,
    "milesight_em300_di": milesight_em300_di.read,
}
"""Every codec by the name it has in the settings."""
