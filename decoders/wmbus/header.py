"""DIB and VIB together: the bytes before the data of a record, and what they say.

Source: EN 13757-3:2018, clause 6.3. Meters repeat the same few headers for years, so a description is made
once and found again by its bytes.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from decoders.wmbus.values import LENGTHS, VARIABLE, Reader, Scale, reader, unreadable
from decoders.wmbus.vib import MOST_EXTENSIONS, HeaderFault, chain_end, meaning, vib_end
from decoders.wmbus.vif import Kind
from metering.reading import Function, Register

__all__ = ["FUNCTIONS", "Description", "describe", "header_end"]

FUNCTIONS = (Function.INSTANTANEOUS, Function.MAXIMUM, Function.MINIMUM, Function.ERROR)
"""Function field by DIF bits 5 to 4."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a header says.

    Attributes:
        dib: DIF and DIFEs.
        vib: VIF, VIFEs, plain text.
        register: quantity, function, storage, tariff, subunit, qualifiers; occurrence 0.
        key: ``register.key``.
        unit: unit of the value.
        remark: what to know of every value of this header.
        size: bytes of data; ``None`` = the LVAR byte says it.
        read: data bytes to value.
        kind: data type.
        scale: raw number to value.
    """

    dib: bytes
    vib: bytes
    register: Register
    key: str
    unit: str
    remark: str
    size: int | None
    read: Reader
    kind: Kind
    scale: Scale


def header_end(plain: bytes, start: int) -> int:
    """Return where the data begin of the record whose DIF stands at ``start``.

    The position may lie behind the end of the bytes if a plain-text unit is cut.

    Raises:
        IndexError: the bytes end inside the header.
    """
    vif = start
    while plain[vif] & 0x80:
        vif += 1
    return vib_end(plain, vif + 1)


@functools.lru_cache(maxsize=8192)
def describe(header: bytes) -> Description:
    """Say what the bytes from the DIF to the end of the VIB mean.

    Raises:
        HeaderFault: more than ten DIFEs or VIFEs.
    """
    vif = chain_end(header, 0)
    dib, vib = header[:vif], header[vif:]
    storage, tariff, subunit = _where(dib)
    said = meaning(vib)
    function, field = FUNCTIONS[dib[0] >> 4 & 3], dib[0] & 0x0F
    register = Register(said.quantity, function, storage, tariff, subunit, said.qualifiers)
    return Description(
        dib=dib,
        vib=vib,
        register=register,
        key=register.key,
        unit=said.unit,
        remark=said.remark,
        size=None if field == VARIABLE else LENGTHS[field],
        read=unreadable(f"record error: {said.error}")
        if said.error
        else reader(field, said.kind, said.scale),
        kind=said.kind,
        scale=said.scale,
    )


def _where(dib: bytes) -> tuple[int, int, int]:
    """Return storage, tariff and subunit number."""
    if len(dib) > 1 + MOST_EXTENSIONS:
        raise HeaderFault(f"{len(dib) - 1} DIFEs, at most {MOST_EXTENSIONS} are allowed")
    storage, tariff, subunit = dib[0] >> 6 & 1, 0, 0
    for place, dife in enumerate(dib[1:]):
        storage |= (dife & 0x0F) << 4 * place + 1
        tariff |= (dife >> 4 & 3) << 2 * place
        subunit |= (dife >> 6 & 1) << place
    return storage, tariff, subunit
