"""Front door: everything a person or another program touches.

The only room that knows all others: settings, wiring (``bootstrap``), the command line, the web and
the demo. May not live here: a rule about meters, telegrams or bills; those belong to their rooms.
"""
