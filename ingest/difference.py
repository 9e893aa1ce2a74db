"""What deriving a telegram anew would change: new, changed, gone, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from metering.reading import Detail, Quality, Reading, Register

__all__ = ["Change", "Kind", "changed_details", "changes"]

_Key = tuple[Register, datetime, Decimal]


class Kind(StrEnum):
    """What happens to a reading."""

    NEW = "new"
    CHANGED = "changed"
    """Another value, unit or error state at the same place."""
    GONE = "gone"
    RENAMED = "renamed"
    """The same value; only the model, the release or the gateway it names as its source differs."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        kind: what happens.
        before: as it is stored; ``None`` if it is new.
        after: as it would be; ``None`` if it goes.
        why: short, for people: which model, release, key.
    """

    kind: Kind
    before: Reading | None
    after: Reading | None
    why: str

    @property
    def reading(self) -> Reading:
        """The reading it is about: as it would be, or as it was."""
        found = self.after or self.before
        if found is None:
            raise AssertionError("a change is about a reading")
        return found


def changes(before: Iterable[Reading], after: Iterable[Reading], healed: str = "") -> Iterator[Change]:
    """Compare what a telegram gave rise to with what it gives rise to now.

    Args:
        before: stored readings that name the telegram as their source.
        after: readings derived anew.
        healed: why the telegram gave nothing before, if so.
    """
    old, new = {_key(one): one for one in before}, {_key(one): one for one in after}
    for key in old.keys() & new.keys():
        yield from _same_value(old[key], _as_received(new[key], old[key]))
    gone = [old[key] for key in sorted(old.keys() - new.keys(), key=_order)]
    came = [new[key] for key in sorted(new.keys() - old.keys(), key=_order)]
    yield from _other_values(gone, came, healed)


def changed_details(
    before: Iterable[Detail], after: Iterable[Detail]
) -> tuple[Sequence[Detail], Sequence[Detail]]:
    """Give the details that go and those that come."""
    old, new = set(before), set(after)
    return sorted(old - new, key=_detail_order), sorted(new - old, key=_detail_order)


def _as_received(new: Reading, old: Reading) -> Reading:
    """Keep what deriving anew cannot know better: when it reached us, and how live it was then."""
    quality = new.quality if Quality.METER_ERROR in (new.quality, old.quality) else old.quality
    return replace(new, received_at=old.received_at, quality=quality)


def _same_value(old: Reading, new: Reading) -> Iterator[Change]:
    if old == new:
        return
    told = [f"{name} {was or '-'} -> {now or '-'}" for name, was, now in _told(old, new) if was != now]
    alike = (old.unit, old.quality, old.way) == (new.unit, new.quality, new.way)
    yield Change(Kind.RENAMED if alike else Kind.CHANGED, old, new, ", ".join(told))


def _told(old: Reading, new: Reading) -> Iterator[tuple[str, object, object]]:
    yield "value", old.value, new.value
    yield "unit", old.unit, new.unit
    yield "quality", old.quality, new.quality
    yield "way", old.way, new.way
    yield "gateway", old.provenance.gateway, new.provenance.gateway
    yield "model", old.provenance.model, new.provenance.model
    yield "rules", old.provenance.decoder, new.provenance.decoder


def _other_values(gone: Sequence[Reading], came: Sequence[Reading], healed: str) -> Iterator[Change]:
    """Pair what stands at the same place; the rest is gone or new."""
    places: dict[tuple[Register, datetime], list[Reading]] = {}
    for one in came:
        places.setdefault((one.register, one.measured_at), []).append(one)
    for old in gone:
        others = places.get((old.register, old.measured_at))
        if others:
            new = _as_received(others.pop(0), old)
            told = [
                f"{name} {was or '-'} -> {now or '-'}" for name, was, now in _told(old, new) if was != now
            ]
            yield Change(Kind.CHANGED, old, new, ", ".join(told))
        else:
            source = old.provenance
            yield Change(
                Kind.GONE, old, None, f"was read by {source.model or 'standard records'}, {source.decoder}"
            )
    for new in (one for others in places.values() for one in others):
        source = new.provenance
        read = f"read by {source.model or 'standard records'}, {source.decoder}"
        yield Change(Kind.NEW, None, new, f"{healed}; {read}" if healed else read)


def _key(reading: Reading) -> _Key:
    return reading.register, reading.measured_at, reading.value


def _order(key: _Key) -> tuple[str, datetime, Decimal]:
    return key[0].key, key[1], key[2]


def _detail_order(detail: Detail) -> tuple[str, str]:
    return detail.register.key, detail.text
