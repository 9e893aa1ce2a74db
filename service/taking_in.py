"""Puts ingest together: settings and store in, intake out. Nothing starts here; the web is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from ingest.batching import Limits
from ingest.intake import Intake
from ingest.judge import Judge
from ingest.mqtt_settings import MqttSettings as Broker
from ingest.mqtt_settings import Tls, subscriptions
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from ingest.roster import Member, Roster
from ingest.routes import Router
from ingest.rules import Foreign, Rules
from ingest.upkeep import Keeping, Upkeep
from metering.ports import Clock, Store
from service.crew_names import machine_of
from service.series import sender_of
from service.settings_check import check_broker_files
from service.settings_model import IngestSettings, MqttSettings, Settings

__all__ = ["broker_of", "keeping_of", "make_intake", "make_pipeline", "rules_of"]


def make_intake(
    settings: Settings,
    store: Store,
    clock: Clock,
    *,
    last_words: bool = True,
    former: Sequence[str] = (),
) -> Intake:
    """Make ingest: routes, rules and broker as the settings say.

    Args:
        settings: in force; of a worker, those with its own client id.
        store: where all goes.
        clock: the present.
        last_words: of several workers on one machine, one listens to what gateways say of themselves.
        former: subscriptions the session may still have from an earlier run.

    Raises:
        SettingsError: a file named for the broker cannot be read or used.
    """
    check_broker_files(settings.mqtt)
    ingest, judge = settings.ingest, Judge()
    broker = replace(broker_of(settings.mqtt), last_words=last_words, former=former)
    me = Member(
        broker.client_id,
        machine_of(settings),
        subscriptions(broker),
        clock.now(),
        alarm_s=ingest.alarm_s,
    )
    roster = Roster(store, me, clock=clock)
    return Intake(
        make_pipeline(settings, store, judge),
        broker,
        clock=clock,
        limits=Limits(most=ingest.batch_items, oldest_s=ingest.batch_seconds),
        upkeep=Upkeep(
            store,
            Replay(store, judge=judge, rules=rules_of(ingest)),
            judge,
            clock=clock,
            keeping=keeping_of(ingest),
            leads=lambda: roster.leads,
        ),
        roster=roster,
        settling=sender_of(settings.series, store),
    )


def make_pipeline(settings: Settings, store: Store, judge: Judge) -> Pipeline:
    """Make what takes deliveries in."""
    router = Router([rule.route() for rule in settings.mqtt.topics])
    return Pipeline(store, router=router, rules=rules_of(settings.ingest), judge=judge)


def rules_of(ingest: IngestSettings) -> Rules:
    """Give what the settings say about telegrams."""
    return Rules(
        window=timedelta(seconds=ingest.duplicate_window_s),
        zone=ZoneInfo(ingest.zone),
        foreign=Foreign(ingest.foreign),
    )


def keeping_of(ingest: IngestSettings) -> Keeping:
    """Give how long the settings say that things are kept."""
    days = timedelta(days=ingest.foreign_days)
    return Keeping(foreign=None if ingest.foreign == "store" else days)


def broker_of(mqtt: MqttSettings) -> Broker:
    """Give the broker as ingest knows it.

    Raises:
        SettingsError: the password file cannot be read.
    """
    return Broker(
        host=mqtt.host,
        port=mqtt.broker_port,
        client_id=mqtt.client_id,
        protocol=mqtt.protocol,
        username=mqtt.username,
        password=mqtt.secret(),
        tls=_tls(mqtt),
        filters=tuple(rule.filter for rule in mqtt.topics),
        shared_group=mqtt.shared_group or "",
        keepalive_s=mqtt.keepalive_s,
        session_expiry_s=mqtt.session_expiry_s,
        receive_maximum=mqtt.receive_maximum,
    )


def _tls(mqtt: MqttSettings) -> Tls | None:
    files = (mqtt.ca_file, mqtt.cert_file, mqtt.key_file)
    return Tls(*(str(file) if file else None for file in files)) if mqtt.tls else None
