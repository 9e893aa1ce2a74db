"""What a meter model says, as data: identities, fields by meaning, flag words, layouts, golden telegrams.

A model is one TOML file (:mod:`decoders.model_file` reads it). Names of fields carry their unit and are those
people know from their dashboards; ``{storage}``, ``{tariff}``, ``{subunit}`` and simple differences
(``{storage-8}``, ``{32-storage}``) in a name are replaced by the number of the record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from metering.reading import Function

__all__ = [
    "RECORD_ERROR",
    "Field",
    "Flag",
    "FlagMethod",
    "FlagWord",
    "Form",
    "Golden",
    "Identity",
    "Join",
    "Layout",
    "Model",
    "Numbers",
    "Where",
    "numbered",
]

RECORD_ERROR = "record_error"
"""Qualifier of a record whose VIFE says there is no valid value (EN 13757-3, table 17)."""


class Form(StrEnum):
    """How the value of a record is told."""

    NUMBER = "number"
    MOMENT = "moment"
    """A point in time; told to the day or to the minute by the unit (``date``, ``datetime``)."""
    DATE = "date"
    """A date as text."""
    DATETIME = "datetime"
    """Date and time as text."""
    TEXT = "text"
    TEXT_AS_SENT = "text_as_sent"
    """Text, first byte first."""
    HEX_AS_SENT = "hex_as_sent"
    FLAGS = "flags"


class Join(StrEnum):
    """What a status text is put together from."""

    TPL = "tpl"
    """Flags of the record, the status byte of the transport layer, and fields joined into it; sorted."""
    TPL_IN_ORDER = "tpl_in_order"
    """The same, but the record's flags first, then the status byte in the order of its bits."""
    RECORD = "record"
    """The record's flags and fields joined into it, without the status byte."""


class FlagMethod(StrEnum):
    """How a number becomes words."""

    BITS = "bits"
    """Each listed bit that is set adds its name."""
    INDEX = "index"
    """The masked number is looked up as a whole."""
    DECIMAL_DIGITS = "decimal_digits"
    """Hexadecimal digits are codes of the display: the largest that fits is taken away, again and again."""


class Numbers(NamedTuple):
    """Storage, tariff or subunit numbers a field takes, both ends included."""

    first: int
    last: int

    @property
    def is_range(self) -> bool:
        """Whether more than one number is taken."""
        return self.first != self.last

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.first <= number <= self.last


_NONE = Numbers(0, 0)


@dataclass(frozen=True, slots=True)
class Where:
    """Which record a field takes: by meaning, or by its exact bytes.

    Attributes:
        quantity: quantity of the VIF (:mod:`decoders.wmbus.vif_tables`); empty with ``header``.
        function: instantaneous, maximum, minimum, during error.
        storage: storage numbers.
        tariff: tariff numbers.
        subunit: subunit numbers.
        qualifiers: exactly these, in any order.
        nth: which of several matching records, 1 = the first.
        header: DIB and VIB, where only the exact bytes tell; the first such record counts.
    """

    quantity: str = ""
    function: Function = Function.INSTANTANEOUS
    storage: Numbers = _NONE
    tariff: Numbers = _NONE
    subunit: Numbers = _NONE
    qualifiers: frozenset[str] = frozenset()
    nth: int = 1
    header: bytes = b""

    @property
    def is_range(self) -> bool:
        """Whether every matching record is taken, not only one."""
        return self.storage.is_range or self.tariff.is_range or self.subunit.is_range


class Flag(NamedTuple):
    """One name of a flag word: told if the bits are set, or (``when_clear``) if they are not."""

    code: int
    text: str
    when_clear: bool = False


