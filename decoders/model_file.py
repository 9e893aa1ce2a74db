"""A meter model's TOML file becomes a :class:`~decoders.model.Model`.

Everything is checked when the file is read; a fault names the file, the table and the key. ``README.md``
beside the files explains the format to people who write one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import tomllib
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from decoders.model import (
    RECORD_ERROR,
    Field,
    Flag,
    FlagMethod,
    FlagWord,
    Form,
    Golden,
    Identity,
    Join,
    Layout,
    Model,
    Numbers,
    Where,
    numbered,
)
from decoders.model_table import ModelFileError, Table
from decoders.units import MOMENTS, SUFFIXES
from decoders.wmbus.crc import crc16
from decoders.wmbus.header import describe, header_end
from decoders.wmbus.vib import HeaderFault
from decoders.wmbus.vif_tables import TABLES
from decoders.wmbus.vife import COMBINABLE, COMBINABLE_FC
from metering.reading import Function

__all__ = ["ModelFileError", "read"]


def read(text: str, source: str) -> Model:
    """Read and check one model file.

    Args:
        text: the file's content.
        source: its name, ``kamwater.toml``; the model must be named like it.

    Raises:
        ModelFileError: it is no TOML, a key is unknown, missing or wrong.
    """
    try:
        content = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as wrong:
        raise ModelFileError(source, "", "", str(wrong)) from wrong
    model = _model(Table(content, source), text)
    if f"{model.name}.toml" != source:
        raise ModelFileError(source, "", "name", f"the file of model {model.name} is named {model.name}.toml")
    return model


# --- the tables of a file, in the order of the file ----------------------------------------------


def _model(table: Table, text: str) -> Model:
    model = Model(
        name=_matching(table, "name", r"[a-z0-9_]+", "small letters, digits and _"),
        group=table.text("group"),
        media=table.texts("media"),
        aliases=table.texts("aliases"),
        remarks=table.texts("remarks"),
        hook=_hook(table),
        detect=tuple(
            identity for row in table.tables("detect", "manufacturer") for identity in _identities(row)
        ),
        fields=_fields(table),
        layouts=tuple(_layout(row) for row in table.tables("layout", "signature")),
        tests=tuple(_golden(row) for row in table.tables("test", "comment")),
        source=table.source,
        revision=hashlib.blake2b(text.encode(), digest_size=6).hexdigest(),
    )
    table.close()
    return model


def _matching(table: Table, key: str, pattern: str, words: str, default: str | None = None) -> str:
    value = table.text(key, default)
    if value != default and not re.fullmatch(pattern, value, re.ASCII):
        raise table.fault(key, f"{value!r} is not {words}")
    return value


def _hook(table: Table) -> str:
    name = _matching(table, "hook", r"[a-z0-9_]+", "the name of a hook", "")
    if name and not importlib.util.find_spec(f"decoders.hooks.{name}"):
        raise table.fault("hook", f"there is no decoders/hooks/{name}.py")
    return name


def _identities(table: Table) -> list[Identity]:
    """Read one manufacturer's ``["1b-06", "1b-16"]``: version and device type, as in a meter's identity."""
    manufacturer = _matching(table, "manufacturer", r"[A-Z]{3}", "three capital letters")
    automatic = table.truth("automatic", default=True)
    identities = []
    for row in table.texts("version_type"):
        parts = re.fullmatch(r"([0-9a-f]{2}|\*)-([0-9a-f]{2})", row, re.ASCII)
        if not parts:
            raise table.fault("version_type", f"{row!r} is not version and device type like 1b-16")
        identities.append(Identity(manufacturer, parts[1], parts[2], automatic))
    if not identities:
        raise table.fault("version_type", "names no meter")
    table.close()
    return identities


def _layout(table: Table) -> Layout:
    signature, headers = table.hexadecimal("signature"), table.hexadecimal("headers")
    found = crc16(headers)
    if int.from_bytes(signature, "big") != found:
        raise table.fault("signature", f"the checksum of these headers is {found:04X}")
    table.close()
    return Layout(found, headers)


def _golden(table: Table) -> Golden:
    golden = Golden(
        table.hexadecimal("telegram"),
        {name: _expected(table, name, value) for name, value in table.mapping("expected").items()},
        table.text("comment", ""),
        table.hexadecimal("key") if table.has("key") else b"",
    )
    table.close()
    return golden


def _expected(table: Table, name: str, value: Any) -> Decimal | str | None:
    """Read one expected value; ``"null"`` stands for null, which TOML does not have."""
    if isinstance(value, str):
        return None if value == "null" else value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    raise table.fault("expected", f'{name} must be a number, a text or "null"')


def _fields(table: Table) -> tuple[Field, ...]:
    rows = table.tables("field")
    fields = tuple(_field(row) for row in rows)
    names = {field.name for field in fields}
    for row, field in zip(rows, fields, strict=True):
        missing = {*field.of, *filter(None, (field.into,))} - names
        if missing:
            raise row.fault("of" if field.of else "into", f"there is no field {', '.join(sorted(missing))}")
    return fields


def _field(table: Table) -> Field:
    name = table.text("name")
    form = _form(table, name)
    field = Field(
        name=name,
        unit=_unit(table, name, form),
        form=form,
        where=_where(table),
        raw=table.truth("raw"),
        factor=_factor(table),
        unsigned=table.truth("unsigned"),
        null=_decimal(table, "null"),
        flat_null=_decimal(table, "flat_null"),
        flags=_flag_word(table.table("flags")),
        tpl_flags=_flag_word(table.table("tpl_flags")),
        join=table.one_of("join", Join, Join.TPL) if table.has("join") else None,
        into=table.text("into", ""),
        hook=_hook(table),
        of=table.texts("of"),
        number=table.text("number", ""),
        always=table.truth("always"),
        hidden=table.truth("hidden"),
        deprecated=table.truth("deprecated"),
    )
    table.close()
    _agree(table, field)
    return field


def _form(table: Table, name: str) -> Form:
    default = Form.MOMENT if name.rsplit("_", 1)[-1] in MOMENTS else Form.NUMBER
    if table.has("flags") or table.has("tpl_flags") or table.has("join"):
        default = Form.FLAGS
    return table.one_of("form", Form, default)


def _unit(table: Table, name: str, form: Form) -> str:
    """Take the unit from the name; a number without one is a mistake."""
    if form not in {Form.NUMBER, Form.MOMENT}:
        return ""
    unit = name.rsplit("_", 1)[-1]
    if unit not in (MOMENTS if form is Form.MOMENT else SUFFIXES):
        raise table.fault("name", f"{name!r} does not end in a unit; a text says so by form")
    return unit


_QUANTITIES = frozenset(quantity.name for codes in TABLES.values() for quantity in codes.values())
_QUALIFIERS = frozenset(
    modifier.qualifier for codes in (COMBINABLE, COMBINABLE_FC) for modifier in codes.values()
) | {RECORD_ERROR}


def _where(table: Table) -> Where | None:
    if table.has("record"):
        return Where(header=_header(table))
    if not table.has("quantity"):
        return None
    quantity, qualifiers = table.text("quantity"), table.texts("qualifiers")
    if quantity not in _QUANTITIES:
        raise table.fault("quantity", f"{quantity!r} is in no VIF table")
    for qualifier in qualifiers:
        if qualifier not in _QUALIFIERS and not re.fullmatch(r"manufacturer_(?:[0-9a-f]{2})+", qualifier):
            raise table.fault("qualifiers", f"{qualifier!r} is in no VIFE table")
    return Where(
        quantity,
        table.one_of("function", Function, Function.INSTANTANEOUS),
        _numbers(table, "storage"),
        _numbers(table, "tariff"),
        _numbers(table, "subunit"),
        frozenset(qualifiers),
        table.whole("nth", 1, least=1),
    )


def _header(table: Table) -> bytes:
    """Read the exact bytes of one record's DIB and VIB."""
    header = table.hexadecimal("record")
    try:
        whole = header_end(header, 0) == len(header) and bool(describe(header))
    except (IndexError, HeaderFault):
        whole = False
    if not whole:
        raise table.fault("record", f"{header.hex().upper()} is not the DIB and VIB of one record")
    return header


