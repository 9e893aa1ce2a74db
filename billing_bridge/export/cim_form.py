"""Billing reads as IEC 61968-9 ``MeterReadings``: each meter with its index at both ends and their qualities.

::

    MeterReadings
    └── MeterReading                        one meter within the period
        ├── Meter        mRID, Names        serial number, manufacturer
        ├── Readings     reason, timeStamp, value, ReadingQualities: opening, then closing
        ├── UsagePoint   mRID
        └── valuesInterval                  the period

The value is the index in m3 as decimal text, exact; the volume billed stands in a comment of the closing
quality, with the read's key, since the standard has no place for either. Source: IEC 61968-9:2013,
MeterReadings profile; the enclosing header of IEC 61968-100 is the transport's.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from billing_bridge.export.rows import Row, rows_of
from billing_bridge.export.xml_writer import XmlWriter
from metering.meter import MeterId

__all__ = ["NAMESPACE", "READING_TYPE", "CimForm"]

NAMESPACE = "http://iec.ch/TC57/2011/MeterReadings#"

READING_TYPE = "0.0.0.1.1.9.58.0.0.0.0.0.0.0.0.0.42.0"
"""Bulk quantity, forward, potable water, volume, m3 (IEC 61968-9 annex C, 18 fields)."""

_REASONS = {"calendar": "billing", "on demand": "inquiry", "final": "moveOut", "exchange": "removal"}


class CimForm:
    """A form of batches."""

    suffix = "xml"

    def render(self, reads: Sequence[Mapping[str, Any]]) -> bytes:
        """Give the document of some reads."""
        out = io.BytesIO()
        xml = XmlWriter(out)
        with xml.element("MeterReadings", xmlns=NAMESPACE):
            for row in rows_of(reads):
                _meter_reading(xml, row)
        return out.getvalue()


def _meter_reading(xml: XmlWriter, row: Row) -> None:
    meter = MeterId.parse(row.segment["meter"])
    with xml.element("MeterReading"):
        with xml.element("Meter"):
            xml.leaf("mRID", str(meter))
            with xml.element("Names"):
                xml.leaf("name", meter.serial)
                with xml.element("NameType"):
                    xml.leaf("name", f"serial number, {meter.manufacturer}")
        reason = row.read["period"]["cause"] if row.last else "exchange"
        _reading(xml, row.segment["opening"], "billing" if row.number == 1 else "installation", "opening")
        _reading(xml, row.segment["closing"], _REASONS[reason], _comment(row))
        with xml.element("UsagePoint"):
            xml.leaf("mRID", row.read["service_point"])
        with xml.element("valuesInterval"):
            xml.leaf("end", row.segment["closing"]["at"])
            xml.leaf("start", row.segment["opening"]["at"])


def _comment(row: Row) -> str:
    told = f"closing; {row.read['key']}; billed volume {row.read['volume_m3']} m3"
    superseded = row.read["supersedes"]
    return f"{told}; supersedes {superseded}" if superseded else told


def _reading(xml: XmlWriter, end: Mapping[str, Any], reason: str, comment: str) -> None:
    with xml.element("Readings"):
        xml.leaf("reason", reason)
        xml.leaf("timeStamp", end["read_at"] or end["at"])
        xml.leaf("value", end["index_m3"])
        with xml.element("ReadingQualities"):
            xml.leaf("comment", comment)
            xml.empty("ReadingQualityType", ref=end["quality"])
        xml.empty("ReadingType", ref=READING_TYPE)