@dataclass(frozen=True, slots=True)
class FlagWord:
    """How a status or error word is told.

    Attributes:
        mask: bits looked at.
        rest: bits without a name are told as ``<rest>_<hex>``.
        none: the text if nothing is set.
        method: how the number becomes words.
        names: in the order of the file; several may share a code.
    """

    mask: int
    rest: str
    none: str = "OK"
    method: FlagMethod = FlagMethod.BITS
    names: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One value a model tells.

    Attributes:
        name: with unit, may hold placeholders.
        unit: suffix of the name (``m3``, ``kwh``, ``date``, ...); empty for texts.
        form: how the value is told.
        where: the record; ``None`` = from the status byte or from other fields.
        raw: the stored number, the VIF's factor ignored.
        factor: the number is multiplied by it afterwards.
        unsigned: binary integers are unsigned.
        null: this number means "no value".
        flat_null: what the flat output tells instead of null, where its users are used to a number.
        flags: words of the record's number.
        tpl_flags: words of the transport layer's status byte.
        join: the field is a status text.
        into: name of the status field this one's words are added to.
        hook: name of a calculation in :mod:`decoders.hooks`.
        of: names of the fields the calculation takes.
        number: a number of the record the calculation takes, as a placeholder without braces.
        always: told even without its record, as null.
        hidden: used by others, not told itself.
        deprecated: an older name of another field, kept for dashboards.
    """

    name: str
    unit: str = ""
    form: Form = Form.NUMBER
    where: Where | None = None
    raw: bool = False
    factor: Fraction = Fraction(1)
    unsigned: bool = False
    null: Decimal | None = None
    flat_null: Decimal | None = None
    flags: FlagWord | None = None
    tpl_flags: FlagWord | None = None
    join: Join | None = None
    into: str = ""
    hook: str = ""
    of: tuple[str, ...] = ()
    number: str = ""
    always: bool = False
    hidden: bool = False
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Manufacturer, version and device type of meters a model reads.

    Attributes:
        manufacturer: three letters.
        version: two hexadecimal digits, lower case; ``*`` = any.
        device_type: two hexadecimal digits, lower case.
        automatic: false if another model is chosen for this identity unless this one is named.
    """

    manufacturer: str
    version: str
    device_type: str
    automatic: bool = True


class Layout(NamedTuple):
    """Record layout of compact frames: the standard's checksum over the headers, and the headers."""

    signature: int
    headers: bytes


@dataclass(frozen=True, slots=True)
class Golden:
    """A telegram made for this model and what it must be read as.

    Attributes:
        telegram: L-delimited frame, unencrypted unless there is a key.
        expected: fields of the flat output; those not listed are not looked at.
        comment: what it shows.
        key: a key made up for it, where the meter knows no telegrams without.
    """

    telegram: bytes
    expected: Mapping[str, Decimal | str | None]
    comment: str = ""
    key: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One meter model; compared by identity.

    Attributes:
        name: as in ``--format wmbusmeters`` and in the registry.
        group: ``water``, ``heat and cooling``, ...
        media: what its meters measure.
        aliases: other names it goes by.
        remarks: what to know.
        detect: identities.
        fields: in the order they are told.
        layouts: known layouts of compact frames.
        hook: name of a payload reader in :mod:`decoders.hooks`; empty for standard records.
        tests: golden telegrams.
        source: file it was read from.
        revision: digest of that file, so that a reading can name the rules it was made by.
    """

    name: str
    group: str
    media: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    detect: tuple[Identity, ...] = ()
    fields: tuple[Field, ...] = ()
    layouts: tuple[Layout, ...] = ()
    hook: str = ""
    tests: tuple[Golden, ...] = ()
    source: str = ""
    revision: str = ""


_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_EXPRESSION = re.compile(r"(?:(\d+)-)?(storage|tariff|subunit)(?:-(\d+))?", re.ASCII)


def numbered(template: str, numbers: Mapping[str, int]) -> str:
    """Replace the placeholders of a name.

    Args:
        template: ``consumption_{storage-1}_m3``.
        numbers: ``storage``, ``tariff`` and ``subunit`` of the record.

    Raises:
        ValueError: a placeholder is none of the three numbers or a simple difference.
    """
    if "{" not in template:
        return template
    return _PLACEHOLDER.sub(lambda found: str(_difference(found[1], numbers)), template)


def _difference(expression: str, numbers: Mapping[str, int]) -> int:
    found = _EXPRESSION.fullmatch(expression)
    if not found:
        raise ValueError(f"{{{expression}}} is not storage, tariff, subunit or a difference like storage-8")
    number = numbers[found[2]] - int(found[3] or 0)
    return int(found[1]) - number if found[1] else number
