"""``nurt replay``: readings derived again from the archive, the difference shown first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, DryRun, settings_in_force

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from ingest.difference import Change
    from ingest.replay import Report
    from metering.ports import Scope

__all__ = ["replay"]

Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Telegrams heard since: 2026-03-01, or with time and offset."),
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Telegrams heard before.")]
Meter = Annotated[str | None, typer.Option(metavar="ID", help="Telegrams of one meter.")]

_SHOWN_WHYS = 10


def replay(
    since: Since = None,
    until: Until = None,
    meter: Meter = None,
    config: Config = None,
    dry_run: DryRun = False,  # noqa: FBT002  an option
) -> None:
    """Derive readings again from the archived telegrams: after a mended model, a new release, a late key.

    The archive itself is never changed. Telegrams that cannot be read now keep the readings they gave. It may
    be interrupted; the same command goes on where it was. With --dry-run the difference is told, no more.

    **Examples**

        nurt replay --dry-run

        nurt replay --since 2026-03-01 --meter KAM-76348799-1b-16
    """
    from zoneinfo import ZoneInfo

    from ingest.replay import Replay
    from metering.clock import SystemClock
    from service.commands.imports import told
    from service.database import existing_store
    from service.taking_in import rules_of

    settings = settings_in_force(config).settings
    scope = _scope(since, until, meter, ZoneInfo(settings.ingest.zone))
    store = existing_store(settings.store, SystemClock())
    try:
        with store.reading() as view:
            last = view.archive.last_number()
        work = Replay(store, rules=rules_of(settings.ingest))
        with told(last, "Comparing" if dry_run else "Replaying") as progress:
            reached = _steps(progress)
            report = work.compare(scope, reached) if dry_run else work.run(scope, reached)
    finally:
        store.close()
    typer.echo("\n".join(_lines(report, dry_run=dry_run)))


def _steps(progress: Callable[[int], None]) -> Callable[[int], None]:
    """Turn archive numbers reached into steps made."""
    at = 0

    def reached(number: int) -> None:
        nonlocal at
        progress(number - at)
        at = number

    return reached


def _scope(since: str | None, until: str | None, meter: str | None, zone: ZoneInfo) -> Scope:
    from metering.meter import MeterId
    from metering.ports import Scope

    return Scope(
        meter=MeterId.parse(meter) if meter else None,
        since=_moment(since, zone) if since else None,
        until=_moment(until, zone) if until else None,
    )


def _moment(text: str, zone: ZoneInfo) -> datetime:
    from service.web.queries import moment

    return moment(text, zone)


def _lines(report: Report, *, dry_run: bool) -> list[str]:
    would = "would be " if dry_run else ""
    lines = [f"{report.telegrams} telegrams looked at, {report.healed} {would}healed."]
    for kind, number in sorted(report.counts.items()):
        lines.append(f"{kind}: {number} readings")
        whys = [(why, times) for (of, why), times in report.whys.most_common() if of is kind]
        lines += [f"  {times} x {why}" for why, times in whys[:_SHOWN_WHYS]]
        if len(whys) > _SHOWN_WHYS:
            lines.append(f"  and {len(whys) - _SHOWN_WHYS} more reasons")
        lines += [f"    {_example(change)}" for change in report.examples.get(kind, ())[:3]]
    for code, number in report.unreadable.most_common():
        lines.append(f"{number} telegrams cannot be read now ({code}); their readings stay.")
    if report.same:
        lines.append("Nothing to change." if dry_run else "Nothing changed.")
    return lines


def _example(change: Change) -> str:
    reading = change.reading
    value = format(reading.value, "f")
    at = f"{reading.measured_at:%Y-%m-%d %H:%M:%SZ}"
    return f"{reading.meter} {reading.register.key} {value} {reading.unit}".rstrip() + f" at {at}"
