"""CI field: what follows, as a table (EN 13757-7:2018; 9E and 9F from OMS Vol. 2 issue 5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CI", "CiField", "Content", "Direction", "Header"]


class Header(StrEnum):
    """Transport header after the CI field: none, 4 bytes and more, 12 bytes and more."""

    NONE = "none"
    SHORT = "short"
    LONG = "long"


class Direction(StrEnum):
    """Who sends it."""

    TO_METER = "to meter"
    FROM_METER = "from meter"
    BOTH = "both"


class Content(StrEnum):
    """What kind of thing stands behind the CI field."""

    RECORDS = "data records"
    COMPACT = "compact frame"
    FORMAT = "format frame"
    NO_APPLICATION = "transport layer without application"
    ELL = "extended link layer"
    NETWORK = "network layer"
    AFL = "authentication and fragmentation layer"
    COMMAND = "command"
    RESPONSE = "response"
    APPLICATION_ERROR = "application error"
    ALARM = "alarm"
    OTHER_PROTOCOL = "other application protocol"
    MANAGEMENT = "management"
    MANUFACTURER = "manufacturer specific"
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class CiField:
    """One CI code.

    Attributes:
        code: 00..FF.
        name: meaning, for people.
        header: transport header that follows.
        direction: who sends it.
        content: kind of content.
    """

    code: int
    name: str
    header: Header
    direction: Direction
    content: Content


_NO, _S, _L = Header.NONE, Header.SHORT, Header.LONG
_DOWN, _UP, _BOTH = Direction.TO_METER, Direction.FROM_METER, Direction.BOTH

# First code, header of each code from there on, direction, content, name.
_ROWS: tuple[tuple[int, tuple[Header, ...], Direction, Content, str], ...] = (
    (0x00, (_NO,) * 32, _BOTH, Content.OTHER_PROTOCOL, "DLMS application"),
    (0x50, (_NO,), _DOWN, Content.COMMAND, "application reset or select"),
    (0x51, (_NO,), _DOWN, Content.COMMAND, "command, full frame"),
    (0x52, (_NO,), _DOWN, Content.COMMAND, "selection of a device"),
    (0x53, (_L,), _DOWN, Content.COMMAND, "application reset or select"),
    (0x54, (_NO, _L), _DOWN, Content.COMMAND, "request of selected application"),
    (0x5A, (_S, _L), _DOWN, Content.COMMAND, "command, full frame"),
    (0x5C, (_NO,), _DOWN, Content.COMMAND, "synchronise action"),
    (0x5F, (_L,), _DOWN, Content.MANAGEMENT, "specific usage (security services)"),
    (0x60, (_L, _S), _DOWN, Content.OTHER_PROTOCOL, "DLMS/COSEM command"),
    (0x64, (_L, _S), _DOWN, Content.OTHER_PROTOCOL, "OBIS-type command"),
    (0x66, (_NO, _S, _L), _UP, Content.RESPONSE, "response of selected application"),
    (0x69, (_NO, _S, _L), _UP, Content.FORMAT, "format frame"),
    (0x6C, (_L,), _DOWN, Content.COMMAND, "clock synchronisation, absolute"),
    (0x6D, (_L,), _DOWN, Content.COMMAND, "clock synchronisation, relative"),
    (0x6E, (_S, _L, _NO), _UP, Content.APPLICATION_ERROR, "application error"),
    (0x71, (_NO,), _UP, Content.ALARM, "alarm"),
    (0x72, (_L,), _UP, Content.RECORDS, "full frame"),
    (0x73, (_L,), _UP, Content.COMPACT, "compact frame"),
    (0x74, (_S, _L), _UP, Content.ALARM, "alarm"),
    (0x78, (_NO,), _UP, Content.RECORDS, "full frame"),
    (0x79, (_NO,), _UP, Content.COMPACT, "compact frame"),
    (0x7A, (_S,), _UP, Content.RECORDS, "full frame"),
    (0x7B, (_S,), _UP, Content.COMPACT, "compact frame"),
    (0x7C, (_L, _S), _UP, Content.OTHER_PROTOCOL, "DLMS/COSEM response"),
    (0x7E, (_L, _S), _UP, Content.OTHER_PROTOCOL, "OBIS-type response"),
    (0x80, (_L,), _DOWN, Content.NO_APPLICATION, "transport layer only"),
    (0x81, (_NO,), _BOTH, Content.NETWORK, "network layer"),
    (0x82, (_L, _NO), _DOWN, Content.MANAGEMENT, "network management"),
    (0x84, (_L,), _DOWN, Content.NO_APPLICATION, "transport layer only, compact frame expected"),
    (0x85, (_L,), _DOWN, Content.NO_APPLICATION, "transport layer only, format frame expected"),
    (0x86, (_NO,), _BOTH, Content.ELL, "extended link layer V"),
    (0x87, (_L, _S, _NO), _UP, Content.MANAGEMENT, "network management"),
    (0x8A, (_S, _L), _UP, Content.NO_APPLICATION, "transport layer only"),
    (0x8C, (_NO,), _BOTH, Content.ELL, "extended link layer I"),
    (0x8D, (_NO,), _BOTH, Content.ELL, "extended link layer II"),
    (0x8E, (_NO,), _BOTH, Content.ELL, "extended link layer III"),
    (0x8F, (_NO,), _BOTH, Content.ELL, "extended link layer IV"),
    (0x90, (_NO,), _BOTH, Content.AFL, "authentication and fragmentation layer"),
    (0x9E, (_S, _L), _UP, Content.MANAGEMENT, "specific usage"),
    (0xA0, (_NO,) * 24, _BOTH, Content.MANUFACTURER, "manufacturer specific"),
    (0xB8, (_NO,) * 8, _DOWN, Content.COMMAND, "set baud rate"),
    (0xC0, (_L,), _DOWN, Content.MANAGEMENT, "image transfer"),
    (0xC1, (_S, _L), _UP, Content.MANAGEMENT, "image transfer"),
    (0xC3, (_L,), _DOWN, Content.MANAGEMENT, "security information transfer"),
    (0xC4, (_S, _L), _UP, Content.MANAGEMENT, "security information transfer"),
)


def _table() -> tuple[CiField, ...]:
    """Every code from 00 to FF; what no row names is reserved."""
    table = [CiField(code, "reserved", _NO, _BOTH, Content.RESERVED) for code in range(256)]
    for first, headers, direction, content, name in _ROWS:
        for code, header in enumerate(headers, first):
            table[code] = CiField(code, name, header, direction, content)
    return tuple(table)


CI = _table()
"""The CI field of each code."""