def _numbers(table: Table, key: str) -> Numbers:
    """Read ``3`` or ``"2..16"``."""
    if not table.has(key):
        return Numbers(0, 0)
    value = table.number_or_text(key)
    if isinstance(value, int) and value >= 0:
        return Numbers(value, value)
    ends = re.fullmatch(r"(\d+)\.\.(\d+)", str(value), re.ASCII)
    if not ends or int(ends[1]) >= int(ends[2]):
        raise table.fault(key, f'{value!r} is neither a number nor a range like "2..16"')
    return Numbers(int(ends[1]), int(ends[2]))


def _factor(table: Table) -> Fraction:
    value = table.text("factor", "1")
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise table.fault(
            "factor", f"{value!r} is neither a decimal like 0.1 nor a fraction like 1/60"
        ) from None


def _decimal(table: Table, key: str) -> Decimal | None:
    if not table.has(key):
        return None
    value = table.text(key)
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise table.fault(key, f"{value!r} is not a number")
    return number


def _flag_word(table: Table | None) -> FlagWord | None:
    if table is None:
        return None
    mask = int.from_bytes(table.hexadecimal("mask"), "big")
    word = FlagWord(
        mask,
        _matching(table, "rest", r"[A-Z0-9_]+", "capital letters, digits and _"),
        table.text("none", "OK"),
        table.one_of("method", FlagMethod, FlagMethod.BITS),
        (*_names(table, "names", when_clear=False), *_names(table, "names_when_clear", when_clear=True)),
    )
    if word.method is FlagMethod.DECIMAL_DIGITS and not mask:
        raise table.fault("mask", "must not be 0: it says where the digits begin again")
    table.close()
    return word


def _names(table: Table, key: str, *, when_clear: bool) -> list[Flag]:
    """Read ``["0040 LOW_BATTERY", ...]``: the code in hexadecimal, a space, the name."""
    flags = []
    for row in table.texts(key):
        code, _, text = row.partition(" ")
        if not re.fullmatch(r"[0-9A-F]+", code, re.ASCII):
            raise table.fault(key, f"{row!r} does not begin with a hexadecimal code")
        flags.append(Flag(int(code, 16), text, when_clear))
    return flags


def _agree(table: Table, field: Field) -> None:
    """Check keys against one another."""
    if field.form is Form.FLAGS and field.where and not field.flags:
        raise table.fault("flags", "is missing: the record's number must become words")
    if not field.where and not field.hook and not field.join:
        raise table.fault("quantity", "is missing: say the quantity, the record, a hook or a join")
    if field.flags and not field.where:
        raise table.fault("flags", "needs a record")
    for key, template in (("name", field.name), ("number", f"{{{field.number}}}" if field.number else "")):
        try:
            numbered(template, {"storage": 0, "tariff": 0, "subunit": 0})
        except ValueError as wrong:
            raise table.fault(key, str(wrong)) from wrong
