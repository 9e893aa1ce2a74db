"""Which telegrams are passed on, and how often: for a narrow uplink from a block of flats."""

from __future__ import annotations

from collections.abc import Collection

from gateway_firmware_config.agent.link_header import senders
from gateway_firmware_config.agent.received import Frame, Pulse

__all__ = ["Selection", "kind_of"]


class Selection:
    """Says which telegrams are wanted: all, those of some manufacturers, those of listed meters.

    Args:
        meters: meter ids ``KAM-76348799-1b-16``, or serials alone; empty = all.
        manufacturers: three-letter codes; empty = all.
        interval_s: at most one telegram of a kind per meter in so many seconds, the newest; 0 = every one.
    """

    def __init__(
        self, meters: Collection[str] = (), manufacturers: Collection[str] = (), interval_s: int = 0
    ) -> None:
        self._meters = frozenset(meters)
        self._manufacturers = frozenset(manufacturers)
        self.interval_ms = interval_s * 1000

    def wants(self, event: Frame | Pulse) -> bool:
        """Whether to pass it on; pulses always."""
        if isinstance(event, Pulse) or not (self._meters or self._manufacturers):
            return True
        return any(
            sender.manufacturer in self._manufacturers
            or sender.serial in self._meters
            or str(sender) in self._meters
            for sender in senders(event.data)
        )


def kind_of(event: Frame | Pulse) -> str:
    """Name what a newer telegram takes the place of: same sender, same CI field, same length.

    Some meters send short telegrams that mean nothing without the long one now and then; so those of
    different length are thinned apart.
    """
    if isinstance(event, Pulse):
        return f"pulse {event.channel}"
    data = event.data
    if data[:1] == b"\x68":
        return f"wired {data[5:15].hex()} {len(data)}"
    return f"radio {data[2:11].hex()} {len(data)}"
