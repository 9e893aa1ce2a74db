"""The tables, one description for SQLite and PostgreSQL (types: :mod:`metering.store.sql.types`).

::

    identities    every meter ever heard         registers, gateways, origins   small numbers for texts
    telegrams     frames byte for byte           receptions                     who heard each, when
    readings      exact values                   latest                         newest time per register
    details       texts and dates                spans                          numbers that came, per boot
    meters        the registered ones            service_points, installations, pulse_inputs
    meter_keys    encrypted                      master_key                     its check value
    accounts      per gateway, received = sum    quarantine                     what could not be read
    hearings      who heard whom, per day        rhythms                        how often each meter sends
    mending       meters to be tried again       marks                          how far upkeep came
    devices       meters behind names            pulse_states, pulse_resets     what inputs said
    parts         of frames, until all came
    counters      archive numbers, never reused
    outbox        messages that leave            outbox_attempts, outbox_pauses
    looks         who was shown what         consents                       what customers agreed to
    batches       files of such messages, byte for byte
    customers     contracts, tenancies           deductions                     whom, for what, from when
    states        what people read               billing_meters, protocols      dials beside their readings
    billing_reads what was billed                billing_exceptions, billing_decisions, billing_cuts
    billing_inbox billing_documents, billing_marks                              what comes back
    check_findings what rules raised         check_marks, check_intervals   how far states were judged
    class_usage   what a class usually uses  reading_orders                 where a reader is to go
    findings      what was found                 finding_verdicts, finding_notices, finding_marks
    district_meters at borders of districts      district_hours                 what flows and is used
    gateway_words what gateways say and are told, the newest
    series_queue  what a series store lacks
    unclaimed     what came from nobody's devices and inputs

They stand in the modules ``tables_*`` beside this one. A change there needs a new file in
``metering/store/migrations/versions`` and :data:`SCHEMA` one higher; a test compares the two.
"""

from __future__ import annotations

from metering.store.sql.columns import metadata
from metering.store.sql.tables_access import consents, looks
from metering.store.sql.tables_account import (
    accounts,
    details,
    latest,
    outbox,
    outbox_attempts,
    outbox_pauses,
    quarantine,
    readings,
)
from metering.store.sql.tables_batches import batches
from metering.store.sql.tables_billing import (
    billing_cuts,
    billing_decisions,
    billing_documents,
    billing_exceptions,
    billing_inbox,
    billing_marks,
    billing_meters,
    billing_reads,
    contracts,
    customers,
    deductions,
    protocols,
    states,
    tenancies,
)
from metering.store.sql.tables_checks import (
    check_findings,
    check_intervals,
    check_marks,
    class_usage,
    reading_orders,
)
from metering.store.sql.tables_districts import district_hours, district_meters
from metering.store.sql.tables_findings import (
    finding_marks,
    finding_notices,
    finding_verdicts,
    findings,
)
from metering.store.sql.tables_gateways import gateway_words
from metering.store.sql.tables_registry import (
    devices,
    installations,
    master_key,
    meter_keys,
    meters,
    parts,
    pulse_inputs,
    pulse_resets,
    pulse_states,
    service_points,
)
from metering.store.sql.tables_series import series_queue
from metering.store.sql.tables_telegrams import (
    counters,
    gateways,
    hearings,
    identities,
    marks,
    mending,
    origins,
    receptions,
    registers,
    rhythms,
    spans,
    telegrams,
)
from metering.store.sql.tables_unclaimed import unclaimed

__all__ = [
    "SCHEMA",
    "accounts",
    "batches",
    "billing_cuts",
    "billing_decisions",
    "billing_documents",
    "billing_exceptions",
    "billing_inbox",
    "billing_marks",
    "billing_meters",
    "billing_reads",
    "check_findings",
    "check_intervals",
    "check_marks",
    "class_usage",
    "consents",
    "contracts",
    "counters",
    "customers",
    "deductions",
    "details",
    "devices",
    "district_hours",
    "district_meters",
    "finding_marks",
    "finding_notices",
    "finding_verdicts",
    "findings",
    "gateway_words",
    "gateways",
    "hearings",
    "identities",
    "installations",
    "latest",
    "looks",
    "marks",
    "master_key",
    "mending",
    "metadata",
    "meter_keys",
    "meters",
    "origins",
    "outbox",
    "outbox_attempts",
    "outbox_pauses",
    "parts",
    "protocols",
    "pulse_inputs",
    "pulse_resets",
    "pulse_states",
    "quarantine",
    "reading_orders",
    "readings",
    "receptions",
    "registers",
    "rhythms",
    "series_queue",
    "service_points",
    "spans",
    "states",
    "telegrams",
    "tenancies",
    "unclaimed",
]

SCHEMA = 15
"""The schema this release knows: the number of the newest migration."""
