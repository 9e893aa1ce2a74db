"""The agent: a program on a box with receivers. It hears, spools on disk, and publishes by the contract.

::

    receivers (serial port, child process, wired poll) --bytes--> framings --Frame | Pulse--> selection
        --> spool (disk) --> courier --MQTT, QoS 1--> broker --PUBACK--> spool forgets

It never decrypts and never holds a meter's key. What is spooled is published once the broker takes it,
whatever happens in between.
"""
