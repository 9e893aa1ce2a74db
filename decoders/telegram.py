"""What decoding gives: a telegram with its records, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from decoders.errors import DecodeError
from metering.meter import MeterId
from metering.reading import Function, Register

__all__ = ["Keys", "Record", "Security", "Telegram", "Value", "no_keys"]

Value = Decimal | datetime | date | time | str | bytes | None
"""A record's value: exact number, the meter's local date/time without zone, text, raw bytes, or nothing."""

Keys = Callable[[MeterId], Sequence[bytes]]
"""Gives the keys to try for a meter, in order. Asked at most once per address of a telegram."""


def no_keys(meter: MeterId) -> Sequence[bytes]:  # noqa: ARG001  the protocol gives the meter
    """Know no key."""
    return ()


@dataclass(frozen=True, slots=True)
class Record:
    """One data record (EN 13757-3).

    Attributes:
        offset: where its DIF stands: byte of the frame, counted from the L field.
        dib: DIF and DIFEs.
        vib: VIF and VIFEs, plain-text unit included.
        data: data bytes, LVAR byte included.
        function: instantaneous, maximum, minimum, during error.
        storage: storage number, 0 = now.
        tariff: tariff number.
        subunit: subunit number.
        quantity: ``volume``, ``volume_flow``, ``date``, ``error_flags``, ...
        unit: ``m3``, ``m3/h``, ``Wh``, ``J``, ``°C``, ``K``, ``bar``, ``s``, ... ; ``""`` for none.
        qualifiers: meanings of combinable VIFEs, in wire order.
        value: see :data:`Value`; ``None`` = the meter says there is no valid value.
        remark: why there is no value, or what to know of it; empty otherwise.
        occurrence: 0 for the first record of this description in the telegram, 1 for the second, ...
    """

    offset: int
    dib: bytes
    vib: bytes
    data: bytes
    function: Function
    storage: int
    tariff: int
    subunit: int
    quantity: str
    unit: str
    qualifiers: tuple[str, ...]
    value: Value
    remark: str = ""
    occurrence: int = 0

    @property
    def difvif(self) -> str:
        """Description of the record in hex, ``0413``."""
        return (self.dib + self.vib).hex().upper()

    @property
    def told(self) -> bool:
        """Whether a payload reader made it out of bytes that are in no data field of the standard.

        Its DIB says "no data" all the same; ``data`` are the bytes it was read from, ``value`` alone tells.
        """
        return bool(self.data) and self.dib[0] & 0x0F == 0

    @property
    def register(self) -> Register:
        """The register this record is a value of."""
        return Register(
            self.quantity,
            self.function,
            self.storage,
            self.tariff,
            self.subunit,
            self.qualifiers,
            self.occurrence,
        )


@dataclass(frozen=True, slots=True)
class Security:
    """What protected the telegram.

    Attributes:
        mode: security mode of the configuration field (0, 5, 7, ...); for link encryption see ``link``.
        link: encryption of the extended link layer: 0 none, 1 AES-128-CTR.
        encrypted: the bytes as received were encrypted; false for a declared mode with a plain payload.
        verified: something inside the protection proved the key: ``2F2F`` and a clean record walk, the
            payload CRC, or the MAC.
        authenticated: a MAC was checked and fits.
        counter: message counter of the authentication layer, if any.
    """

    mode: int = 0
    link: int = 0
    encrypted: bool = False
    verified: bool = False
    authenticated: bool = False
    counter: int | None = None


@dataclass(frozen=True, slots=True)
class Telegram:
    """One decoded telegram.

    Attributes:
        frame: L-delimited bytes without link-layer CRCs, as received otherwise.
        meter: the meter: the transport layer's address if there is one, else the link layer's.
        sender: the link layer's address (a radio adapter may differ from the meter).
        control: C field.
        ci: CI fields from the link layer upwards, in wire order.
        access: access number that counts for this transmission (ELL before TPL), if any.
        status: status byte of the transport layer, if any.
        security: what protected it.
        records: data records in wire order; those with a fault in them are left out.
        manufacturer_data: bytes after DIF 0F or 1F.
        more_follows: DIF 1F: the meter has more records in a further telegram.
        plain: application bytes after decryption, from the first record's DIF on.
        faults: what was wrong in an otherwise readable telegram (a truncated last record); data, not raised.
        wired: a wired M-Bus frame.
    """

    frame: bytes
    meter: MeterId
    sender: MeterId
    control: int
    ci: tuple[int, ...] = ()
    access: int | None = None
    status: int | None = None
    security: Security = field(default_factory=Security)
    records: tuple[Record, ...] = ()
    manufacturer_data: bytes = b""
    more_follows: bool = False
    plain: bytes = b""
    faults: tuple[DecodeError, ...] = ()
    wired: bool = False
