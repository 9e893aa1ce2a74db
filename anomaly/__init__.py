"""Anomaly: series become findings.

Lives here: the gate (which readings lie on the meter's line), ticks of hours and days, sufficiency, the
detectors (one file each, listed in detector.py), their sentences, and the scan over a fleet. Pure mathematics
on NumPy arrays; no clock, no bytes of telegrams, no databases.
"""
