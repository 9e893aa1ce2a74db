"""What runs on a gateway, and what a gateway is told.

Lives here: the agent with its receivers and spool (``agent/``), and the files that install it. May not live
here: meter keys, decoding, databases other than the agent's own spool.
"""
