"""What a bill would be if it were written now: the read up to this moment, priced by the billing system.

Nothing is kept and nothing is booked. The billing system is asked at ``[billing] preview_url`` with the read
as it would be handed over, and answers with lines, gross amount and currency.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson

from billing_bridge.export.json_http import Url
from billing_bridge.gather import gather
from billing_bridge.judge import judge, newest
from billing_bridge.period import Cause
from billing_bridge.read import BillingRead
from billing_bridge.record import opened
from billing_bridge.taking import Booked, Unbillable
from billing_bridge.utility import Utility
from metering.billing import ReadState
from metering.billing_customers import CutMade
from metering.errors import InvalidValue, SettingsError
from metering.ports import Clock, Store
from service.billing_inbox import BadAnswer, signed_request
from service.settings_model import Settings

__all__ = ["Preview", "preview", "read_now"]

_HISTORY = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Preview:
    """A bill that was not written.

    Attributes:
        read: up to now.
        lines: name, quantity, unit, net, as the billing system says.
        gross: what would be to be paid.
        currency: ISO 4217.
    """

    read: BillingRead
    lines: list[dict[str, Any]]
    gross: Decimal
    currency: str


def preview(settings: Settings, store: Store, clock: Clock, utility: Utility, service_point: str) -> Preview:
    """Ask the billing system what a bill up to now would be.

    Raises:
        SettingsError: no preview URL is set, or the secrets cannot be read.
        InvalidValue: there is no such service point, or no read can be taken there now.
        BadAnswer: the billing system gives no preview.
    """
    billing = settings.billing
    if billing.preview_url is None:
        raise SettingsError("[billing] preview_url is not set: nobody could price it")
    read = read_now(store, clock, utility, service_point)
    url = Url.parse(billing.preview_url)
    body = signed_request(url, url.path, billing.secrets()[0], clock, read.payload())
    try:
        said = orjson.loads(body)
        return Preview(read, list(said["lines"]), Decimal(str(said["gross"])), str(said["currency"]))
    except (ValueError, KeyError, TypeError, ArithmeticError) as wrong:
        raise BadAnswer(f"{url.host} gives no preview") from wrong


def read_now(store: Store, clock: Clock, utility: Utility, service_point: str) -> BillingRead:
    """Take the read from where the last billed period ended up to now, and keep nothing.

    Raises:
        InvalidValue: there is no such service point, or no read can be taken there now.
    """
    now = clock.now()
    with store.reading() as tx:
        points = tx.registry.service_points([service_point])
        if not points:
            raise InvalidValue(f"there is no service point {service_point[:60]!r}")
        places = gather(tx, utility, points.values(), now - _HISTORY, now, judging=now)
    place = places[service_point]
    here = CutMade(service_point, now, Cause.ON_DEMAND.value, "preview", "preview", now)
    place = replace(place, cuts=[*place.cuts, here])
    periods = [one for one in place.periods(utility, now - timedelta(microseconds=1), now) if one.end == now]
    booked = Booked()
    for row in newest(place.reads, ReadState.BILLED).values():
        booked = booked.after(opened(row))
    if not periods:
        raise InvalidValue(f"no meter hangs at service point {service_point[:60]!r}")
    taken = judge(place, periods[-1], utility, places, booked).read
    if isinstance(taken, Unbillable):
        raise InvalidValue(f"no read can be taken at {service_point} now: {taken.reason}")
    return taken
