"""What is no data from a meter: named, and refused with a reason."""

from __future__ import annotations

from collections.abc import Mapping

from decoders.errors import FrameError, LayerError
from decoders.wmbus import link, security, wired
from decoders.wmbus.ci import CI, Content
from decoders.wmbus.explain_records import shown
from decoders.wmbus.layers import Layers

__all__ = ["anonymous", "check_control", "refusal"]

_REFUSALS: Mapping[Content, tuple[str, str]] = {
    Content.MANUFACTURER: ("manufacturer_specific", "the payload is the manufacturer's own"),
    Content.RESERVED: ("unknown_ci", "the CI field is reserved"),
    Content.ELL: ("unsupported_layer", "an extended link layer in a place where none belongs"),
    Content.AFL: ("unsupported_layer", "an authentication layer in a place where none belongs"),
    Content.NETWORK: ("unsupported_layer", "the network layer is not read"),
    Content.ALARM: ("not_meter_data", "an alarm, not data records"),
    Content.RESPONSE: ("unsupported_layer", "this response is not read"),
    Content.OTHER_PROTOCOL: ("unsupported_layer", "another application protocol"),
    Content.MANAGEMENT: ("not_meter_data", "network, image or security management"),
    Content.COMMAND: ("not_meter_data", "a command to a meter"),
    Content.APPLICATION_ERROR: ("not_meter_data", "the meter reports an application error"),
}
_APPLICATION_ERRORS: Mapping[int, str] = {
    0x00: "unspecified",
    0x01: "CI field not implemented",
    0x02: "buffer too long",
    0x03: "too many records",
    0x04: "premature end of record",
    0x05: "more than 10 DIFE",
    0x06: "more than 10 VIFE",
    0x08: "application busy",
    0x09: "too many readouts",
}
_APPLICATIONS = (
    "all",
    "user data",
    "simple billing",
    "enhanced billing",
    "multi-tariff billing",
    "instantaneous values",
    "load management",
    "reserved 7",
    "installation",
    "test",
    "calibration",
    "manufacturing",
    "development",
    "self-test",
    "reserved E",
    "reserved F",
)
"""Applications a reset (CI 50, 53) selects, by the high four bits of its byte."""

_RESET_AT = {0x50: 1, 0x53: 13}
_ALARM = 0x71
_SELECTION = 0x52


def refusal(layers: Layers, ci: int, at: int) -> LayerError:
    """Say why there are no records behind this CI field."""
    code, message = _REFUSALS[CI[ci].content]
    evidence: dict[str, str | int] = {"ci": f"{ci:02X}", "name": CI[ci].name}
    payload = _payload(layers)
    if ci == _ALARM and layers.sender is not None and layers.sender.manufacturer in link.DIEHL:
        code, message = _REFUSALS[Content.MANUFACTURER]
    elif CI[ci].content is Content.APPLICATION_ERROR and payload:
        message += f": {_APPLICATION_ERRORS.get(payload[0], 'unknown')}"
        evidence["error"] = payload[0]
    elif CI[ci].content is Content.ALARM:
        message += f": {payload.hex().upper() or 'no details'}"
        evidence["alarm"] = payload.hex().upper()
    elif CI[ci].content in {Content.COMMAND, Content.MANAGEMENT, Content.OTHER_PROTOCOL}:
        message += f": {CI[ci].name}"
    return LayerError(code, message, offset=at, evidence=evidence)


def _payload(layers: Layers) -> bytes:
    """Give what stands behind the header, fillers of the encryption aside."""
    header = layers.header
    if header is None:
        return b""
    payload = layers.data[security.after_mark(layers.data, header) :]
    return payload.rstrip(security.MARK) if header.encrypted else payload


def check_control(layers: Layers) -> None:
    """Refuse frames towards a meter and acknowledgements.

    Raises:
        FrameError: ``not_a_frame`` for an unknown C field.
        LayerError: ``not_meter_data``.
    """
    control = link.CONTROL.get(layers.control)
    if control is None:
        raise FrameError("not_a_frame", f"C field {layers.control:02X} is not known", offset=1)
    if not control.from_meter:
        said, evidence = _command(layers)
        raise LayerError(
            "not_meter_data",
            f"{control.name}: not data from a meter{said}",
            offset=4 if layers.frame.wired else 1,
            evidence={"control": layers.control} | evidence,
        )


def _command(layers: Layers) -> tuple[str, dict[str, str | int]]:
    """Say what is asked of the meter, as far as the CI field tells."""
    at = wired.CI_AT if layers.frame.wired else 10
    data = layers.data
    if len(data) <= at:
        return "", {}
    ci = data[at]
    evidence: dict[str, str | int] = {"ci": f"{ci:02X}", "name": CI[ci].name}
    if ci in _RESET_AT and len(data) > at + _RESET_AT[ci]:
        application = data[at + _RESET_AT[ci]]
        evidence["application"] = f"{_APPLICATIONS[application >> 4]}, block {application & 0x0F}"
    if layers.frame.wired and ci == _SELECTION and len(data) >= at + 9:
        evidence["selected"] = _secondary(data[at + 1 : at + 9])
    return f" but {CI[ci].name}", evidence


def _secondary(address: bytes) -> str:
    """Write a secondary address (EN 13757-2): number, manufacturer, version, type; F stands for any."""
    number, manufacturer = address[3::-1].hex().upper(), address[5:3:-1].hex().upper()
    return f"{number}-{manufacturer}-{address[6]:02X}-{address[7]:02X}"


def anonymous(layers: Layers) -> LayerError:
    """Say why a wired frame has no meter: no data records, or no address before them."""
    header = layers.header
    if header is not None and CI[header.ci].content in _REFUSALS:
        return refusal(layers, header.ci, header.start)
    if layers.fixed is not None:
        return _without_manufacturer(layers)
    return LayerError(
        "unsupported_layer",
        "the wired frame names its meter by primary address only",
        offset=header.start if header else 0,
        evidence={"ci": f"{header.ci:02X}"} if header else {},
    )


def _without_manufacturer(layers: Layers) -> LayerError:
    """Tell what a fixed data structure says; without a manufacturer it names no meter."""
    fixed = layers.fixed
    if fixed is None:
        return LayerError("unsupported_layer", "no fixed data structure")
    evidence: dict[str, str | int] = {"serial": fixed.serial, "device_type": fixed.device_type}
    for number, record in enumerate(fixed.records, 1):
        evidence[f"counter_{number}"] = shown(record.value, record.unit) or "no value"
    error = LayerError(
        "unsupported_layer",
        "the fixed data structure of old wired meters names no manufacturer",
        offset=fixed.start,
        evidence=evidence,
    )
    error.records = fixed.records
    return error
