"""Wired M-Bus: meters on a pair of wires behind a level converter, asked one after the other."""
