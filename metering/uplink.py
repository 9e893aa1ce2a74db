"""The contract between a gateway and us: topics and envelopes.

::

    amr/1/<gw>/up      QoS 1            one JSON object or an array of them, plain or gzip (first bytes 1f 8b)
    amr/1/<gw>/state   QoS 1, retained  {"v":1,"state":"online|offline","boot":"9f3a11c2","ts":...}
    amr/1/<gw>/health  QoS 1, retained  every minute: queue, counts, receivers, the box
    amr/1/<gw>/cfg/desired   QoS 1, retained, to the gateway: signed settings with a revision
    amr/1/<gw>/cfg/reported  QoS 1, retained: which revision is in force, which was refused and why

    {"v":1,"k":"frame","boot":"9f3a11c2","seq":1234,"ts":"2026-01-02T03:04:05.123Z","ts_src":"ntp",
     "mode":"T1","rssi":-71,"hex":"2a44...","n":1,"hist":false}
    {"v":1,"k":"pulse","boot":"9f3a11c2","seq":1235,"ts":"...","ts_src":"ntp","ch":"1","total":123456,"pulse_l":"10"}

Names match ``[A-Za-z0-9_-]{1,64}``; times are RFC 3339 UTC; unknown keys are ignored; ``(gateway, boot,
seq)`` is the idempotency key. An :class:`Uplink` is what every adapter makes of what its gateway sends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from metering.errors import InvalidValue
from metering.reading import Register, utc

__all__ = [
    "GATEWAY_NAME",
    "BadUplink",
    "ClockSource",
    "FrameUplink",
    "GatewayState",
    "GatewayWord",
    "MeterValue",
    "PartUplink",
    "PulseUplink",
    "Reception",
    "Uplink",
    "UplinkTopic",
    "ValueUplink",
]

GATEWAY_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class BadUplink(InvalidValue):
    """What a gateway sent is not an uplink.

    Attributes:
        reason: stable code: ``bad_topic``, ``bad_json``, ``bad_field``, ``bad_hex``, ``too_large``, ...
        evidence: the first bytes of what was sent.
    """

    def __init__(self, reason: str, sentence: str, evidence: bytes = b"") -> None:
        self.reason = reason
        self.evidence = evidence[:200]
        super().__init__(sentence)


class ClockSource(StrEnum):
    """Where a gateway's time comes from; only the first three are trusted as time of measurement."""

    NTP = "ntp"
    GPS = "gps"
    RTC = "rtc"
    NONE = "none"
    """The gateway does not know the time, or does not say: the time of reception counts."""

    @property
    def trusted(self) -> bool:
        """Whether the gateway's own time may be used."""
        return self is not ClockSource.NONE


@dataclass(frozen=True, slots=True)
class UplinkTopic:
    """``amr/1/<gateway>/<leaf>``."""

    gateway: str
    leaf: str

    @classmethod
    def parse(cls, topic: str) -> UplinkTopic:
        """Read a topic of the contract.

        Raises:
            BadUplink: ``bad_topic``.
        """
        parts = topic.split("/")
        if len(parts) < 4 or parts[:2] != ["amr", "1"] or not GATEWAY_NAME.fullmatch(parts[2]):
            raise BadUplink(
                "bad_topic",
                f"topic {topic[:120]!r} is not amr/1/<gateway>/up with a gateway name of A-Z a-z 0-9 _ -",
            )
        return cls(parts[2], "/".join(parts[3:]))

    def __str__(self) -> str:
        """Give the topic."""
        return f"amr/1/{self.gateway}/{self.leaf}"


