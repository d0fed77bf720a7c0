"""`outreach balance`: does every planned message end in exactly one end, and is nothing stuck on the way?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from outreach.cli.opened import opened
from outreach.domain.status import ENDS, Status
from outreach.domain.window import moment, wall_at
from outreach.errors import BadInput
from outreach.store import clinics
from outreach.store.balance import FAULTS, Group, Sheet, Span, weigh
from outreach.store.stuck import Stuck, stuck
from outreach.store.tables import Clinic

COLUMNS = ("planned", "delivered", "undelivered", "failed", "suppressed", "expired", "cancelled", "to come", "in doubt")


def register(app: typer.Typer) -> None:
    app.command("balance")(balance)


def balance(
    day: Annotated[str, typer.Option(help="YYYY-MM-DD by each clinic's calendar; without it, everything.")] = "",
    clinic: Annotated[str | None, typer.Option(help="Its short name; without it, every clinic.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Weigh what was planned against what became of it. Exit 0: it adds up; 1: it does not, or something is stuck."""
    wanted = _day(day)
    with opened() as out, out.sessions() as session:
        found = _look(session, clinic, wanted, out.clock())
    if as_json:
        print(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
    else:
        _print(found, Console(soft_wrap=True, highlight=False))
    if not found.well:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Found:
    """What was weighed: the sheet, and the names and zones of its clinics by id."""

    sheet: Sheet
    stuck: list[Stuck]
    slugs: Mapping[UUID, str]
    zones: Mapping[UUID, str]

    @property
    def well(self) -> bool:
        return self.sheet.holds and not self.stuck

    def lines(self) -> dict[tuple[str, str, str], Counter[str]]:
        """Counts by (clinic, day, channel), earliest day first."""
        lines: dict[tuple[str, str, str], Counter[str]] = {}
        for group in sorted(self.sheet.groups, key=lambda one: (self.slugs[one.clinic_id], one.quarter, one.channel)):
            on = f"{wall_at(group.quarter, self.zones[group.clinic_id]):%Y-%m-%d}"
            line = lines.setdefault((self.slugs[group.clinic_id], on, group.channel), Counter())
            line["planned"] += group.planned
            line[_column(group)] += group.rows
        return lines

    def reasons(self) -> Counter[tuple[str, str]]:
        """Ends by (status, reason)."""
        counts: Counter[tuple[str, str]] = Counter()
        for group in self.sheet.groups:
            if group.status in ENDS:
                counts[group.status.value, group.reason or ""] += group.rows
        return counts

    def as_json(self) -> dict[str, Any]:
        ends = [
            {"status": status, "reason": reason or None, "messages": many}
            for (status, reason), many in sorted(self.reasons().items())
        ]
        lines = [
            {"clinic": slug, "day": on, "channel": channel} | {column: line[column] for column in COLUMNS}
            for (slug, on, channel), line in self.lines().items()
        ]
        faults = [
            {"fault": one.kind, "clinic": self.slugs[one.clinic_id], "message": str(one.message_id), "step": one.step,
             "due": one.due_at.isoformat() if one.due_at else None, "of": one.of}
            for one in self.sheet.faults
        ]  # fmt: skip
        stuck = [
            {"clinic": self.slugs[one.clinic_id], "message": str(one.message_id), "step": one.step,
             "status": one.status.value, "since": one.since.isoformat(), "of": one.of}
            for one in self.stuck
        ]  # fmt: skip
        return {"holds": self.well, "planned": self.sheet.planned, "messages": self.sheet.rows, "days": lines,
                "ends": ends, "faults": faults, "stuck": stuck}  # fmt: skip


def _look(session: Session, slug: str | None, day: date | None, now: datetime) -> Found:
    chosen = [clinics.chosen(session, slug)] if slug is not None else list(clinics.every(session))
    if not chosen:
        raise BadInput("There is no clinic yet. Begin one with `outreach clinic add`; a demo gets the sample clinic.")
    sheet = weigh(session, [_span(one, day) for one in chosen], whole=day is None)
    late = stuck(session, [one.id for one in chosen], now)
    return Found(sheet, late, {one.id: one.slug for one in chosen}, {one.id: one.zone for one in chosen})


def _span(clinic: Clinic, day: date | None) -> Span:
    if day is None:
        return Span(clinic.id)
    start, end = (moment(datetime.combine(on, time()), clinic.zone).at for on in (day, day + timedelta(days=1)))
    return Span(clinic.id, start, end)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadInput(f'"{text}" is not a day. Write it as YYYY-MM-DD, such as 2026-11-28.') from None
    if not 1971 <= found.year <= 9998:
        raise BadInput(f"{text}: no message was ever planned for that year.")
    return found


def _column(group: Group) -> str:
    if group.status in ENDS:
        return group.status.value
    return "in doubt" if group.status is Status.UNKNOWN else "to come"


def _print(found: Found, console: Console) -> None:
    table = Table("clinic", "day", "channel", *COLUMNS, box=None, pad_edge=False)
    for column in table.columns[3:]:
        column.justify = "right"
    for names, line in found.lines().items():
        table.add_row(*names, *(str(line[column] or "-") for column in COLUMNS))
    if found.sheet.groups:
        console.print(table)
    for (status, reason), many in sorted(found.reasons().items()):
        if reason:
            console.print(f"{status}, {reason.replace('_', ' ')}: {many}")
    for sentence in _troubles(found):
        console.print(sentence, style="bold red", markup=False)
    counted = f"planned {found.sheet.planned}, found {found.sheet.rows}"
    console.print(f"{counted}: the balance holds" if found.well else f"{counted}: the balance does not hold")


def _troubles(found: Found) -> Iterator[str]:
    for kind, words in FAULTS.items():
        named = [one for one in found.sheet.faults if one.kind == kind]
        if named:
            yield f"{named[0].of} messages {words} ({kind}):"
            yield from (f"  {one.message_id}  {one.step or ''}  {_at(one.due_at)}".rstrip() for one in named)
    for one in found.stuck:
        yield f"  {one.message_id}  {one.step}  stuck: {one.status.value} since {_at(one.since)}"


def _at(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}Z" if at else ""
