"""The customers of the demo: one contract a house, one portal, and a link as that portal would make it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from metering.billing_customers import Contract, Customer, Tenancy
from metering.ports import Clock, Store
from service.customers.settings import CustomerSettings
from service.customers.token import LONGEST, Claims, mint, new_secret, read_secrets
from service.demo.town import House, Town

__all__ = ["PORTAL", "contract_of", "customer_link", "enrol", "portal"]

PORTAL = "demo"
_LIVED_THERE = timedelta(days=365)


def contract_of(house: House) -> str:
    """Give the number of a house's contract."""
    return f"U-{house.service_point.id}"


def enrol(town: Town, store: Store) -> None:
    """Enter a customer, a contract and a tenancy for every house. Nobody has a name."""
    homes = [(house, f"K-{house.service_point.id}") for house in town.houses]
    with store.writing() as tx:
        tx.customers.put_customers([Customer(code, language="pl") for _house, code in homes])
        tx.customers.put_contracts([Contract(contract_of(house), code, "household") for house, code in homes])
        since = town.began - _LIVED_THERE
        tx.customers.put_tenancies(
            [Tenancy(contract_of(house), house.service_point.id, since) for house, _code in homes]
        )


def portal(folder: Path) -> CustomerSettings:
    """Make the demo's portal: a secret of its own."""
    path = folder / "portals"
    path.touch(mode=0o600)
    path.write_text(f"{PORTAL} {new_secret()}\n", encoding="utf-8")
    return CustomerSettings(key_file=path, title="Nurt, demo")


def customer_link(url: str, folder: Path, house: House, clock: Clock) -> str:
    """Give the address of what the customer of a house sees, for a day."""
    now = clock.now()
    claims = Claims(PORTAL, contract_of(house), house.service_point.id, now, now + LONGEST)
    return f"{url}c/{mint(claims, read_secrets(folder / 'portals'))}?lang=en"
