"""Ground floor: the words every room speaks.

Meters, readings, uplinks, errors and ports. Pure: standard library only, no clock, no I/O.
The adapters below ``metering.store`` are the exception; they are imported by ``service`` alone and
never from this package's other modules.
"""
