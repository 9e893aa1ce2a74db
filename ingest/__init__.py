"""Ingest: MQTT deliveries become stored readings.

Lives here: the MQTT client (``mqtt.py`` alone), what real gateways publish (``adapters/``), the
pipeline with its five outcomes, deduplication. May not live here: SQL, HTTP, protocol tables.
"""
