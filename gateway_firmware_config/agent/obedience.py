"""What the agent does with orders: try new settings, keep them if the broker can be reached, else go back.

The settings in force are a file; an order becomes another one, on trial. Whatever happens meanwhile, a power
cut or settings that make the agent fall over, it ends with settings under which the broker was reached.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
from pydantic import ValidationError

from gateway_firmware_config.agent.moment import Moment, rfc3339
from gateway_firmware_config.agent.settings import AgentSettings
from gateway_firmware_config.orders import BadOrder, Order, verified
from metering.errors import StoreUnavailable

__all__ = ["Obedience"]

_log = structlog.get_logger(__name__)

_STARTS = 3
"""How often the agent is started with settings on trial before they are given up."""


@dataclass(slots=True)
class _State:
    """What outlives a restart.

    Attributes:
        rev: revision in force; 0 = the settings the box was installed with.
        trial: revision on trial, 0 = none.
        starts: how often the agent was started with it.
        refused: last revision that was not taken, 0 = none.
        because: why.
        applied_at: when the revision in force was proved good, RFC 3339.
    """

    rev: int = 0
    trial: int = 0
    starts: int = 0
    refused: int = 0
    because: str = ""
    applied_at: str = ""


class Obedience:
    """Knows which settings are in force; not for several threads.

    Args:
        installed: the settings the box was installed with; who it is and whom it obeys stay as they say.

    Raises:
        StoreUnavailable: the folder of the orders cannot be written. From every method.
    """

    def __init__(self, installed: AgentSettings) -> None:
        self._installed = installed
        self._folder = installed.gateway.data / "orders"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as wrong:
            raise StoreUnavailable(f"{self._folder} cannot be made: {wrong.strerror}") from wrong
        self._state = self._read_state()
        self._used = 0
        self._give_up_ms: int | None = None
        self._to_report = True

    # --- settings ------------------------------------------------------------------------------------

    def settings(self) -> AgentSettings:
        """Give the settings to start with."""
        self._give_up_ms, self._to_report = None, True
        state = self._state
        if state.trial and state.starts >= _STARTS:
            self._refuse(state.trial, f"the agent ended {_STARTS} times with these settings")
        if state.trial:
            state.starts += 1
            self._save()
        self._used = state.trial or state.rev
        return self._of(self._used)

    def _of(self, rev: int) -> AgentSettings:
        if rev == 0:
            return self._installed
        file = self._file(rev)
        try:
            return self._parsed(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as wrong:  # a newer or older release knows other settings
            _log.error("orders.unreadable", file=str(file), error=str(wrong), uses="what was installed")
            return self._installed

    def _parsed(self, text: str) -> AgentSettings:
        said = AgentSettings.model_validate(tomllib.loads(text))
        ours = self._installed
        return said.model_copy(update={"gateway": ours.gateway, "orders": ours.orders})

    # --- orders --------------------------------------------------------------------------------------

    def receive(self, payload: bytes) -> bool:
        """Take what was published; true = begin anew, with the settings on trial."""
        if not payload:  # a kept message that was taken back
            return False
        try:
            order = verified(payload, self._installed.gateway.name, self._installed.orders.public_key)
        except BadOrder as bad:
            self._tell(0, str(bad))
            return False
        if order.rev in {self._state.rev, self._state.trial, self._state.refused}:
            return False
        if fault := self._fault(order):
            self._refuse(order.rev, fault)
            return False
        self._write(self._file(order.rev), order.settings)
        self._state.trial, self._state.starts = order.rev, 0
        self._save()
        _log.info("orders.on_trial", rev=order.rev, before=self._state.rev)
        return True

    def _fault(self, order: Order) -> str | None:
        if order.rev < self._state.rev:
            return f"older than revision {self._state.rev}, which is in force"
        try:
            said = AgentSettings.model_validate(tomllib.loads(order.settings))
        except ValidationError as wrong:
            fault = wrong.errors(include_url=False, include_input=False)[0]
            return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        except tomllib.TOMLDecodeError as wrong:
            return f"not TOML: {wrong}"
        named = said.gateway.name
        return None if named == self._installed.gateway.name else f"these are the settings of {named}"

    def tick(self, now: Moment, *, connected: bool) -> bool:
        """Prove settings on trial, or give them up; true = begin anew, with those from before."""
        if not self._state.trial or self._used != self._state.trial:  # what has just come proves nothing yet
            return False
        if connected:
            self._apply(now)
            return False
        seconds = self._installed.orders.trial_s
        if self._give_up_ms is None:
            self._give_up_ms = now.uptime_ms + seconds * 1000
        if now.uptime_ms < self._give_up_ms:
            return False
        self._refuse(self._state.trial, f"the broker could not be reached with it in {seconds} s")
        return True

    def _apply(self, now: Moment) -> None:
        self._state = _State(rev=self._state.trial, applied_at=rfc3339(now.at_ms))
        self._save()
        self._to_report = True
        _log.info("orders.applied", rev=self._state.rev)
        for file in self._folder.glob("agent-*.toml"):
            if file != self._file(self._state.rev):
                file.unlink(missing_ok=True)

    def give_up(self, because: str) -> bool:
        """Give up settings on trial that cannot be used; whether there were any."""
        if not self._state.trial:
            return False
        self._refuse(self._state.trial, because)
        return True

    def report(self) -> bytes | None:
        """Give what is to be published on ``cfg/reported``, once after each change."""
        if not self._to_report:
            return None
        self._to_report = False
        state = self._state
        said = {
            "v": 1,
            "rev": state.refused or state.rev,
            "ok": not state.because,
            "err": state.because or None,
            "in_force": state.rev,
            "applied_at": state.applied_at or None,
        }
        return json.dumps(said).encode()

    def _refuse(self, rev: int, because: str) -> None:
        if rev == self._state.trial:
            self._state.trial = self._state.starts = 0
        self._tell(rev, because)

    def _tell(self, rev: int, because: str) -> None:
        _log.warning("orders.refused", rev=rev or None, because=because, in_force=self._state.rev)
        self._state.refused, self._state.because = rev, because
        self._save()
        self._to_report = True

    # --- files ---------------------------------------------------------------------------------------

    def _file(self, rev: int) -> Path:
        return self._folder / f"agent-{rev}.toml"

    def _read_state(self) -> _State:
        try:
            return _State(**json.loads((self._folder / "state.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return _State()
        except (OSError, ValueError, TypeError) as wrong:
            _log.error("orders.unreadable", file="state.json", error=str(wrong), uses="what was installed")
            return _State()

    def _save(self) -> None:
        self._write(self._folder / "state.json", json.dumps(asdict(self._state)))

    @staticmethod
    def _write(file: Path, text: str) -> None:
        """Write a file as a whole or not at all.

        Raises:
            StoreUnavailable: it cannot be written.
        """
        beside = file.with_suffix(".new")
        try:
            beside.touch(mode=0o600)
            with beside.open("w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(file)
        except OSError as wrong:
            raise StoreUnavailable(f"{file} cannot be written: {wrong.strerror}") from wrong
