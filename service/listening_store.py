"""What ingest would make of a frame, by the registry and the keys there are; for ``nurt listen``."""

from __future__ import annotations

from decoders.decode import decode_frame, peek_frame
from decoders.errors import DecodeError
from decoders.fields import fields
from decoders.meaning import fields as model_fields
from decoders.model import Model
from decoders.telegram import Telegram
from ingest.judge import Judge
from ingest.rules import Rules
from ingest.senders import normalised
from metering.clock import SystemClock
from metering.errors import KeyringError, StoreError
from metering.ports import Outcome
from metering.store import SqlStore
from metering.uplink import FrameUplink
from service.database import open_store, version_of
from service.settings_model import StoreSettings

__all__ = ["Known", "plain", "values_of"]

_SHOWN = 6
"""Values shown of one telegram."""


class Known:
    """Judges frames as ingest would; writes nothing.

    Args:
        store: with the registry and the keys.
        rules: what the utility chose.
    """

    def __init__(self, store: SqlStore, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self._judge = Judge()

    @classmethod
    def of(cls, settings: StoreSettings, rules: Rules) -> tuple[Known | None, str]:
        """Open what there is; gives why not, in words, if there is nothing that can be used."""
        try:
            if not version_of(settings):
                return None, "there is no database yet"
            store = open_store(settings, SystemClock())
            try:
                store.check()
                with store.reading() as view:
                    view.keyring.check()
            except BaseException:
                store.close()
                raise
        except (StoreError, KeyringError) as wrong:
            return None, str(wrong)
        return cls(store, rules), ""

    def told(self, uplink: FrameUplink) -> str:
        """Say of whom a frame is, what it says, and how it would end if that is not stored.

        Raises:
            DecodeError: it would be quarantined before anybody asks whose it is.
        """
        frame = normalised(uplink.frame, checksums=uplink.checksums)
        headers = peek_frame(frame)
        with self._store.reading() as view:
            meter = self._rules.ours(headers.meter, view.registry.meters({headers.meter}))
            keys = view.keyring.periods({headers.meter, headers.sender})
            verdict = self._judge.judge(frame, meter, keys, uplink.reception.heard_at)
        if verdict.telegram is not None:
            return f"{headers.meter}: {values_of(verdict.telegram, verdict.model)}"
        if verdict.outcome is not Outcome.FOREIGN:
            return f"{headers.meter}: {verdict.outcome}, {verdict.reason}: {verdict.sentence}"
        try:
            said = values_of(decode_frame(frame))
        except DecodeError as wrong:
            said = wrong.code
        return f"{headers.meter}: foreign, not registered: {said}"

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()


def values_of(telegram: Telegram, model: Model | None = None) -> str:
    """Name some values of a telegram."""
    told = model_fields(telegram, model) if model else fields(telegram)
    named = [(name, value) for name, value in told.items() if value is not None]
    shown = ", ".join(f"{name} {plain(str(value))}" for name, value in named[:_SHOWN])
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    return f"{shown or 'no values'}{more}"


def plain(text: str) -> str:
    """Take what a terminal would obey out of a text from outside."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
