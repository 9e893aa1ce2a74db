"""Settings of topics: what is published where, and how to read it."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ingest.adapters import Options
from ingest.adapters.mapping import FieldMap, FieldValue
from ingest.routes import Route

__all__ = ["FieldsRule", "Section", "TopicRule", "ValueRule", "known_zone"]


class Section(BaseModel):
    """A table of the settings: nothing unknown in it, never changed, values never repeated in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def known_zone(name: str) -> str:
    """Let only names of time zones pass.

    Raises:
        ValueError: no such zone.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValueError("no such time zone; names look like Europe/Warsaw") from unknown
    return name


class ValueRule(Section):
    """One value of a message read by a field map."""

    at: str = Field(
        description="JSON path (data.0.total), column name, or column number from 1", min_length=1
    )
    register_: str = Field(default="volume", alias="register", description="register key: volume, volume/s1")
    unit: str = Field(description="what the number is in: m3, L, m3/h, L/h, kWh, ...")


class FieldsRule(Section):
    """Where a message without an adapter of its own says what."""

    values: tuple[ValueRule, ...] = Field(description="where the numbers are")
    format: Literal["json", "csv"] = Field(default="json", description="how it is written")
    rows: str = Field(
        default="", description="JSON path of the array of readings; the message itself if empty"
    )
    device: str = Field(default="", description="where the meter's identity or the device's name is")
    fixed_device: str = Field(default="", description="the same for all messages, where they do not say")
    time: str = Field(default="", description="where the time is; when it reached us if empty")
    time_format: str = Field(
        default="rfc3339", description="rfc3339, unix, or a pattern of strptime for local times"
    )
    separator: str = Field(default=";", description="of CSV columns")
    header: bool = Field(default=True, description="the first CSV line names the columns")

    def field_map(self) -> FieldMap:
        """Give the map ingest knows.

        Raises:
            InvalidValue: the parts do not make one.
        """
        said = self.model_dump(exclude={"values"})
        return FieldMap(
            values=tuple(FieldValue(one.at, one.register_, one.unit) for one in self.values), **said
        )


class TopicRule(Section):
    """One topic filter and the adapter that reads what is published there."""

    filter: str = Field(description="MQTT topic filter")
    adapter: str = Field(default="contract", description="how to read what arrives: `nurt adapters`")
    gateway: str = Field(
        default="", description="gateway name, if the topic holds none; else the first + names it"
    )
    codec: str = Field(default="", description="what LoRaWAN devices put into their payloads")
    unit: str = Field(default="", description="what a sensor's number counts: pulses, L or m3")
    key: str = Field(default="", description="which value is the counter, where its maker chose the name")
    zone: Annotated[str, AfterValidator(known_zone)] | None = Field(
        default=None, description="of the gateway's clock, where it writes local time"
    )
    checksums: Literal["", "B"] = Field(
        default="", description='"B": the gateway leaves the checksums of frame format B in'
    )
    fields: FieldsRule | None = Field(default=None, description="where a message says what (field_map)")

    @model_validator(mode="after")
    def _routable(self) -> Self:
        self.route()
        return self

    def route(self) -> Route:
        """Give the route ingest knows.

        Raises:
            InvalidValue: no such adapter, not a filter, nothing names the gateway, or options do not fit.
        """
        return Route(
            self.filter, self.adapter, self.gateway, self._options(), checksums=self.checksums == "B"
        )

    def _options(self) -> Options:
        return Options(
            codec=self.codec,
            unit=self.unit,
            key=self.key,
            zone=ZoneInfo(self.zone) if self.zone else None,
            fields=self.fields.field_map() if self.fields else None,
        )
