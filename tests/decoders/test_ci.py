"""The CI table against the standard's rows."""

import pytest

from decoders.wmbus.ci import CI, Content, Direction, Header


def test_every_code_has_its_row():
    assert [entry.code for entry in CI] == list(range(256))
    assert all(entry.name for entry in CI)


@pytest.mark.parametrize(
    ("code", "header", "direction", "content"),
    [
        (0x72, Header.LONG, Direction.FROM_METER, Content.RECORDS),
        (0x7A, Header.SHORT, Direction.FROM_METER, Content.RECORDS),
        (0x78, Header.NONE, Direction.FROM_METER, Content.RECORDS),
        (0x73, Header.LONG, Direction.FROM_METER, Content.COMPACT),
        (0x79, Header.NONE, Direction.FROM_METER, Content.COMPACT),
        (0x7B, Header.SHORT, Direction.FROM_METER, Content.COMPACT),
        (0x69, Header.NONE, Direction.FROM_METER, Content.FORMAT),
        (0x6A, Header.SHORT, Direction.FROM_METER, Content.FORMAT),
        (0x6B, Header.LONG, Direction.FROM_METER, Content.FORMAT),
        (0x6E, Header.SHORT, Direction.FROM_METER, Content.APPLICATION_ERROR),
        (0x6F, Header.LONG, Direction.FROM_METER, Content.APPLICATION_ERROR),
        (0x70, Header.NONE, Direction.FROM_METER, Content.APPLICATION_ERROR),
        (0x71, Header.NONE, Direction.FROM_METER, Content.ALARM),
        (0x74, Header.SHORT, Direction.FROM_METER, Content.ALARM),
        (0x75, Header.LONG, Direction.FROM_METER, Content.ALARM),
        (0x50, Header.NONE, Direction.TO_METER, Content.COMMAND),
        (0x5B, Header.LONG, Direction.TO_METER, Content.COMMAND),
        (0x60, Header.LONG, Direction.TO_METER, Content.OTHER_PROTOCOL),
        (0x7D, Header.SHORT, Direction.FROM_METER, Content.OTHER_PROTOCOL),
        (0x81, Header.NONE, Direction.BOTH, Content.NETWORK),
        (0x86, Header.NONE, Direction.BOTH, Content.ELL),
        (0x8A, Header.SHORT, Direction.FROM_METER, Content.NO_APPLICATION),
        (0x8B, Header.LONG, Direction.FROM_METER, Content.NO_APPLICATION),
        (0x8C, Header.NONE, Direction.BOTH, Content.ELL),
        (0x8F, Header.NONE, Direction.BOTH, Content.ELL),
        (0x90, Header.NONE, Direction.BOTH, Content.AFL),
        (0xA0, Header.NONE, Direction.BOTH, Content.MANUFACTURER),
        (0xB7, Header.NONE, Direction.BOTH, Content.MANUFACTURER),
        (0xBF, Header.NONE, Direction.TO_METER, Content.COMMAND),
        (0xC5, Header.LONG, Direction.FROM_METER, Content.MANAGEMENT),
    ],
)
def test_rows_of_the_standard(code, header, direction, content):
    entry = CI[code]
    assert (entry.header, entry.direction, entry.content) == (header, direction, content)


def test_reserved_codes():
    """EN 13757-7: 20-4F, 56-59, 5D-5E, 62-63, 76-77, 91-9D and C6-FF."""
    expected = [
        *range(0x20, 0x50),
        *range(0x56, 0x5A),
        0x5D,
        0x5E,
        0x62,
        0x63,
        0x76,
        0x77,
        *range(0x91, 0x9E),
        *range(0xC6, 0x100),
    ]
    assert [entry.code for entry in CI if entry.content is Content.RESERVED] == expected
