"""What came before its device, input or meter was registered, taken in once it is.

Counter states and decoded values of nobody leave no frame in the archive; they are kept as they were read,
for as long as telegrams of meters not registered are (:class:`ingest.upkeep.Keeping`). How they ended when
they came is booked already and stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ingest.books import Books
from ingest.items import Delivery, Item
from ingest.pulses import take_pulses
from ingest.rules import Rules
from ingest.values import identity_of, take_values
from metering.ports import Store, Transaction
from metering.unclaimed import Claim, UnclaimedKind, Waiting
from metering.uplink import PulseUplink, ValueUplink

__all__ = ["claim"]

_MARK = "claimed"
_NAMES = 200
_UPLINKS = 500


def claim(store: Store, rules: Rules, enough: Callable[[], bool] = lambda: False) -> int:
    """Take in what has a meter now; looks only if something was registered since. Gives how many uplinks.

    Args:
        store: where they wait.
        rules: what the utility chose.
        enough: asked now and then whether to leave the rest for later.
    """
    with store.reading() as view:
        asked = view.unclaimed.asked()
        if view.upkeep.mark(_MARK) == str(asked):
            return 0
    taken, after = 0, None
    while not enough():
        with store.reading() as view:
            names = view.unclaimed.claims(after, _NAMES)
            known = _registered(view, names)
        if not names:
            with store.writing() as transaction:
                transaction.upkeep.set_mark(_MARK, str(asked))
            return taken
        taken += _take_all(store, rules, known) if known else 0
        after = names[-1]
    return taken


def _registered(view: Transaction, names: Sequence[Claim]) -> list[Claim]:
    """Give those that have, or had, somebody: whether it holds for an uplink's time is looked at later."""
    inputs = view.registry.pulse_inputs({_pair(one) for one in names if one.kind is UnclaimedKind.PULSE})
    values = [one for one in names if one.kind is UnclaimedKind.VALUES]
    devices = view.devices.named({_pair(one) for one in values})
    identities = {one: identity_of(one.name) for one in values}
    meters = view.registry.meters({meter for meter in identities.values() if meter is not None})
    mine = {one for one in values if _pair(one) in devices or identities[one] in meters}
    return [one for one in names if one in mine or (one.kind is UnclaimedKind.PULSE and _pair(one) in inputs)]


def _pair(one: Claim) -> tuple[str, str]:
    return one.gateway, one.name


def _item(one: Waiting) -> Item:
    """Give an item to book it by; what came with it is not kept."""
    reception = one.uplink.reception
    return Item(reception.gateway, one.uplink, b"", Delivery("", b"", reception.received_at))


def _take_all(store: Store, rules: Rules, names: Sequence[Claim]) -> int:
    taken = last = 0
    while True:
        with store.writing() as transaction:
            waiting = transaction.unclaimed.waiting(names, last, _UPLINKS)
            if not waiting:
                return taken
            done = _take(waiting, transaction, rules)
            transaction.unclaimed.drop(done)
        taken += len(done)
        last = waiting[-1].id


def _take(waiting: Sequence[Waiting], transaction: Transaction, rules: Rules) -> list[int]:
    """Take some in; gives those that ended otherwise than as nobody's."""
    books = Books([_item(one) for one in waiting])
    said = dict(enumerate(one.uplink for one in waiting))
    take_pulses({n: one for n, one in said.items() if isinstance(one, PulseUplink)}, books, transaction)
    values = {n: one for n, one in said.items() if isinstance(one, ValueUplink)}
    take_values(values, books, transaction, rules)
    return [waiting[place].id for place in books.close_late(transaction)]
