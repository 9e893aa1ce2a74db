"""How good the detectors are, measured on real households: ``make bench-anomaly``."""