@dataclass(frozen=True, slots=True)
class Reception:
    """How something was received.

    Attributes:
        gateway: name of the gateway.
        heard_at: UTC; the gateway's time if its clock is trusted, else the time it reached us.
        received_at: UTC; when it reached us.
        clock: where ``heard_at`` comes from.
        rssi_dbm: signal strength in dBm, if the gateway measures real dBm.
        mode: radio mode, ``T1``, ``C1``, ``S1``, if known.
        boot: the gateway's boot id, if it numbers what it sends.
        seq: its number since that boot.
        history: sent later from a spool, not live.
        redelivered: the broker marked the delivery as a repetition (MQTT DUP).
    """

    gateway: str
    heard_at: datetime
    received_at: datetime
    clock: ClockSource = ClockSource.NONE
    rssi_dbm: int | None = None
    mode: str | None = None
    boot: str | None = None
    seq: int | None = None
    history: bool = False
    redelivered: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "heard_at", utc(self.heard_at))
        object.__setattr__(self, "received_at", utc(self.received_at))

    @property
    def sequence(self) -> tuple[str, str, int] | None:
        """``(gateway, boot, seq)``, the idempotency key, if the gateway numbers what it sends."""
        if self.boot is None or self.seq is None:
            return None
        return (self.gateway, self.boot, self.seq)


@dataclass(frozen=True, slots=True)
class FrameUplink:
    """One radio or wired frame, byte for byte as the gateway gave it.

    Attributes:
        reception: how it came.
        frame: as received.
        checksums: whether those of frame format B are known to be in it; they cannot be told from the bytes
            with certainty, those of format A can.
    """

    reception: Reception
    frame: bytes
    checksums: bool = False


@dataclass(frozen=True, slots=True)
class PulseUplink:
    """One counter state of one pulse input.

    Attributes:
        reception: how it came.
        channel: input name.
        total: counter state, pulses since the counter was zero.
        litres_per_pulse: pulse weight as the gateway states it, if it does.
    """

    reception: Reception
    channel: str
    total: int
    litres_per_pulse: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MeterValue:
    """One value somebody before us decoded.

    Attributes:
        register: which register.
        value: exact.
        unit: as in :class:`~metering.reading.Reading`.
        measured_at: when the register had it, if that was said: with a zone, or without one, then it is the
            meter's local time; ``None`` = when the uplink was heard.
    """

    register: Register
    value: Decimal
    unit: str
    measured_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ValueUplink:
    """Values of one device, decoded before they reached us: readings without a frame.

    Attributes:
        reception: how they came.
        device: a meter identity, or a name the registry maps to one (DevEUI, serial number).
        values: at least one.
    """

    reception: Reception
    device: str
    values: tuple[MeterValue, ...]


@dataclass(frozen=True, slots=True)
class PartUplink:
    """A part of a frame that is too long for one uplink of a numbering gateway (LoRaWAN).

    Parts of one frame have numbers that follow each other.

    Attributes:
        reception: how it came; always numbered (``boot``, ``seq``).
        first: the frame begins with it.
        last: the frame ends with it.
        form: what stands before the frame when all parts are joined; known to :mod:`ingest.parts`.
        payload: its bytes.
    """

    reception: Reception
    first: bool
    last: bool
    form: str
    payload: bytes

    def __post_init__(self) -> None:
        if self.reception.sequence is None:
            raise InvalidValue("a part of a frame has a number, or nobody knows what it is a part of")


Uplink = FrameUplink | PulseUplink | ValueUplink | PartUplink


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What ``amr/1/<gw>/state`` says; ``online`` is false also as the gateway's last will."""

    gateway: str
    online: bool
    at: datetime
    boot: str | None = field(default=None)


@dataclass(frozen=True, slots=True)
class GatewayWord:
    """What is said by or to a gateway and only its newest counts: health, settings told, settings reported.

    Attributes:
        gateway: its name.
        leaf: ``health``, ``cfg/desired`` or ``cfg/reported``.
        at: UTC; when it reached us.
        body: a JSON object, without secrets.
        alive: the gateway itself said it just now.
    """

    gateway: str
    leaf: str
    at: datetime
    body: str
    alive: bool = False
