"""A patient list checked: rows that can be enrolled, and every mistake of the others at once, with its remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from outreach.actions import cells
from outreach.actions.cells import Fault, Rules
from outreach.actions.listing import Line
from outreach.errors import say

# Of the patient, not of the visit: written once, or alike in each of the patient's rows.
PATIENTS_OWN: dict[str, Callable[[str, Rules], str]] = {
    "name": cells.name,
    "phone": cells.phone,
    "email": cells.email,
    "language": cells.language,
    "zone": cells.zone,
    "wording": cells.wording,
    "consent_sms": cells.consent,
    "consent_email": cells.consent,
    "consent_date": cells.signed_on,
    "consent_form": cells.form,
    "consent_warned": cells.yes_no,
}
VISITS_OWN: dict[str, Callable[[str, Rules], Any]] = {
    "infusion_start": cells.start,
    "minutes": cells.minutes,
    "visit_id": cells.visit_identifier,
}
BROKEN = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!)")
CONSENT = {"consent_sms": "phone", "consent_email": "email"}


@dataclass(frozen=True)
class RowError:
    """What is wrong in one cell: the class of the fault and the remedy, never the value: it may be personal."""

    line: int
    column: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{place}: {self.problem}; {self.remedy}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """A good row; `fields` are the patient's own cells in normal form, with what earlier rows said."""

    line: int
    external: str
    fields: dict[str, str]
    starts: datetime
    minutes: int
    visit_id: str


@dataclass
class Roster:
    """Good rows by patient, in the file's order, and the mistakes of the others."""

    patients: dict[str, list[Row]] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)


def check(lines: Sequence[Line], rules: Rules) -> Roster:
    """Every line is either in `patients` or has at least one error."""
    roster, visits = Roster(), dict[tuple[str, object], int]()
    for line in lines:
        faults: list[tuple[str, Fault]] = []
        row = _row(line, rules, faults)
        if row is not None:
            row = _beside(row, roster.patients.get(row.external, []), visits, faults)
        if faults or row is None:
            roster.errors += [RowError(line.number, column, one.problem, one.remedy) for column, one in faults]
            continue
        roster.patients.setdefault(row.external, []).append(row)
        visits |= {(row.external, key): row.line for key in (row.starts, row.visit_id) if key}
    return roster


def _row(line: Line, rules: Rules, faults: list[tuple[str, Fault]]) -> Row | None:
    """The row by itself; None, and at least one fault, when a cell cannot be read."""
    if line.off_by > 0:
        faults.append(("", Fault(say("more cells than the header has columns"),
                                 say("put quotation marks around a cell that contains the separator"))))  # fmt: skip
        return None
    found: dict[str, Any] = {}
    for column, cell in line.cells.items():
        if BROKEN.fullmatch(cell):
            faults.append((column, Fault(say("the spreadsheet shows an error here"),
                                         say("mend the formula, or type the value"))))  # fmt: skip
    if faults:
        return None
    for column, read in {"external_id": cells.identifier, **PATIENTS_OWN, **VISITS_OWN}.items():
        try:
            found[column] = read(line.cells.get(column, ""), rules)
        except Fault as fault:
            faults.append((column, fault))
    if faults:
        return None
    own = {column: found[column] for column in PATIENTS_OWN}
    return Row(line.number, found["external_id"], own, found["infusion_start"], found["minutes"], found["visit_id"])


def _beside(
    row: Row, mine: Sequence[Row], visits: dict[tuple[str, object], int], faults: list[tuple[str, Fault]]
) -> Row:
    """The row with what the patient's earlier rows said; faults where they disagree or something is still missing."""
    before = mine[-1].fields if mine else {}
    merged = {column: value or before.get(column, "") for column, value in row.fields.items()}
    for column, value in row.fields.items():
        if value and before.get(column) and value != before[column]:
            faults.append((column, Fault(
                say("differs from line %(line)s of the same patient", line=mine[0].line), say("make them alike"),
            )))  # fmt: skip
    for column, key in (("infusion_start", row.starts), ("visit_id", row.visit_id)):
        if key and (other := visits.get((row.external, key))):
            problem = say("the same visit as in line %(line)s", line=other)
            faults.append((column, Fault(problem, say("remove one of the two lines"))))
    _complete(merged, faults)
    return Row(row.line, row.external, merged, row.starts, row.minutes, row.visit_id)


def _complete(fields: dict[str, str], faults: list[tuple[str, Fault]]) -> None:
    if not fields["name"]:
        faults.append(("name", Fault(say("there is none"), say("give the name the patient goes by"))))
    if not fields["language"]:
        faults.append(("language", Fault(say("there is none"), say("give the language the patient reads"))))
    if not fields["phone"] and not fields["email"]:
        faults.append(("phone", Fault(say("neither a phone number nor an e-mail address"), say("give at least one"))))
    without = {
        "phone": (say("an answer about consent, but no phone"), say("give the phone")),
        "email": (say("an answer about consent, but no email"), say("give the email")),
    }
    for column, address in CONSENT.items():
        if fields[column] and not fields[address]:
            faults.append((column, Fault(*without[address])))
    if (fields["consent_sms"] or fields["consent_email"]) and not fields["consent_date"]:
        faults.append(("consent_date", Fault(say("there is none"), say("give the day on which the paper was signed"))))
