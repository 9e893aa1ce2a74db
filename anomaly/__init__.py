"""Anomaly: series become findings.

Lives here: detectors (one file each), sufficiency, the scan over a fleet. Pure mathematics on NumPy
arrays; no I/O, no bytes of telegrams, no databases. Still empty: the detectors are the next work.
"""
