"""Messages a gateway packed with gzip (RFC 1952) before it published them."""

from __future__ import annotations

import zlib

from ingest.items import LARGEST
from metering.uplink import BadUplink

__all__ = ["unpacked"]

_MAGIC = b"\x1f\x8b"
_GZIP = 31
"""zlib's window bits for a gzip header and trailer around a full window."""


def unpacked(payload: bytes) -> bytes:
    """Give what was packed; what does not begin like gzip is given as it is.

    No more than :data:`~ingest.items.LARGEST` bytes are ever made of a message, however small it came.

    Raises:
        BadUplink: ``bad_gzip``: damaged, cut off, or followed by something; ``too_large``.
    """
    if not payload.startswith(_MAGIC):
        return payload
    packed = zlib.decompressobj(_GZIP)
    try:
        found = packed.decompress(payload, LARGEST + 1)
    except zlib.error as wrong:
        raise BadUplink("bad_gzip", f"gzip that cannot be unpacked: {wrong}", payload) from None
    if len(found) > LARGEST:
        raise BadUplink(
            "too_large", f"more than {LARGEST} bytes when unpacked; at most that are read", payload
        )
    if not packed.eof:
        raise BadUplink("bad_gzip", "gzip that ends before its end", payload)
    if packed.unused_data:
        raise BadUplink("bad_gzip", f"{len(packed.unused_data)} bytes behind the end of gzip", payload)
    return found
