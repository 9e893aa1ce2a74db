"""Deliveries -> archive, readings and account, one transaction a batch.

Every item ends as exactly one of five, in this order of judgement:

- *duplicate*: its number is known, or the transmission it is a reception of is archived already;
- *quarantined*: no frame, no identity, or it does not decode and no key or model could heal that;
- *foreign*: from a meter, a device or a pulse input that is not registered; a frame is archived undecoded;
- *held*: a key, a meter model or another part of the frame is missing; kept, to be decoded when it comes;
- *stored*: archived, and its readings with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from ingest.bench import Bench
from ingest.books import Books, ItemResult
from ingest.deriving import Deriving
from ingest.frames import Frames
from ingest.in_parts import InParts
from ingest.items import Delivery, Item, Unreadable
from ingest.judge import Judge
from ingest.parts import take_parts
from ingest.pulses import take_pulses
from ingest.routes import Router
from ingest.rules import Foreign, Rules
from ingest.values import take_values
from metering.ports import ArchivedTelegram, Ledger, Outcome, Store, TelegramArchive, Transaction
from metering.resting import collector_rests
from metering.uplink import FrameUplink, GatewayState, GatewayWord, PartUplink, PulseUplink, ValueUplink

__all__ = ["ItemResult", "Pipeline"]

_NO_ITEM = (GatewayState, GatewayWord)
_NOBODY: Mapping[str, datetime] = MappingProxyType({})


class Pipeline:
    """Takes batches of deliveries; knows no broker and no clock.

    What it remembers from batch to batch are the layouts its judge learns. A compact frame heard before its
    layout is held.
    """

    def __init__(
        self,
        store: Store,
        *,
        router: Router | None = None,
        rules: Rules | None = None,
        judge: Judge | None = None,
    ) -> None:
        self._store = store
        self._judge = judge or Judge()
        self._router = router or Router()
        self._rules = rules or Rules()
        self._in_parts = InParts()
        self._deriving = Deriving(self._judge, self._rules, self._in_parts)

    def accept(self, deliveries: Sequence[Delivery]) -> Sequence[ItemResult]:
        """Take a batch; when this returns, all it gave rise to is committed.

        Raises:
            StoreError: nothing of the batch is kept.
            KeyringError: keys are stored but cannot be decrypted; nothing of the batch is kept.
        """
        with collector_rests():
            return self._accept(deliveries)

    def _accept(self, deliveries: Sequence[Delivery]) -> Sequence[ItemResult]:
        read: list[Item] = []
        alive: dict[str, datetime] = {}
        for delivery in deliveries:
            items = self._router.read(delivery)
            read += items
            if not items and not delivery.retained:  # health: it shows its gateway alive, no more
                alive[self._router.gateway(delivery)] = delivery.received_at
        return self._take(read, alive)

    def refuse(self, delivery: Delivery, reason: str, sentence: str) -> Sequence[ItemResult]:
        """Quarantine a delivery whole, without reading more of it than whose it is."""
        gateway = self._router.gateway(delivery)
        return self._take([Item(gateway, Unreadable(reason, sentence), delivery.payload, delivery)])

    def _take(self, read: Sequence[Item], alive: Mapping[str, datetime] = _NOBODY) -> Sequence[ItemResult]:
        books = Books([item for item in read if not isinstance(item.said, _NO_ITEM)])
        frames = self._look_ahead(books.items)
        with self._store.writing() as transaction:
            _note_gateways(read, alive, transaction.ledger)
            found = _sorted(books, transaction.archive)
            take_pulses(found.pulses, books, transaction)
            take_values(found.values, books, transaction, self._rules)
            whole = take_parts(found.parts, books, transaction.devices)
            frames.take({**found.frames, **whole}, books, transaction)
            results = books.close(transaction, keep_nobodys=self._rules.foreign is Foreign.HOLD)
            self._put_together(frames.parts, transaction)
            return results

    def _look_ahead(self, items: Sequence[Item]) -> Frames:
        """Identify and judge frames before the transaction, which then takes half as long."""
        bench = Bench(self._judge, self._rules)
        frames = Frames(self._rules, bench, self._in_parts)
        uplinks = {place: item.said for place, item in enumerate(items) if isinstance(item.said, FrameUplink)}
        if heard := frames.look_ahead(uplinks):
            with self._store.reading() as view:
                bench.look_ahead(view, heard)
            frames.write_ahead(uplinks)
        return frames

    def _put_together(self, parts: Sequence[ArchivedTelegram], transaction: Transaction) -> None:
        """Read messages of several frames of which some came with this batch, from what the archive holds."""
        if parts:
            self._deriving.apply(transaction, self._deriving.with_others(transaction, parts))


def _note_gateways(read: Sequence[Item], alive: Mapping[str, datetime], ledger: Ledger) -> None:
    """Book what gateways say of themselves and are told; of each kind the last of the batch."""
    newest: dict[tuple[str, str], GatewayWord] = {}
    heard = dict(alive)
    for item in read:
        if isinstance(item.said, GatewayState):
            ledger.set_gateway_state(item.said)
        elif isinstance(item.said, GatewayWord):
            newest[item.said.gateway, item.said.leaf] = item.said
            if item.said.alive:
                heard[item.said.gateway] = item.said.at
    for word in newest.values():
        ledger.keep_word(word)
    for gateway, at in heard.items():
        ledger.note_alive(gateway, at)


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The uplinks of a batch by kind and place."""

    frames: dict[int, FrameUplink] = field(default_factory=dict)
    pulses: dict[int, PulseUplink] = field(default_factory=dict)
    values: dict[int, ValueUplink] = field(default_factory=dict)
    parts: dict[int, PartUplink] = field(default_factory=dict)


def _sorted(books: Books, archive: TelegramArchive) -> _Sorted:
    """Settle items whose number is known and those that cannot be read; give the rest by kind and place."""
    numbers = [item.sequence for item in books.items]
    known = archive.known_sequences({number for number in numbers if number is not None})
    found = _Sorted()
    for place, (item, number) in enumerate(zip(books.items, numbers, strict=True)):
        if number in known:
            books.settle(place, Outcome.DUPLICATE)
            continue
        if number is not None:
            known.add(number)
        match item.said:
            case FrameUplink() as uplink:
                found.frames[place] = uplink
            case PulseUplink() as uplink:
                found.pulses[place] = uplink
            case ValueUplink() as uplink:
                found.values[place] = uplink
            case PartUplink() as uplink:
                found.parts[place] = uplink
            case Unreadable(reason, sentence):
                books.quarantine(place, reason, sentence)
            case _:  # a state is no item
                raise AssertionError(item)
    return found
