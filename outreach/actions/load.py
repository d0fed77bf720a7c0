"""Loading a patient list: every bad row reported at once, good rows enrolled, the same file twice changing nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from outreach.actions.book import NewVisit
from outreach.actions.cells import Rules
from outreach.actions.enrol import Enrol, Enrolled, Paper, enrol
from outreach.actions.listing import Line, read_table
from outreach.actions.roster import Row, RowError, check
from outreach.actions.speak import Speakers
from outreach.content.compose import Words
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence
from outreach.errors import BadInput, NotFound, say
from outreach.store.tables import Clinic

SEQUENCE = "ketamine-infusion"
"""What a patient gets where nobody names another."""
Tick = Callable[[int, int], None]


@dataclass
class Loaded:
    """What a file changed, counted in its rows; `updated`: known visits of patients whose own data changed."""

    loaded: int = 0
    unchanged: int = 0
    moved: int = 0
    updated: int = 0
    patients: int = 0
    asked: int = 0
    errors: list[RowError] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "loaded": self.loaded, "unchanged": self.unchanged, "moved": self.moved, "updated": self.updated,
            "patients": self.patients, "asked": self.asked, "errors": [one.as_json() for one in self.errors],
        }  # fmt: skip


def load_rows(
    session: Session,
    path: Path,
    *,
    clinic: Clinic,
    sequences: Mapping[str, Sequence],
    words: Words,
    now: datetime,
    sequence: str | None = None,
    tick: Tick | None = None,
) -> Loaded:
    """Load a CSV file. BadFile: the file as a whole cannot be used, and nothing was written.

    `tick` is told (rows done, all rows). Each patient is one savepoint: nobody is half-written.
    """
    return load_lines(session, read_table(path), clinic=clinic, sequence=chosen(sequences, sequence), words=words,
                      now=now, tick=tick)  # fmt: skip


def load_lines(
    session: Session,
    lines: list[Line],
    *,
    clinic: Clinic,
    sequence: Sequence,
    words: Words,
    now: datetime,
    tick: Tick | None = None,
) -> Loaded:
    """The same from lines read already."""
    spoken = Speakers().view(session, clinic, words)
    roster = check(lines, Rules(clinic.country, clinic.zone, spoken.resolve, spoken.offered, now))
    result = Loaded(errors=roster.errors)
    done = len({error.line for error in roster.errors})
    for rows in roster.patients.values():
        try:
            with session.begin_nested():
                count(result, rows, enrol(session, form_of(clinic, rows), sequence, now))
        except (BadInput, IntegrityError) as error:
            result.errors += [refused(row, error) for row in rows]
        done += len(rows)
        if tick:
            tick(done, len(lines))
    result.errors.sort(key=lambda error: error.line)
    return result


def chosen(sequences: Mapping[str, Sequence], name: str | None) -> Sequence:
    """The sequence of this name; without one, the only one there is, or the default."""
    if name is None:
        name = next(iter(sequences)) if len(sequences) == 1 else SEQUENCE
    if name not in sequences:
        raise NotFound(f'there is no sequence "{name}"; there is: {", ".join(sorted(sequences)) or "none"}.')
    return sequences[name]


def form_of(clinic: Clinic, rows: list[Row]) -> Enrol:
    """The form that the rows of one patient fill in."""
    last = rows[-1].fields  # it has gathered what every row of this patient says
    answers = {Channel.SMS: last["consent_sms"], Channel.EMAIL: last["consent_email"]}
    return Enrol(
        clinic_id=clinic.id,
        name=last["name"],
        locale=last["language"],
        visits=tuple(NewVisit(row.starts, row.minutes, row.visit_id or None) for row in rows),
        zone=last["zone"] or None,
        phone=last["phone"],
        email=last["email"],
        external=rows[0].external,
        wording=last["wording"] or None,
        paper=Paper(
            channels=frozenset(channel for channel, answer in answers.items() if answer == "yes"),
            refused=frozenset(channel for channel, answer in answers.items() if answer == "refused"),
            on=date.fromisoformat(last["consent_date"]) if last["consent_date"] else None,
            form=last["consent_form"],
            warned=last["consent_warned"] == "yes",
        ),
        actor="import",
    )


def count(result: Loaded, rows: list[Row], enrolled: Enrolled) -> None:
    known = len(rows) - len(enrolled.added) - len(enrolled.moved)
    result.loaded += len(enrolled.added)
    result.moved += len(enrolled.moved)
    result.patients += enrolled.new
    result.asked += enrolled.asked
    if enrolled.changed:
        result.updated += known
    else:
        result.unchanged += known


def refused(row: Row, error: Exception) -> RowError:
    """What only the database could tell: a visit's time that another one has."""
    if isinstance(error, BadInput):
        problem, _, remedy = str(error).partition(". ")
        return RowError(row.line, "infusion_start", problem[:1].lower() + problem[1:].rstrip("."), remedy.rstrip("."))
    return RowError(row.line, "", say("conflicts with what is stored already"),
                    say("compare it with the patient's page"))  # fmt: skip
