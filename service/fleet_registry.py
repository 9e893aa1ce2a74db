"""Gateways added, listed and removed: ``gateways.toml`` and the broker's files change together.

``gateways.toml`` is the truth about which gateways there are. Passwords stand beside, hashed as Mosquitto
wants them, in the broker's folder; the ACL there is rendered anew with every change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from gateway_firmware_config.fleet import BrokerPlan, Fleet, GatewayPlan, option_faults
from gateway_firmware_config.options import OptionValue
from gateway_firmware_config.passwords import hashed_line, new_password, users, with_line, without_user
from gateway_firmware_config.profile import profile_of
from metering.errors import SettingsError
from metering.uplink import GATEWAY_NAME
from service.fleet_folder import BROKER, rendered_broker, rendered_gateway, write_files, write_whole
from service.fleet_text import line_of, with_gateway, without_gateway
from service.gateway_files import load_fleet, parse_fleet
from service.toml_file import read_text

__all__ = ["Added", "FleetPlace", "NewGateway", "broker_section"]


@dataclass(frozen=True, slots=True)
class NewGateway:
    """What is said of a gateway when it is added.

    Attributes:
        name: its name.
        profile: what it is.
        meters: identities it is told of.
        options: of its profile, as typed: ``KEY=VALUE``.
    """

    name: str
    profile: str
    meters: Sequence[str] = ()
    options: Sequence[str] = ()

    def values(self) -> dict[str, OptionValue]:
        """Give the options by name.

        Raises:
            SettingsError: one is not ``KEY=VALUE``.
            InvalidValue: there is no such profile.
        """
        known, found = profile_of(self.profile).options, {}
        for one in self.options:
            key, equals, text = one.partition("=")
            if not equals:
                raise SettingsError(f"--option {one}: expected KEY=VALUE")
            found[key] = known[key].parse(text) if key in known else text
        return found


@dataclass(frozen=True, slots=True)
class Added:
    """A gateway that has been added.

    Attributes:
        password: at the broker; known to nobody else from now on.
        files: written for it.
        goes_to: where the password belongs on the gateway, for people.
    """

    password: str = field(repr=False)
    files: Sequence[Path]
    goes_to: str


@dataclass(frozen=True, slots=True)
class FleetPlace:
    """Where the gateways stand.

    Attributes:
        file: ``gateways.toml``.
        folder: what is rendered; the broker's part is below ``mosquitto``.

    All methods raise SettingsError if a file cannot be read or written, or something in it is wrong.
    """

    file: Path
    folder: Path

    @property
    def passwords(self) -> Path:
        """Mosquitto's password file."""
        return self.folder / BROKER / "passwords"

    def fleet(self) -> Fleet:
        """Read the gateways there are."""
        return load_fleet(self.file)

    def with_password(self) -> frozenset[str]:
        """Give who has a password."""
        return users(self._passwords())

    def add(self, new: NewGateway, broker: str = "") -> Added:
        """Add a gateway: its table, its password, its line in the ACL, its files.

        Args:
            new: what is said of it.
            broker: the ``[broker]`` section of a file that is not there yet.
        """
        before = read_text(self.file) if self.file.exists() else broker
        self._demand_new(before, new.name)
        options = new.values()
        said: dict[str, OptionValue] = {"profile": new.profile, "revision": 1}
        if new.meters:
            said["meters"] = tuple(new.meters)
        fleet = self._checked(new, options, parse_fleet(before, self.file) if before.strip() else None)
        after = with_gateway(before, new.name, said, options)
        password = self._set_password(new.name)
        write_whole(self.file, after, 0o644)
        files = rendered_gateway(fleet, new.name)
        write_files(rendered_broker(fleet) | files, self.folder)
        return Added(password, [self.folder / path for path in files], profile_of(new.profile).password)

    def remove(self, name: str) -> None:
        """Take a gateway out; its folder stays."""
        self._demand_known(self.fleet(), name)
        text = read_text(self.file)
        after = without_gateway(text, name, self.file)
        fleet = parse_fleet(after, self.file)
        write_whole(self.file, after, 0o644)
        write_whole(self.passwords, without_user(self._passwords(), name), 0o600)
        write_files(rendered_broker(fleet), self.folder)

    def rotate(self, name: str) -> str:
        """Give a gateway, or the service, a new password."""
        fleet = self.fleet()
        if name != fleet.broker.service:
            self._demand_known(fleet, name)
        return self._set_password(name)

    # --- what is demanded ----------------------------------------------------------------------------

    def _demand_new(self, text: str, name: str) -> None:
        if not GATEWAY_NAME.fullmatch(name):
            raise SettingsError(f"{name[:80]!a} is not a gateway name of A-Z a-z 0-9 _ - (at most 64)")
        if not text.strip():
            return
        fleet = parse_fleet(text, self.file)
        if name in fleet.gateway:
            line = line_of(text, name)
            where = f"{self.file}:{line}" if line else str(self.file)
            raise SettingsError(f"{where}: a gateway called {name} is there already; choose another name")
        if name == fleet.broker.service:
            raise SettingsError(f"{name} is the name the service logs in with; choose another")

    def _demand_known(self, fleet: Fleet, name: str) -> None:
        if name not in fleet.gateway:
            known = ", ".join(fleet.gateway) or "none"
            raise SettingsError(f"{self.file}: no gateway {name[:80]!a}; there are: {known}")

    def _checked(self, new: NewGateway, options: Mapping[str, OptionValue], before: Fleet | None) -> Fleet:
        """Give the gateways with the new one.

        Raises:
            SettingsError: what was typed for it is wrong, each fault a line.
        """
        if before is None:
            raise SettingsError(
                f"{self.file} is not there yet: say where the broker is, --broker HOST[:PORT]"
            )
        said = {"profile": new.profile, "meters": new.meters, "options": dict(options)}
        try:
            plan = GatewayPlan.model_validate(said)
        except ValidationError as wrong:
            faults = [_fault(one["loc"], one["msg"]) for one in wrong.errors(include_url=False)]
            raise SettingsError("\n".join(faults)) from None
        fleet = before.model_copy(update={"gateway": {**before.gateway, new.name: plan}})
        if faults := [sentence for way, sentence in option_faults(fleet) if way[1] == new.name]:
            raise SettingsError("\n".join(f"{new.name}: {fault}" for fault in faults))
        return fleet

    # --- passwords -----------------------------------------------------------------------------------

    def _passwords(self) -> str:
        return read_text(self.passwords) if self.passwords.exists() else ""

    def _set_password(self, name: str) -> str:
        password = new_password()
        write_whole(self.passwords, with_line(self._passwords(), hashed_line(name, password)), 0o600)
        return password


def _fault(where: Sequence[str | int], message: str) -> str:
    return f"{'.'.join(str(key) for key in where)}: {message.removeprefix('Value error, ')}"


def broker_section(said: str, *, tls: bool) -> str:
    """Write the ``[broker]`` section for ``HOST[:PORT]``.

    Raises:
        SettingsError: it is none.
    """
    host, _, port = said.partition(":")
    try:
        plan = BrokerPlan(host=host, port=int(port) if port else None, tls=tls)
    except ValueError as wrong:
        raise SettingsError(f"--broker {said}: expected HOST or HOST:PORT") from wrong
    lines = [
        f'host = "{plan.host}"',
        *([f"port = {plan.port}"] if port else []),
        *([] if tls else ["tls = false"]),
    ]
    return "[broker]\n" + "\n".join(lines) + "\n"
