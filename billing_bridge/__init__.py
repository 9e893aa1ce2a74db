"""Billing bridge: intervals become validated billing reads for somebody else's billing system.

::

    period.py           calendars of a utility, cut where something happened
    quality.py          codes of IEC 61968-9 and ESPI
    validate/           rules R1-R19 and I1-I5, one pure function each
    estimate/           indices nobody read, each with the method that gave it
    boundary.py         the index of one meter at an end of a period, and how it is known
    read.py             the billing read: both ends of a period, what passed, and how good it is
    closing.py          periods closed one after another; what late reads change
    self_reading.py     what a customer enters, in the windows of window.py
    outbox.py           hand-over: exactly once at the other side
    export/<target>.py  one file per target

May not live here: decoding, MQTT, tariffs and ledgers (those stay the utility's own).
"""
