"""Deliveries -> archive, readings and account, one transaction a batch.

Every item ends as exactly one of five, in this order of judgement:

- *duplicate*: its number is known, or the transmission it is a reception of is archived already;
- *quarantined*: no frame, no identity, or it does not decode and no key or model could heal that;
- *foreign*: from a meter, or a pulse input, that is not registered; the frame is archived undecoded;
- *held*: a key or a meter model is missing; archived, to be decoded when it comes;
- *stored*: archived, and its readings with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.books import Books, ItemResult
from ingest.frames import take_frames
from ingest.items import Delivery, Item, Unreadable
from ingest.judge import Judge
from ingest.pulses import take_pulses
from ingest.routes import Router
from ingest.rules import Rules
from metering.ports import Outcome, Store, TelegramArchive
from metering.uplink import FrameUplink, GatewayState, PulseUplink

__all__ = ["ItemResult", "Pipeline"]


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

    def accept(self, deliveries: Sequence[Delivery]) -> Sequence[ItemResult]:
        """Take a batch; when this returns, all it gave rise to is committed.

        Raises:
            StoreError: nothing of the batch is kept.
            KeyringError: keys are stored but cannot be decrypted; nothing of the batch is kept.
        """
        return self._take([item for delivery in deliveries for item in self._router.read(delivery)])

    def refuse(self, delivery: Delivery, reason: str, sentence: str) -> Sequence[ItemResult]:
        """Quarantine a delivery whole, without reading more of it than whose it is."""
        gateway = self._router.gateway(delivery)
        return self._take([Item(gateway, Unreadable(reason, sentence), delivery.payload, delivery)])

    def _take(self, read: Sequence[Item]) -> Sequence[ItemResult]:
        states = [item.said for item in read if isinstance(item.said, GatewayState)]
        books = Books([item for item in read if not isinstance(item.said, GatewayState)])
        with self._store.writing() as transaction:
            for state in states:
                transaction.ledger.set_gateway_state(state)
            frames, pulses = _sorted(books, transaction.archive)
            take_pulses(pulses, books, transaction.registry)
            take_frames(frames, books, transaction, self._rules, self._judge)
            return books.close(transaction)


def _sorted(books: Books, archive: TelegramArchive) -> tuple[dict[int, FrameUplink], dict[int, PulseUplink]]:
    """Settle items whose number is known and those that cannot be read; give the rest by kind and place."""
    known = archive.known_sequences({item.sequence for item in books.items if item.sequence is not None})
    frames: dict[int, FrameUplink] = {}
    pulses: dict[int, PulseUplink] = {}
    for place, item in enumerate(books.items):
        if item.sequence in known:
            books.settle(place, Outcome.DUPLICATE)
            continue
        if item.sequence is not None:
            known.add(item.sequence)
        match item.said:
            case FrameUplink() as uplink:
                frames[place] = uplink
            case PulseUplink() as uplink:
                pulses[place] = uplink
            case Unreadable(reason, sentence):
                books.quarantine(place, reason, sentence)
            case _:  # a state is no item
                raise AssertionError(item)
    return frames, pulses
