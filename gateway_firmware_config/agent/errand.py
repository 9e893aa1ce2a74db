"""Short visits to the broker: an operator leaves messages there, and looks what is kept."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from typing import Self

from paho.mqtt.reasoncodes import ReasonCode  # noqa: TID251  the agent may

from gateway_firmware_config.agent.client import Broker, make_client
from metering.errors import TelemetryError

__all__ = ["Errand"]

_ANSWER_S = 10.0


class Errand:
    """A short visit to the broker: leave kept messages, see what is kept. Used as a context manager.

    Raises:
        TelemetryError: on entering, if the broker cannot be reached or does not let us in.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._seen: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._answer: queue.SimpleQueue[ReasonCode] = queue.SimpleQueue()
        self._client = make_client(broker)
        self._client.on_connect = lambda _c, _u, _f, reason, _p: self._answer.put(reason)
        self._client.on_publish = lambda _c, _u, _m, reason, _p: self._answer.put(reason)
        self._client.on_message = lambda _c, _u, one: self._seen.put((one.topic, bytes(one.payload)))

    def __enter__(self) -> Self:
        where = f"{self._broker.host}:{self._broker.port}"
        try:
            self._client.connect(self._broker.host, self._broker.port)
        except OSError as wrong:  # ssl.SSLError is an OSError
            raise TelemetryError(
                f"the broker {where} cannot be reached: {wrong.strerror or wrong}"
            ) from wrong
        self._client.loop_start()
        try:
            self._await_answer(f"the broker {where} does not let us in")
        except TelemetryError:
            self._client.loop_stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def keep(self, topic: str, message: bytes) -> None:
        """Leave a message that is kept for whoever subscribes.

        Raises:
            TelemetryError: the broker does not take it.
        """
        self._client.publish(topic, message, qos=1, retain=True)
        self._await_answer(f"the broker does not take {topic}")

    def send(self, topic: str, message: bytes) -> None:
        """Send a message to whoever listens now.

        Raises:
            TelemetryError: the broker does not take it.
        """
        self._client.publish(topic, message, qos=1)
        self._await_answer(f"the broker does not take {topic}")

    def seen(self, filters: Sequence[str], seconds: float) -> dict[str, bytes]:
        """Give what is kept, or comes within some seconds, by topic."""
        self.listen(filters)
        time.sleep(seconds)
        return dict(self.news())

    def listen(self, filters: Sequence[str]) -> None:
        """Begin to hear what is kept and what comes."""
        self._client.subscribe([(one, 1) for one in filters])

    def news(self) -> list[tuple[str, bytes]]:
        """Give what was heard since the last call: topic and message."""
        return [self._seen.get() for _ in range(self._seen.qsize())]

    def _await_answer(self, trouble: str) -> None:
        try:
            reason = self._answer.get(timeout=_ANSWER_S)
        except queue.Empty:
            raise TelemetryError(f"{trouble}: no answer in {_ANSWER_S} s") from None
        if reason.is_failure:
            raise TelemetryError(f"{trouble}: {reason}")
