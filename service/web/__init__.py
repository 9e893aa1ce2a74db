"""The web: health, metrics, JSON API and the operators' pages.

Pages are made on the server and need no script; numbers leave it as exactly as they are stored. May not
live here: rules about meters and volumes (``metering``), decoding (``decoders``), wiring (``bootstrap``).
"""
