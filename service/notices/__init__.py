"""Notices: findings told to people and programs, at least once and each only once as far as receivers allow.

``port`` says what a channel is, ``smtp`` and ``webhook`` are the channels, ``message`` what is said,
``teller`` who is told when.
"""
