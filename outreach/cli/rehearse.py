"""`outreach rehearse`: the whole course of a file's patients through the real engines, workers and the sandbox."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from outreach.actions.approve import approve_everything
from outreach.actions.listing import read_table
from outreach.actions.load import load_rows
from outreach.actions.sample import add_clinic
from outreach.cli.course import Course
from outreach.cli.stage import Stage, stage
from outreach.domain.status import Status
from outreach.errors import OutreachError
from outreach.settings import ROOT, load_settings
from outreach.store.patients import listing
from outreach.store.reports import Balance, balance
from outreach.store.seen import Seen
from outreach.store.tables import Infusion
from outreach.store.traffic import Attempt, Event
from outreach.wiring import Outreach

BEFORE_FIRST = timedelta(days=10)

# An attempt that a carrier took: our reading of its answer says so, or its list, or its own news.
_TAKEN = and_(
    Event.attempt_id.is_not(None),
    or_(Event.source == "carrier", and_(Event.source == "us", Event.word.in_(("accepted", "found")))),
)


def register(app: typer.Typer) -> None:
    app.command("rehearse")(rehearse)


def rehearse(
    csv: Annotated[
        Path,
        typer.Option(
            help="Patients and infusions, in the form of `outreach load`; else the sample.", show_default=False
        ),
    ] = ROOT / "config" / "sample" / "patients.csv",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every message and the balance there.")] = None,
) -> None:
    """Play the whole course of these patients on a clock that runs ahead; exit 0 only if the balance holds."""
    console = Console(soft_wrap=True, highlight=False)
    with stage(load_settings()) as running:
        report = _play(running, csv, console)
    _print(report, console)
    if json_file:
        json_file.write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=1), "utf-8")
    if report.faults:
        raise typer.Exit(1)


@dataclass
class Report:
    """What was seen at both ends: our rows, and what the carriers' stand-in received."""

    messages: list[Seen]
    names: dict[UUID, str]
    balance: Balance
    faults: list[str]
    answers: Counter[str]
    mended: list[str]
    received: int

    def as_json(self) -> dict[str, Any]:
        return {
            "messages": [_row(one, self.names) for one in self.messages],
            "balance": {"planned": self.balance.planned, **{k.value: v for k, v in self.balance.ends.items()}},
            "open": {k.value: v for k, v in self.balance.open.items() if v},
            "answers": dict(self.answers), "restarted": self.mended, "faults": self.faults,
        }  # fmt: skip


def _play(running: Stage, csv: Path, console: Console) -> Report:
    out = running.out
    begin = _first(csv) - BEFORE_FIRST
    with out.sessions.begin() as session:
        clinic_id, errors = _load(session, out, csv, begin)
        names = {person.id: person.external or str(person.id)[:8] for person in listing(session, clinic_id)}
        infusions = session.scalar(select(func.count()).select_from(Infusion)) or 0
    if not names:
        raise OutreachError(f"{csv}: no row could be loaded, so there is nothing to rehearse: {'; '.join(errors[:5])}")
    for error in errors:
        console.print(f"{csv.name}: {error}")
    console.print(f"{len(names)} patients, {infusions} infusions; the clock starts at {begin:%Y-%m-%d %H:%M} UTC")
    course = Course(running, clinic_id, begin)
    faults = []
    try:
        with _progress(console, course):
            course.play()
    except OutreachError as error:
        faults.append(str(error))
    return _report(running, course, names, faults)


def _first(csv: Path) -> datetime:
    """When the earliest infusion of the file is, near enough to start a clock days before it."""
    starts = []
    for line in read_table(csv):
        with suppress(ValueError):
            starts.append(datetime.fromisoformat(line.cells.get("infusion_start", "")).replace(tzinfo=UTC))
    if not starts:
        raise OutreachError(
            f"{csv}: no row has an infusion_start like 2027-02-15 09:30, so there is nothing to rehearse."
        )
    return min(starts)


