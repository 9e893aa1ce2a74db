"""The demo: a simulated town, a broker inside the process, and the real service on top.

Nothing here is a short cut into the store: the town's frames are built byte by byte, published by two
gateways through MQTT, and booked by the same ingest that runs in production.
"""
