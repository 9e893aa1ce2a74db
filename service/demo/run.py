"""``nurt demo``: the whole service over a simulated town, in one process, with nothing else installed."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from rich.console import Console

from ingest.intake import Intake
from metering.clock import SystemClock
from metering.errors import TelemetryError
from metering.ports import Clock, Store
from metering.store import create_master_key
from service.bootstrap import make_web
from service.database import prepared_store
from service.demo.billing_stage import bill
from service.demo.broker import BrokerFailed, DemoBroker
from service.demo.customers import customer_link, enrol, portal
from service.demo.districts_stage import LEAK_LPS, LEAKING
from service.demo.findings_stage import judging
from service.demo.gateways import Gateway
from service.demo.play import Play
from service.demo.radio import RECEIVERS
from service.demo.registry import register
from service.demo.schedule import HistoryPlan
from service.demo.screen import Account, Counters, HistoryBar, Sight, say_sights
from service.demo.town import LEAK_AGE, LEAK_LITRES_PER_HOUR, ZONE, Story, Town
from service.logs import set_up_logs
from service.runner import listen, url_of, web_server
from service.settings_model import (
    IngestSettings,
    LogSettings,
    MqttSettings,
    Settings,
    StoreSettings,
    WebSettings,
)
from service.taking_in import make_intake

__all__ = ["DemoFailed", "run_demo"]

_CUSTOMER = "What the customer with the leak sees, as inside the utility's own portal"
_UPLINKS = "amr/1/+/up"
_SUBSCRIBE_S = 10.0
_SETTLE_S = 1.5
"""Seconds the last items have to be booked when the demo ends."""

_FAREWELL_S = 5.0
"""Seconds the gateways' last words have to be booked; on an idle machine it takes hundredths of one."""


class DemoFailed(TelemetryError):
    """The demo could not run, or its account does not balance."""


def run_demo(  # noqa: PLR0913  the options of the command
    *,
    duration: timedelta | None,
    port: int,
    open_browser: bool,
    seed: int,
    data: Path | None,
    console: Console,
) -> None:
    """Run the demo until its time is up or a signal ends it.

    Args:
        duration: how long in all, start and history included; ``None`` = until Ctrl-C.
        port: TCP port of the pages on 127.0.0.1; 0 = a free one.
        open_browser: show the pages in a browser, if there is a screen for one.
        seed: of the town.
        data: folder for database and master key, kept at the end; ``None`` = a temporary one.
        console: where to say what happens.

    Raises:
        TelemetryError: it could not run, or its account does not balance.
    """
    clock = SystemClock()
    set_up_logs(style="auto", level="error")
    with ExitStack() as house:
        ended = house.enter_context(_ending(duration))
        folder = house.enter_context(_folder(data))
        town = Town.build(seed, clock.now())
        stage = _set_up(house, folder, port, town, clock, ended)
        leaking = customer_link(stage.url, folder, town.telling(Story.LEAK), clock)
        say_sights(console, stage.url, [*_sights(stage.url, town), Sight(_CUSTOMER, leaking)])
        if open_browser:
            _show(stage.url, console)
        play = Play(
            town,
            [Gateway(receiver, stage.broker.link(receiver.name)) for receiver in RECEIVERS],
            seed=seed,
            clock=clock,
            booked=lambda: stage.intake.status.items,
            ended=ended.is_set,
        )
        _perform(play, town, stage, clock, console)
        _close(play, stage, clock, console)


@dataclass(frozen=True, slots=True)
class _Stage:
    """The running service: broker, store, ingest, and the address of its pages."""

    broker: DemoBroker
    store: Store
    intake: Intake
    url: str


def _set_up(  # noqa: PLR0913, PLR0917  what the service is made of
    house: ExitStack, folder: Path, port: int, town: Town, clock: Clock, ended: threading.Event
) -> _Stage:
    """Start the service on the town's registry; it ends with the stack, in the opposite order."""
    broker = house.enter_context(DemoBroker())
    settings = _settings(folder, broker, port)
    listening = house.enter_context(listen(settings.web))
    create_master_key(settings.store.master_key)
    store = prepared_store(settings.store, clock)
    house.callback(store.close)
    register(town, store)
    enrol(town, store)
    intake = make_intake(settings, store, clock)
    house.enter_context(web_server(make_web(settings, store, clock, intake), listening, on_end=ended.set))
    intake.start()
    house.callback(intake.stop)
    _await_subscription(broker)
    return _Stage(broker, store, intake, url_of(listening))


@contextmanager
def _ending(duration: timedelta | None) -> Iterator[threading.Event]:
    """Give an event set by SIGINT, SIGTERM or the end of the time; a second signal ends at once."""
    ended = threading.Event()
    timer = threading.Timer(duration.total_seconds(), ended.set) if duration is not None else None

    def end(_number: int, _frame: object) -> None:
        for number in before:
            signal.signal(number, signal.SIG_DFL)
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield ended
    finally:
        if timer:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """Give the folder asked for, which must hold no database yet, or a temporary one."""
    if data is None:
        with tempfile.TemporaryDirectory(prefix="nurt-demo-") as temporary:
            yield Path(temporary)
        return
    if (data / "nurt.db").exists() or (data / "master.key").exists():
        raise DemoFailed(f"{data} already holds a database; the demo begins anew in an empty folder")
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise DemoFailed(f"the folder {data} cannot be made: {wrong.strerror}") from wrong
    yield data


