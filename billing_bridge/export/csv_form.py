"""Billing reads as CSV, columns as a template says."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from billing_bridge.export.columns import Template
from billing_bridge.export.rows import rows_of

__all__ = ["CsvForm"]


class CsvForm:
    """A form of batches: UTF-8, quoted where it must be."""

    suffix = "csv"

    def __init__(self, template: Template, zone: ZoneInfo) -> None:
        """Prepare.

        Args:
            template: which columns.
            zone: of the utility, for dates and times.
        """
        self._template = template
        self._zone = zone

    def render(self, reads: Sequence[Mapping[str, Any]]) -> bytes:
        """Give the file of some reads.

        Raises:
            InvalidValue: a value the template has no name or no room for.
        """
        out = io.StringIO()
        template = self._template
        writer = csv.writer(out, delimiter=template.delimiter, lineterminator=template.line_end)
        if template.header:
            writer.writerow([column.name for column in template.columns])
        writer.writerows(template.cells(row, self._zone) for row in rows_of(reads))
        return out.getvalue().encode()
