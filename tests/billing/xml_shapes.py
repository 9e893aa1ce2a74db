"""What two standards want of our XML, written down by hand as data, and a reader that holds documents to it.

The schemas of IEC 61968-9 are not free to pass on, and of ESPI we write a small part. So here stands the
part we write: every element with its children in the order the schema's sequence has them, how often each
may come, and what may stand in it. Sources: IEC 61968-9:2013 MeterReadings profile; NAESB REQ.21 (ESPI) 4.0,
espi.xsd; RFC 4287 (Atom).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["CIM", "ESPI", "Child", "Shape", "faults"]

MANY = 1 << 30


@dataclass(frozen=True)
class Child:
    """A place in a sequence: which shape, how often."""

    shape: str
    least: int = 0
    most: int = 1


@dataclass(frozen=True)
class Shape:
    """One kind of element.

    Attributes:
        tag: its name, ``{namespace}name``.
        children: its sequence, in order.
        text: what may stand in it, the whole of it; ``None`` = nothing but white space.
        attributes: those it must have, with what may stand in them; others are wrong.
    """

    tag: str
    children: Sequence[Child] = ()
    text: str | None = None
    attributes: Mapping[str, str] | None = None


Shapes = Mapping[str, Shape]


def faults(element: ET.Element, shapes: Shapes, shape: str) -> list[str]:
    """Give what is wrong with an element and all in it, each with where it is."""
    return list(_faults(element, shapes, shapes[shape], shapes[shape].tag.rpartition("}")[2]))


def _faults(element, shapes, shape, where):
    if element.tag != shape.tag:
        yield f"{where}: {element.tag} instead of {shape.tag}"
        return
    said = shape.attributes or {}
    yield from (f"{where}: no attribute {name}" for name in said.keys() - element.attrib.keys())
    yield from (f"{where}: attribute {name} has no place" for name in element.attrib.keys() - said.keys())
    for name, form in said.items():
        if name in element.attrib and not re.fullmatch(form, element.attrib[name]):
            yield f"{where}: {name}={element.attrib[name]!r}"
    text = element.text or ""
    if not re.fullmatch(r"\s*" if shape.text is None else shape.text, text):
        yield f"{where}: {text!r} has no place"
    yield from _sequence(element, shapes, shape, where)


def _sequence(element, shapes, shape, where):
    rest = list(element)
    for child in shape.children:
        wanted, count = shapes[child.shape], 0
        while rest and rest[0].tag == wanted.tag and count < child.most:
            count += 1
            yield from _faults(rest.pop(0), shapes, wanted, f"{where}/{child.shape}[{count}]")
        if count < child.least:
            yield f"{where}: {child.shape} comes {count} times, at least {child.least}"
    yield from (f"{where}: {one.tag} has no place here" for one in rest)


# --- IEC 61968-9 -----------------------------------------------------------------------------------

_M = "{http://iec.ch/TC57/2011/MeterReadings#}"
_DATE_TIME = r"-?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
_FLOAT = r"[+-]?\d+(\.\d+)?"
_TEXT = r"(?s).*"
_REASON = (
    "billing|demandReset|inquiry|installation|loadManagement|loadResearch|moveIn|moveOut|other|removal"
    "|serviceConnect|serviceDisconnect"
)
_NUMBER = r"-?\d+"
_READING_TYPE = rf"{_NUMBER}(\.{_NUMBER}){{17}}"
_READING_QUALITY = r"[0-5]\.(1[0-2]|\d)\.\d{1,3}"

CIM: Shapes = {
    "MeterReadings": Shape(f"{_M}MeterReadings", [Child("MeterReading", 1, MANY)]),
    "MeterReading": Shape(
        f"{_M}MeterReading",
        [Child("Meter"), Child("Readings", 0, MANY), Child("UsagePoint"), Child("valuesInterval")],
    ),
    "Meter": Shape(f"{_M}Meter", [Child("mRID"), Child("Names", 0, MANY)]),
    "mRID": Shape(f"{_M}mRID", text=_TEXT),
    "Names": Shape(f"{_M}Names", [Child("name", 1), Child("NameType")]),
    "name": Shape(f"{_M}name", text=_TEXT),
    "NameType": Shape(f"{_M}NameType", [Child("name", 1)]),
    "Readings": Shape(
        f"{_M}Readings",
        [
            Child("reason"),
            Child("reportedDateTime"),
            Child("source"),
            Child("timeStamp"),
            Child("value"),
            Child("ReadingQualities", 0, MANY),
            Child("ReadingType", 1),
            Child("timePeriod"),
        ],
    ),
    "reason": Shape(f"{_M}reason", text=_REASON),
    "reportedDateTime": Shape(f"{_M}reportedDateTime", text=_DATE_TIME),
    "source": Shape(f"{_M}source", text=_TEXT),
    "timeStamp": Shape(f"{_M}timeStamp", text=_DATE_TIME),
    "value": Shape(f"{_M}value", text=_FLOAT),
    "ReadingQualities": Shape(
        f"{_M}ReadingQualities",
        [Child("comment"), Child("source"), Child("timeStamp"), Child("ReadingQualityType", 1)],
    ),
    "comment": Shape(f"{_M}comment", text=_TEXT),
    "ReadingQualityType": Shape(f"{_M}ReadingQualityType", attributes={"ref": _READING_QUALITY}),
    "ReadingType": Shape(f"{_M}ReadingType", attributes={"ref": _READING_TYPE}),
    "UsagePoint": Shape(f"{_M}UsagePoint", [Child("mRID"), Child("Names", 0, MANY)]),
    "valuesInterval": Shape(f"{_M}valuesInterval", [Child("end"), Child("start")]),
    "timePeriod": Shape(f"{_M}timePeriod", [Child("end"), Child("start")]),
    "end": Shape(f"{_M}end", text=_DATE_TIME),
    "start": Shape(f"{_M}start", text=_DATE_TIME),
}

# --- ESPI in Atom ----------------------------------------------------------------------------------

_A, _E = "{http://www.w3.org/2005/Atom}", "{http://naesb.org/espi}"
_UINT32, _INT48 = r"\d{1,10}", r"-?\d{1,15}"
_EPOCH = r"-?\d{1,11}"


def _enum(name: str, *numbers: int) -> Shape:
    return Shape(f"{_E}{name}", text="|".join(map(str, numbers)))


def _leaf(name: str, text: str) -> Shape:
    return Shape(f"{_E}{name}", text=text)


_INTERVAL = [Child("duration"), Child("start", 1)]

ESPI: Shapes = {
    "feed": Shape(
        f"{_A}feed", [Child("id", 1), Child("title", 1), Child("updated", 1), Child("entry", 1, MANY)]
    ),
    "entry": Shape(
        f"{_A}entry",
        [Child("id", 1), Child("title", 1), Child("updated", 1), Child("link", 1, MANY), Child("content", 1)],
    ),
    "id": Shape(f"{_A}id", text=r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "title": Shape(f"{_A}title", text=_TEXT),
    "updated": Shape(f"{_A}updated", text=_DATE_TIME),
    "link": Shape(f"{_A}link", attributes={"rel": "self|up|related", "href": r"/espi/1_1/resource/[\w/-]+"}),
    "content": Shape(
        f"{_A}content",
        [
            Child(name)
            for name in ("UsagePoint", "LocalTimeParameters", "MeterReading", "ReadingType", "IntervalBlock")
        ],
        attributes={"type": "application/xml"},
    ),
    "UsagePoint": Shape(f"{_E}UsagePoint", [Child("ServiceCategory")]),
    "ServiceCategory": Shape(f"{_E}ServiceCategory", [Child("serviceKind", 1)]),
    "serviceKind": _enum("kind", *range(10)),
    "LocalTimeParameters": Shape(
        f"{_E}LocalTimeParameters",
        [Child("dstEndRule", 1), Child("dstOffset", 1), Child("dstStartRule", 1), Child("tzOffset", 1)],
    ),
    "dstEndRule": _leaf("dstEndRule", r"[0-9A-F]{8}"),
    "dstStartRule": _leaf("dstStartRule", r"[0-9A-F]{8}"),
    "dstOffset": _leaf("dstOffset", _EPOCH),
    "tzOffset": _leaf("tzOffset", _EPOCH),
    "MeterReading": Shape(f"{_E}MeterReading"),
    "ReadingType": Shape(
        f"{_E}ReadingType",
        [
            Child(name)
            for name in (
                "accumulationBehaviour", "commodity", "consumptionTier", "currency", "dataQualifier",
                "defaultQuality", "flowDirection", "intervalLength", "kind", "phase", "powerOfTenMultiplier",
                "timeAttribute", "uom", "cpp", "interharmonic", "measuringPeriod", "argument",
            )
        ],
    ),
    "accumulationBehaviour": _enum("accumulationBehaviour", *range(15)),
    "commodity": _enum("commodity", *range(15)),
    "consumptionTier": _leaf("consumptionTier", r"\d{1,5}"),
    "currency": _leaf("currency", r"\d{1,3}"),
    "dataQualifier": _enum("dataQualifier", 0, 2, 4, 5, 7, 8, 9, 11, 12),
    "defaultQuality": _enum("defaultQuality", *range(20)),
    "flowDirection": _enum("flowDirection", *range(21)),
    "intervalLength": _leaf("intervalLength", _UINT32),
    "kind": _leaf("kind", r"\d{1,3}"),
    "phase": _leaf("phase", r"\d{1,3}"),
    "powerOfTenMultiplier": _enum("powerOfTenMultiplier", -12, -9, -6, -3, -2, -1, 0, 1, 2, 3, 6, 9),
    "timeAttribute": _leaf("timeAttribute", r"\d{1,2}"),
    "uom": _leaf("uom", r"\d{1,3}"),
    "cpp": _leaf("cpp", r"\d{1,5}"),
    "interharmonic": _leaf("interharmonic", r"\d+"),
    "measuringPeriod": _leaf("measuringPeriod", r"\d{1,2}"),
    "argument": _leaf("argument", r"\d+"),
    "IntervalBlock": Shape(f"{_E}IntervalBlock", [Child("interval"), Child("IntervalReading", 0, MANY)]),
    "interval": Shape(f"{_E}interval", _INTERVAL),
    "IntervalReading": Shape(
        f"{_E}IntervalReading", [Child("ReadingQuality", 0, MANY), Child("timePeriod"), Child("value")]
    ),
    "ReadingQuality": Shape(f"{_E}ReadingQuality", [Child("quality", 1)]),
    "quality": _enum("quality", *range(20)),
    "timePeriod": Shape(f"{_E}timePeriod", _INTERVAL),
    "duration": _leaf("duration", _UINT32),
    "start": _leaf("start", _EPOCH),
    "value": _leaf("value", _INT48),
}  # fmt: skip
