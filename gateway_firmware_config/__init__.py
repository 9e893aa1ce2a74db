"""What runs on a gateway, and what a gateway is told.

Lives here: the agent with its receivers and spool, profiles, rendering, desired and reported
configuration. May not live here: meter keys, decoding, databases. Still empty.
"""
