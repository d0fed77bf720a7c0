"""The sample clinic and its invented patients: for the demo, for trying, and for the rehearsal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from outreach.actions.approve import approve_everything
from outreach.actions.listing import Line, read_table
from outreach.actions.load import Loaded, chosen, load_lines
from outreach.actions.twice import expect
from outreach.content.compose import Words
from outreach.content.laws import load_laws
from outreach.content.yaml_lines import line_of, read_yaml
from outreach.domain import window
from outreach.domain.access import Role
from outreach.domain.law import Law
from outreach.domain.sequence import Sequence
from outreach.domain.timing import parse_clock
from outreach.errors import BadFile, BadInput
from outreach.store import clinics, staff
from outreach.store.tables import Clinic

TEXTS = ("slug", "name", "zone", "country", "locale", "phone", "address", "emergency", "wording",
         "sms_sender", "email_sender")  # fmt: skip
CLOCKS = ("quiet_from", "quiet_to")
NUMBERS = ("most_a_day", "most_a_week")
LINES = (*TEXTS, "law", *CLOCKS, *NUMBERS)
"""What a file may say. Hours and numbers that it leaves out are those of its profile of the law."""
AHEAD = timedelta(days=2)
DEMO_STAFF = {
    Role.ADMINISTRATOR: (staff.DEMO_EMAIL, "Alex Administrator"),
    Role.COORDINATOR: ("coordinator@clinic.example", "Casey Coordinator"),
    Role.APPROVER: ("approver@clinic.example", "Dr. Avery Approver"),
    Role.TRANSLATOR: ("translator@clinic.example", "Tala Translator"),
    Role.VIEWER: ("viewer@clinic.example", "Vic Viewer"),
}


def load_sample(
    session: Session,
    root: Path,
    now: datetime,
    sequences: Mapping[str, Sequence],
    words: Words,
    by_themselves: Collection[str] = (),
) -> Loaded | None:
    """Make the demo clinic, its staff and patients, the first visit in two days. None: there is a clinic already.

    `by_themselves`: carriers that answer STOP and HELP; the clinic then begins without answers of its own.
    """
    if clinics.every(session):
        return None
    clinic = add_clinic(session, root)
    expect(session, clinic.id, by_themselves, now)
    approve_everything(session, clinic.id, words, now)
    for role, (email, name) in DEMO_STAFF.items():
        staff.add(session, clinic_id=clinic.id, email=email, name=name, password=staff.DEMO_PASSWORD, role=role)
    lines = read_table(root / "config" / "sample" / "patients.csv")
    today = window.wall_at(now, clinic.zone).date()
    return load_lines(session, shifted(lines, today), clinic=clinic, sequence=chosen(sequences, None), words=words,
                      now=now)  # fmt: skip


def add_clinic(session: Session, root: Path, *, quiet: bool = False) -> Clinic:
    """The sample clinic, marked as a demo. Without `quiet` it may write at any hour: whenever it is tried, it shows."""
    values = read_clinic(root / "config" / "sample" / "clinic.yaml", load_laws(root / "config" / "law"))
    if not quiet:
        values |= {"quiet_from": time(0), "quiet_to": time(0)}
    return clinics.add(session, **values, demo=True)


def read_clinic(path: Path, laws: Mapping[str, Law]) -> dict[str, Any]:
    """The columns of a clinic from its YAML file. BadFile names the line and what would be right."""
    tree = read_yaml(path)
    for key in tree:
        if key not in LINES:
            raise BadFile(path, line_of(tree, key), f'unknown line "{key}".', f"The lines are: {', '.join(LINES)}.")
    values: dict[str, Any] = {}
    for key in TEXTS:
        value = tree.get(key)
        if not isinstance(value, str) or not value.strip():
            raise BadFile(path, line_of(tree, key), f'"{key}" must be a text.', 'Put it in quotation marks: "911".')
        values[key] = value.strip()
    try:
        window.zone(values["zone"])
    except BadInput as error:
        raise BadFile(path, line_of(tree, "zone"), str(error)) from None
    return values | _bounds(path, tree, laws)


def _bounds(path: Path, tree: Mapping[str, Any], laws: Mapping[str, Law]) -> dict[str, Any]:
    """The clinic's profile of the law, and its hours and numbers: its own, or else the profile's."""
    law = laws.get(str(tree.get("law", "us")))
    if law is None:
        raise BadFile(
            path, line_of(tree, "law"), f'there is no profile "{tree["law"]}".', f"Choose: {', '.join(laws)}."
        )
    values: dict[str, Any] = {"law": law.code}
    for key in CLOCKS:
        own = tree.get(key)
        try:
            values[key] = getattr(law, key) if own is None else parse_clock(str(own))
        except BadInput as error:
            raise BadFile(path, line_of(tree, key), str(error)) from None
    for key in NUMBERS:
        own = tree.get(key, getattr(law, key))
        if isinstance(own, bool) or not isinstance(own, int) or own < 1:
            raise BadFile(path, line_of(tree, key), f'"{key}" must be a whole number from 1.')
        values[key] = own
    return values


def shifted(lines: list[Line], today: date) -> list[Line]:
    """The same lines with every date moved by whole days, so that the first infusion is two days from `today`."""
    first = min(date.fromisoformat(line.cells["infusion_start"][:10]) for line in lines)
    by = today + AHEAD - first
    return [Line(line.number, line.cells | _moved(line.cells, by), line.off_by) for line in lines]


def _moved(cells: Mapping[str, str], by: timedelta) -> dict[str, str]:
    dated = {column: cells.get(column, "") for column in ("infusion_start", "consent_date")}
    return {
        column: (date.fromisoformat(text[:10]) + by).isoformat() + text[10:] for column, text in dated.items() if text
    }
