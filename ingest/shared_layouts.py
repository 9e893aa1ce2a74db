"""What several processes learnt about compact frames, told to one another through the store.

With shared subscriptions a full frame may reach one worker and the compact frames that need its layout
another. What was told also outlives a restart.
"""

from __future__ import annotations

from decoders.wmbus.layouts import Layouts
from metering.meter import MeterId
from metering.ports import Transaction

__all__ = ["MARK", "exchange"]

MARK = "layouts"

_MOST = 4096
"""Lines kept, the newest; as many as a process knows at most."""


def exchange(layouts: Layouts, transaction: Transaction) -> str:
    """Learn what others told, tell what they do not know; gives what is told now.

    A line is ``MANUFACTURER VERSION DEVICE_TYPE HEADERS``, the headers in hexadecimal.
    """
    told = transaction.upkeep.mark(MARK).splitlines()
    known = [" ".join([*kind, headers.hex()]) for kind, headers in layouts.learnt()]
    for line in set(told) - set(known):
        manufacturer, version, device_type, headers = line.split(" ")
        layouts.learn(MeterId(manufacturer, "00000000", version, device_type), bytes.fromhex(headers))
    text = "\n".join(list(dict.fromkeys([*told, *known]))[-_MOST:])
    if set(known) - set(told):
        transaction.upkeep.set_mark(MARK, text)
        return text
    return "\n".join(told)
