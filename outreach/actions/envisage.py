"""The dry run of a list: what each row would do, by comparing with what is stored; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.book import NewVisit, same
from outreach.actions.load import form_of
from outreach.actions.roster import Roster, Row, RowError
from outreach.domain.channel import Channel
from outreach.domain.contact import index_form
from outreach.errors import Sentence, say
from outreach.store.known import Known, known
from outreach.store.tables import Clinic

AT_ONCE = 500


class Fate(StrEnum):
    """What becomes of a row. Stored, one letter a row."""

    PATIENT = "p"  # a new patient, with this visit
    VISIT = "v"  # a new visit of a known patient, or a further one of a new patient
    MOVED = "m"
    CHANGED = "c"  # a known visit; the patient's own data change
    SAME = "s"
    WRONG = "e"


@dataclass
class Findings:
    """`fates`: a letter for each row of the sheet, in its order. `errors`: every fault of every row."""

    fates: str = ""
    errors: list[RowError] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        return {fate.name.lower(): self.fates.count(fate.value) for fate in Fate}

    def as_json(self) -> str:
        errors = [[one.line, one.column, pack(one.problem), pack(one.remedy)] for one in self.errors]
        return json.dumps({"fates": self.fates, "errors": errors}, ensure_ascii=False)

    @classmethod
    def of(cls, text: str) -> Findings:
        """Back from as_json(); "" is nothing found yet."""
        if not text:
            return cls()
        found = json.loads(text)
        errors = [
            RowError(line, column, unpack(what), unpack(remedy)) for line, column, what, remedy in found["errors"]
        ]
        return cls(found["fates"], errors)


def pack(text: str) -> Any:
    """A sentence so that it can still be translated after it was stored."""
    if isinstance(text, Sentence):
        return [text.msgid, {key: pack(value) if isinstance(value, str) else value for key, value in
                             text.values.items()}]  # fmt: skip
    return str(text)


def unpack(packed: Any) -> str:
    if isinstance(packed, str):
        return packed
    msgid, values = packed
    return say(msgid, **{key: unpack(value) if isinstance(value, (str, list)) else value for key, value in
                         values.items()})  # fmt: skip


def foresee(session: Session, clinic: Clinic, numbers: Sequence[int], roster: Roster) -> Findings:
    """What the rows of these line numbers would do today."""
    fates = {error.line: Fate.WRONG for error in roster.errors}
    errors = list(roster.errors)
    groups = iter(roster.patients.items())
    while batch := dict(islice(groups, AT_ONCE)):
        stored = known(session, clinic.id, batch)
        for external, rows in batch.items():
            found, wrong = _of_patient(clinic, rows, stored.get(external))
            fates |= found
            errors += wrong
    errors.sort(key=lambda error: error.line)
    return Findings("".join(fates.get(number, Fate.SAME).value for number in numbers), errors)


def _of_patient(clinic: Clinic, rows: list[Row], stored: Known | None) -> tuple[dict[int, Fate], list[RowError]]:
    if stored is None:
        return {row.line: Fate.VISIT if place else Fate.PATIENT for place, row in enumerate(rows)}, []
    form = form_of(clinic, rows)
    changed = _changed(form.name, form.locale, form.zone, form.wording, stored) or _other_address(
        {Channel.SMS: form.phone, Channel.EMAIL: form.email}, stored
    )
    meant = [same(visit, stored.visits, stored.externals) for visit in form.visits]
    leaving = {old.id for old, new in zip(meant, form.visits, strict=True) if old and _moves(clinic, old, new)}
    taken: dict[object, UUID | None] = {
        one.starts: one.id for one in stored.visits if one.status != "cancelled" and one.id not in leaving
    }
    fates, errors = dict[int, Fate](), list[RowError]()
    for row, visit, old in zip(rows, form.visits, meant, strict=True):
        moves = old is not None and _moves(clinic, old, visit)
        if (old is None or moves) and visit.starts in taken:
            fates[row.line] = Fate.WRONG
            errors.append(RowError(row.line, "infusion_start", say("another visit of this patient has this time already"),
                                   say("move or cancel that one first")))  # fmt: skip
            continue
        taken[visit.starts] = old.id if old else None
        fates[row.line] = Fate.VISIT if old is None else Fate.MOVED if moves else Fate.CHANGED if changed else Fate.SAME
    return fates, errors


def _moves(clinic: Clinic, old: Any, new: NewVisit) -> bool:
    return (old.starts, old.zone, old.minutes) != (new.starts, new.zone or clinic.zone, new.minutes)


def _changed(name: str, locale: str, zone: str | None, wording: str | None, stored: Known) -> bool:
    person = stored.person
    wanted = (" ".join(name.split()), locale, zone or person.zone, wording or person.wording)
    return wanted != (person.name, person.locale, person.zone, person.wording)


def _other_address(given: Mapping[Channel, str], stored: Known) -> bool:
    def differ(channel: Channel, value: str) -> bool:
        mine = stored.addresses.get(channel)
        return mine is None or index_form(channel, mine[1]) != index_form(channel, value)

    return any(differ(channel, value) for channel, value in given.items() if value)


def lines_with(errors: Iterable[RowError]) -> dict[int, list[RowError]]:
    """Errors by their row."""
    found: dict[int, list[RowError]] = {}
    for error in errors:
        found.setdefault(error.line, []).append(error)
    return found
