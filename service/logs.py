"""Logs: events with keys, on standard error, one line each; secrets never get that far."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

__all__ = ["redact", "set_up_logs"]

_SECRET = frozenset({"key", "keys", "master_key", "password", "passwd", "secret", "token", "authorization"})


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide what must never be in a log, should somebody put it there."""
    for name in event:
        if name.lower() in _SECRET:
            event[name] = "********"
    return event


def set_up_logs(*, style: str, level: str, worker: int | None = None) -> None:
    """Send structlog's events and the standard library's records through one pipe to standard error.

    Args:
        style: ``console`` for people, ``json`` for machines, ``auto`` by whether a person is watching.
        level: least that is said: ``debug``, ``info``, ``warning``, ``error``.
        worker: number of this process among several, said with every event.
    """
    people = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([_saying(worker=worker)] if worker is not None else []),
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # Nothing is logged per telegram, so a cache would save nothing; and what is configured later would
        # not reach the loggers of modules that have spoken before.
        cache_logger_on_first_use=False,
    )
    _route_standard_library(_formatter(shared, people=people), level.upper())


def _saying(**more: object) -> structlog.typing.Processor:
    """Say something with every event; threads inherit no context, so it is bound to none."""

    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in more.items():
            event.setdefault(name, value)
        return event

    return add


def _formatter(shared: list[structlog.typing.Processor], *, people: bool) -> logging.Formatter:
    last: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if people:
        last.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    else:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)


def _route_standard_library(formatter: logging.Formatter, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in ("uvicorn", "alembic"):  # what they do is told by our own events
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
