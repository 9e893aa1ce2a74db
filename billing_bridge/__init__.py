"""Billing bridge: intervals become validated billing reads for somebody else's billing system.

Lives here: billing periods, validation, estimation, the outbox, one file per hand-over target. May not
live here: decoding, MQTT, tariffs and ledgers (those stay the utility's own). Still empty.
"""
