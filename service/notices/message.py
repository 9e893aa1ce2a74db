"""What is said: one finding, or the suspects of a day, in the language of the receivers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from anomaly.texts import sentence
from metering.finding import Tier
from metering.findings import Kept
from service.anomaly_lines import line_of
from service.anomaly_money import Tariff, loss_so_far
from service.notices.port import Message

__all__ = ["Wording"]

_WORDS = {
    "en": {
        "notify": "Notice",
        "dispatch": "Work for a crew",
        "meter": "Meter or district",
        "contract": "Contract",
        "lost": "Lost so far, estimated",
        "more": "More",
        "digest": "Suspects of {day}: {count}",
    },
    "pl": {
        "notify": "Powiadomienie",
        "dispatch": "Zlecenie dla brygady",
        "meter": "Wodomierz lub strefa",
        "contract": "Umowa",
        "lost": "Dotychczas stracono, szacunkowo",
        "more": "Więcej",
        "digest": "Podejrzenia z dnia {day}: {count}",
    },
    "ro": {
        "notify": "Înștiințare",
        "dispatch": "Lucrare pentru echipă",
        "meter": "Contor sau sector",
        "contract": "Contract",
        "lost": "Pierdut până acum, estimat",
        "more": "Mai mult",
        "digest": "Suspiciuni din {day}: {count}",
    },
}


@dataclass(frozen=True, slots=True)
class Wording:
    """How findings are said.

    Attributes:
        language: ``en``, ``pl`` or ``ro``.
        zone: local time.
        link: address of the pages; empty = no links.
        tariff: price of water, if one is set.
    """

    language: str
    zone: ZoneInfo
    link: str = ""
    tariff: Tariff | None = None

    def of_finding(self, key: str, kept: Kept, tier: Tier, now: datetime) -> Message:
        """Say what was known of a finding when it reached a tier, and what it cost so far."""
        finding = kept.finding
        stage = finding.at_tier(tier) or finding.stages[-1]
        words = _WORDS[self.language]
        said = sentence(stage, self.language, self.zone)
        lines = [said, "", f"{words['meter']}: {finding.subject}"]
        if kept.tenancy:
            lines.append(f"{words['contract']}: {kept.tenancy}")
        if loss := loss_so_far(finding, now, self.tariff):
            money = f", {loss.money} {loss.currency}" if loss.money is not None else ""
            lines.append(f"{words['lost']}: {loss.litres} L{money}")
        if self.link:
            lines.append(f"{words['more']}: {self._page(kept)}")
        title = f"{words[tier.value]}: {stage.name}, {finding.subject}"
        return Message(key, title, "\n".join(lines) + "\n", self._body(key, kept, tier))

    def of_day(self, key: str, day: date, suspects: Sequence[Kept]) -> Message:
        """Say all that is only suspected, once a day."""
        title = _WORDS[self.language]["digest"].format(day=day.isoformat(), count=len(suspects))
        lines = []
        for kept in suspects:
            stage = kept.finding.stages[-1]
            lines.append(f"{kept.finding.subject}  {stage.name}")
            lines.append(f"    {sentence(stage, self.language, self.zone)}")
            lines += [f"    {self._page(kept)}"] if self.link else []
        findings = [self._body(key, kept, Tier.SUSPECT) for kept in suspects]
        body = {"type": "findings.digest", "day": day.isoformat(), "findings": findings}
        return Message(key, title, "\n".join(lines) + "\n", body)

    def _body(self, key: str, kept: Kept, tier: Tier) -> dict[str, object]:
        stage = kept.finding.at_tier(tier) or kept.finding.stages[-1]
        return {
            "type": "finding.raised",
            "key": key,
            "id": kept.id,
            "tenancy": kept.tenancy,
            **line_of(kept.finding, stage, self.language, self.zone),
            **({"link": self._page(kept)} if self.link else {}),
        }

    def _page(self, kept: Kept) -> str:
        return f"{self.link.rstrip('/')}/findings/{kept.id}"