@contextmanager
def _progress(console: Console, course: Course) -> Iterator[None]:
    """A bar where somebody watches; silence in a file."""
    if not console.is_terminal:
        yield
        return
    day = TextColumn("{task.fields[day]}")
    with Progress(TextColumn("rehearsing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), day) as bar:
        task = bar.add_task("", total=None, day="")

        def told(ended: int, planned: int) -> None:
            bar.update(task, completed=ended, total=planned, day=f"{course.now:%Y-%m-%d %H:%M}Z")

        course.told = told
        yield


def _load(session: Session, out: Outreach, csv: Path, now: datetime) -> tuple[UUID, list[str]]:
    """The sample clinic, with the quiet hours of a real one, and the patients of the file."""
    clinic = add_clinic(session, ROOT, quiet=True)
    approve_everything(session, clinic.id, out.words, now)
    loaded = load_rows(session, csv, clinic=clinic, sequences=out.sequences, words=out.words, now=now)
    return clinic.id, [str(error) for error in loaded.errors]


def _report(running: Stage, course: Course, names: dict[UUID, str], faults: list[str]) -> Report:
    """Compare three witnesses: planning events, rows, and what the sandbox received."""
    with running.out.sessions() as session:
        counted = balance(session)
        attempts = {str(row[0]): row[1] for row in session.execute(select(Attempt.id, Attempt.message_id))}
        accepted = {str(one) for one in session.scalars(select(Event.attempt_id).where(_TAKEN))}
    received = running.sandbox("/sandbox/messages")
    arrived = [one["attempt"] for one in received["sms"] if one["direction"] != "inbound"]
    arrived += [one["attempt"] for one in received["mails"]]
    twice = [n for n in Counter(attempts[one] for one in arrived if one in attempts).values() if n > 1]
    if not counted.finished:
        faults.append("the balance does not hold")
    if twice:
        faults.append(f"{len(twice)} messages reached the carriers more than once, under one attempt or several")
    if set(arrived) != accepted:
        lost, strange = len(accepted - set(arrived)), len(set(arrived) - accepted)
        faults.append(f"{lost} messages that we handed over never arrived; {strange} arrived that we do not know of")
    return Report(course.messages(), names, counted, faults, Counter(course.answers), course.mended, len(arrived))


def _row(one: Seen, names: dict[UUID, str]) -> dict[str, Any]:
    return {
        "patient": names[one.patient_id], "step": one.step, "channel": one.channel.value, "locale": one.locale,
        "wording": one.wording, "local": one.wall.isoformat(timespec="minutes"), "zone": one.zone,
        "utc": one.due_at.isoformat(), "rule": one.rule, "status": one.status.value,
        "reason": one.reason.value if one.reason else None, "segments": one.segments, "words": one.body,
    }  # fmt: skip


def _print(report: Report, console: Console) -> None:
    for one in report.messages:
        why = f" ({one.reason.value.replace('_', ' ')})" if one.reason else ""
        size = f"{one.segments} seg" if one.segments else ""
        console.print(
            f"{report.names[one.patient_id]:<10.10} {one.step:<20} {one.channel.value:<5} {one.locale or '-':<3}"
            f" {one.wall:%Y-%m-%d %H:%M} {one.zone:<20} {one.status.value + why:<34} {size:<6}"
            f" {' '.join(one.body.split())[:48]}",
            markup=False,
        )
    for answer, count in sorted(report.answers.items()):
        console.print(f"patients {answer}: {count}", markup=False)
    for name, count in Counter(report.mended).items():
        console.print(f"{name} died and was started again: {count}")
    ends = report.balance.ends
    failed = ends[Status.FAILED] + ends[Status.UNDELIVERED]
    console.print(
        f"planned {report.balance.planned} = delivered {ends[Status.DELIVERED]} + failed {failed}"
        f" + suppressed {ends[Status.SUPPRESSED]} + expired {ends[Status.EXPIRED]}"
        f" + cancelled {ends[Status.CANCELLED]}; the carriers received {report.received}"
    )
    for fault in report.faults:
        console.print(f"[bold red]{fault}[/]")
    if not report.faults:
        console.print("[green]the balance holds; nothing lost, nothing twice[/]")
