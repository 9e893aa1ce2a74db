"""Files to a billing system, and what it answers.

::

    nurt-cis-00000017.csv              the reads
    nurt-cis-00000017.manifest.json    written last: rows, sums, SHA-256; whoever sees it may take the file
    nurt-cis-00000017.ack.csv          the receiver's: key;result;receipt;reason
    nurt-cis-00000017.ack-2.csv        more of it, as often as it likes

``result`` is ``accepted`` or ``refused``. An answer with a fault is taken not at all, and told line by line.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Protocol

from billing_bridge.export.drop import MOST_BYTES
from billing_bridge.export.rows import read_of
from billing_bridge.outbox import Accepted, Answer, Refused
from metering.batches import Batch
from metering.errors import TelemetryError
from metering.outbox import OutboxItem

__all__ = ["AnswerFault", "Form", "answers_in", "is_answer", "make_batch", "manifest_name"]

_HEADER = ("key", "result", "receipt", "reason")
_MOST_FAULTS = 20


class AnswerFault(TelemetryError):
    """An answer cannot be taken; nothing of it was.

    Attributes:
        file: its name.
        faults: each with its line.
    """

    def __init__(self, file: str, faults: Sequence[str]) -> None:
        self.file = file
        self.faults = tuple(faults)
        more = f" ... and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        super().__init__(
            f"{file}: {'; '.join(faults[:_MOST_FAULTS])}{more}. Nothing of this answer was taken"
        )


class Form(Protocol):
    """What the files of a target look like."""

    @property
    def suffix(self) -> str:
        """Of the file's name."""
        ...

    def render(self, reads: Sequence[Mapping[str, Any]]) -> bytes:
        """Give the file of some reads.

        Raises:
            InvalidValue: a value the form has no place for; it names the read.
        """
        ...


def make_batch(target: str, number: int, items: Sequence[OutboxItem], form: Form, now: datetime) -> Batch:
    """Make the file of some messages, and its manifest. The same messages give the same file.

    Raises:
        InvalidValue: see :meth:`Form.render`.
    """
    reads = [read_of(item.payload) for item in items]
    content = form.render(reads)
    stem = f"nurt-{target}-{number:08d}"
    file = f"{stem}.{form.suffix}"
    manifest = {
        "manifest": 1,
        "target": target,
        "batch": number,
        "made_at": now.isoformat(),
        "file": file,
        "bytes": len(content),
        "sha256": sha256(content).hexdigest(),
        "reads": len(reads),
        "rows": sum(len(read["segments"]) for read in reads),
        "volume_m3": _sum(Decimal(read["volume_m3"]) for read in reads),
        "closing_index_m3": _sum(
            Decimal(segment["closing"]["index_m3"]) for read in reads for segment in read["segments"]
        ),
        "first_key": items[0].key,
        "last_key": items[-1].key,
    }
    told = json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"
    return Batch(target, number, file, content, told, tuple(item.key for item in items), now)


def _sum(numbers: Any) -> str:
    return format(sum(numbers, Decimal(0)), "f")


def _stem(batch: Batch) -> str:
    return batch.file.rpartition(".")[0]


def manifest_name(batch: Batch) -> str:
    """Give the name of a batch's manifest."""
    return f"{_stem(batch)}.manifest.json"


def is_answer(name: str, batch: Batch) -> bool:
    """Say whether a file answers a batch; files still being written end otherwise."""
    return name.startswith((f"{_stem(batch)}.ack.", f"{_stem(batch)}.ack-")) and name.endswith(".csv")


def answers_in(file: str, content: bytes, batch: Batch) -> Mapping[str, Answer]:
    """Read an answer.

    Args:
        file: its name, for what is wrong with it.
        content: as it came; UTF-8, ``;`` or ``,`` between cells.
        batch: what it answers.

    Raises:
        AnswerFault: not such a file, a key that is not in the batch, one answered twice.
    """
    if len(content) > MOST_BYTES:
        raise AnswerFault(file, [f"larger than {MOST_BYTES // 1024 // 1024} MB"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise AnswerFault(file, [f"byte {wrong.start + 1} is not UTF-8"]) from None
    head, _, _ = text.partition("\n")
    delimiter = ";" if ";" in head else ","
    names = tuple(cell.strip().lower() for cell in head.strip().split(delimiter))
    if names != _HEADER:
        raise AnswerFault(file, [f"line 1 is not {';'.join(_HEADER)}"])
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    next(rows)
    return _Answers(file, frozenset(batch.keys)).of(rows)


@dataclass(frozen=True, slots=True)
class _Answers:
    file: str
    sent: frozenset[str]

    def of(self, rows: Any) -> Mapping[str, Answer]:
        found: dict[str, Answer] = {}
        faults: list[str] = []
        try:
            for row in filter(None, rows):
                fault = self._take(row, found)
                if fault:
                    faults.append(f"line {rows.line_num}: {fault}")
        except csv.Error as wrong:
            faults.append(f"line {rows.line_num}: {wrong}")
        if faults:
            raise AnswerFault(self.file, faults)
        return found

    def _take(self, row: Sequence[str], found: dict[str, Answer]) -> str:
        if len(row) != len(_HEADER):
            return f"{len(row)} cells instead of {len(_HEADER)}"
        key, result, receipt, reason = (cell.strip() for cell in row)
        if key not in self.sent:
            return f"{key!r} was not in this batch"
        if key in found:
            return f"{key!r} is answered twice"
        if result.lower() == "accepted":
            found[key] = Accepted(key, receipt=receipt)
        elif result.lower() == "refused":
            found[key] = Refused(f"refused: {reason}".rstrip(": "))
        else:
            return f"result {result!r} is neither accepted nor refused"
        return ""