def _settings(folder: Path, broker: DemoBroker, port: int) -> Settings:
    # Constructed, not read: NURT_STORE__URL in the environment must never lead the demo to a real database.
    return Settings.model_construct(
        store=StoreSettings(data=folder),
        mqtt=MqttSettings(host=broker.host, port=broker.port, client_id="nurt-demo", protocol="3.1.1"),
        ingest=IngestSettings(zone=str(ZONE)),
        web=WebSettings(port=port),
        logs=LogSettings(),
        customers=portal(folder),
    )


def _await_subscription(broker: DemoBroker) -> None:
    until = time.monotonic() + _SUBSCRIBE_S
    while not broker.subscribed(_UPLINKS):
        if time.monotonic() > until:
            raise BrokerFailed("ingest did not reach the demo's own broker; is the loopback interface up?")
        time.sleep(0.01)


def _sights(url: str, town: Town) -> Sequence[Sight]:
    """Say where the stories can be seen."""

    def page(story: Story) -> str:
        return f"{url}meters/{town.telling(story).meter}"

    def where(story: Story) -> str:
        return town.telling(story).service_point.address

    return (
        Sight(
            f"Slow leak, {where(Story.LEAK)}: {LEAK_LITRES_PER_HOUR} litres an hour, day and night,"
            f" for {LEAK_AGE.days} days",
            page(Story.LEAK),
        ),
        Sight(
            f"Meter built in the wrong way round, {where(Story.REVERSED)}: its index falls",
            page(Story.REVERSED),
        ),
        Sight(
            f"Wrong key, {where(Story.WRONG_KEY)}: every telegram is kept and held",
            f"{url}telegrams?state=held",
        ),
        Sight(
            f"A leak in the network: district {LEAKING} takes in {LEAK_LPS} L/s more, day and night",
            f"{url}districts/{quote(LEAKING)}",
        ),
        Sight("A neighbour's meter, not in the registry: kept unread", f"{url}telegrams?state=foreign"),
    )


def _show(url: str, console: Console) -> None:
    """Open a browser with a window; one that would take over the terminal is none."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if console.is_terminal and type(browser) is not webbrowser.GenericBrowser:
        browser.open(url)


def _perform(play: Play, town: Town, stage: _Stage, clock: Clock, console: Console) -> None:
    store, url = stage.store, stage.url
    for gateway in play.gateways:
        gateway.say("online", clock.now())
    plan = HistoryPlan(town.began, clock.now())
    console.print(
        "Telling 30 days of history: three telegrams a day of each meter, hourly for the last two days,",
        "for pulses and for the meters above.",
        soft_wrap=True,
        highlight=False,
    )
    begun, told = time.monotonic(), 0
    with HistoryBar(console, plan.hours) as bar:
        for told, items in play.history(plan):
            bar.at(told, items)
    seconds = time.monotonic() - begun
    rate = f"{play.published:,} items in {seconds:.1f} s, {play.published / seconds:,.0f} a second"
    if told < plan.hours:
        console.print(
            f"{told // 24} of {plan.hours // 24} days of history told when the time was up: {rate}",
            soft_wrap=True,
        )
        return
    console.print(f"{plan.hours // 24} days of history told: {rate}. Now live.", soft_wrap=True)
    console.print(f"{bill(town, store, clock)}: {url}billing/exceptions", soft_wrap=True, highlight=False)
    with judging(store, clock, play.settle), Counters(console, clock.now) as counters:
        for _ in play.live(plan.end):
            counters.show(_account(play, store))


def _close(play: Play, stage: _Stage, clock: Clock, console: Console) -> None:
    """Let the last items be booked, then settle the account."""
    for gateway in play.gateways:
        gateway.say("offline", clock.now())
    play.settle(_SETTLE_S)
    _await_farewells(stage.store)
    stage.intake.stop(_SETTLE_S)
    account = _account(play, stage.store)
    console.print(account.closing(), soft_wrap=True, highlight=False)
    if not account.balanced:
        raise DemoFailed("what was published was not booked exactly; that should not be")


def _await_farewells(store: Store) -> None:
    """Wait until every gateway is known to be offline: its last word is no item and settles no account."""
    until = time.monotonic() + _FAREWELL_S
    while time.monotonic() < until:
        with store.reading() as transaction:
            if not any(gateway.online for gateway in transaction.ledger.gateways()):
                return
        time.sleep(0.01)


def _account(play: Play, store: Store) -> Account:
    with store.reading() as transaction:
        rows = transaction.ledger.gateways()
    return Account({gateway.name: gateway.published for gateway in play.gateways}, rows)
