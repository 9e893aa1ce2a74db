"""What the utility knows of its town: meters, service points, pulse inputs and keys, put into the store."""

from __future__ import annotations

from metering.ports import Store
from service.demo.town import Kind, Town

__all__ = ["register"]


def register(town: Town, store: Store) -> None:
    """Register every house; the neighbour's meter is not ours to register."""
    with store.writing() as transaction:
        registry = transaction.registry
        registry.put_meters([house.registration for house in town.houses])
        registry.put_service_points([house.service_point for house in town.houses])
        registry.put_installations([house.installation for house in town.houses])
        registry.put_pulse_inputs([h.pulse_input for h in town.houses if h.model.kind is Kind.PULSE])
        transaction.keyring.put([(h.meter, h.registered_key) for h in town.houses if h.registered_key])
