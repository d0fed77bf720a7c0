"""Working off uploaded lists in the background: claimed, a chunk at a time, resumed where a dead worker stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.enrol import enrol, take_turn
from outreach.actions.foresee import Fate, Findings
from outreach.actions.load import Loaded, chosen, count, form_of, refused
from outreach.actions.roster import Row, RowError
from outreach.actions.sheet import Sheet
from outreach.actions.take_back import take_back
from outreach.actions.take_in import dry_run, read_kept, read_roster
from outreach.content.compose import Words
from outreach.domain.sequence import Sequence
from outreach.errors import BadInput
from outreach.store import audit, changes, uploads
from outreach.store.changes import Change
from outreach.store.known import Known, known
from outreach.store.tables import Clinic
from outreach.store.uploads import List

CHUNK = 20
"""Patients in one transaction: about half a second, so that a page of progress moves and a death costs little."""
LEASE = timedelta(seconds=60)
CHECKING = timedelta(minutes=10)
GRACE = timedelta(minutes=10)
"""What a list brings about at once waits so long: who sees the wrong list loaded can still take it back unheard."""
MOST_TRIES = 5
FIGURES = ("loaded", "moved", "updated", "unchanged", "patients", "asked")


def work_off(
    sessions: sessionmaker[Session],
    sequences: Mapping[str, Sequence],
    words: Words,
    clock: Callable[[], datetime],
    stop: Event | None = None,
) -> int:
    """Do what lists wait for until nothing waits. Returns how many rows or patients were worked off.

    Commits chunk by chunk itself (like the pump): rows and the note of how far it got are one transaction, so that
    whoever takes over after a kill goes on exactly there.
    """
    worked = 0
    while not (stop and stop.is_set()):
        with sessions.begin() as session:
            one = uploads.claim(session, clock(), LEASE)
            if one is None:
                return worked
            if one.state in ("reading", "checking"):
                uploads.hold(session, one, clock(), CHECKING)
            one = _tried(session, uploads.get(session, one.clinic_id, one.id), clock())
        if one is not None:
            worked += _one(sessions, one, sequences, words, clock, stop)
    return worked


def _tried(session: Session, one: List, now: datetime) -> List | None:
    """Count the tries since it last got on: what kills its worker each time must not do so for ever."""
    tries = one.result.get("tries", 0) + 1
    if tries > MOST_TRIES:
        uploads.turn(session, one, [one.state], now, state="failed", lease_until=None, forget=True)
        return None
    uploads.turn(session, one, [one.state], now, result={**one.result, "tries": tries})
    return one


def _one(
    sessions: sessionmaker[Session], one: List, sequences: Mapping[str, Sequence], words: Words,
    clock: Callable[[], datetime], stop: Event | None,
) -> int:  # fmt: skip
    if one.state in ("reading", "checking"):
        with sessions.begin() as session:
            if one.state == "reading":
                read_kept(session, one, clock())
            else:
                dry_run(session, one, words, clock())
        return max(one.total, 1)
    if one.state == "undoing":
        return take_back(sessions, one, chosen(sequences, None), clock, LEASE, stop)
    with sessions() as session:
        clinic, _, roster = read_roster(session, one, words)
    good = list(roster.patients.values())
    worked = 0
    while not (stop and stop.is_set()):
        with sessions.begin() as session:
            held = uploads.hold(session, one, clock(), LEASE)
            if held is None:
                return worked
            left = _after(good, held.done)
            if not left:
                _finish(session, held, clock())
                return worked
            one = _chunk(session, clinic, held, left[:CHUNK], chosen(sequences, None), clock())
        worked += CHUNK
    return worked


def _after(good: list[list[Row]], done: int) -> list[list[Row]]:
    """The patients that come after `done` good rows."""
    at = 0
    for place, rows in enumerate(good):
        if at >= done:
            return good[place:]
        at += len(rows)
    return []


def _chunk(
    session: Session, clinic: Clinic, one: List, batch: list[list[Row]], sequence: Sequence, now: datetime
) -> List:
    """Load some patients, each in a savepoint, and keep what changed, in this one transaction."""
    loaded = Loaded()
    names = [rows[0].external for rows in batch]
    for rows in sorted(batch, key=lambda rows: rows[0].external):  # in one order: two lists wait, and do not lock up
        take_turn(session, form_of(clinic, rows))
    before = known(session, clinic.id, names)
    for rows in batch:
        try:
            with session.begin_nested():
                count(loaded, rows, enrol(session, form_of(clinic, rows), sequence, now))
        except (BadInput, IntegrityError) as error:
            loaded.errors += [refused(row, error) for row in rows]
    after = known(session, clinic.id, names)
    for rows in batch:
        if (new := after.get(rows[0].external)) is not None:
            changes.add(session, one, _changes(rows, before.get(rows[0].external), new))
    changes.hold_back(session, [new.person.id for new in after.values()], now, GRACE)
    result = {**one.result, "tries": 0}
    for figure in FIGURES:
        result[figure] = result.get(figure, 0) + getattr(loaded, figure)
    uploads.turn(session, one, ["running"], now, done=one.done + sum(len(rows) for rows in batch), result=result,
                 faults=_with(session, one, loaded.errors))  # fmt: skip
    return uploads.get(session, one.clinic_id, one.id)


def _with(session: Session, one: List, errors: list[RowError]) -> str | None:
    """The findings with what only the loading could find; None when it found nothing."""
    if not errors:
        return None
    findings = Findings.of(uploads.faults(session, one))
    sheet = uploads.content(session, one)
    assert sheet is not None  # it is kept until the list is done
    wrong = {error.line for error in errors}
    numbers = [number for number, _ in Sheet.of(sheet).rows]
    fates = [Fate.WRONG.value if number in wrong else fate
             for number, fate in zip(numbers, findings.fates, strict=True)]  # fmt: skip
    both = sorted([*findings.errors, *errors], key=lambda error: error.line)
    return Findings("".join(fates), both).as_json()


def _finish(session: Session, one: List, now: datetime) -> None:
    refused_rows = len({error.line for error in Findings.of(uploads.faults(session, one)).errors})
    result = {**one.result, "refused": refused_rows}
    uploads.turn(session, one, ["running"], now, state="done", lease_until=None, result=result, forget=True)
    detail = {figure: result.get(figure, 0) for figure in (*FIGURES, "refused")}
    audit.note(session, clinic_id=one.clinic_id, at=now, actor_kind="system", actor_id=one.staff_id,
               action="list.loaded", subject="list", subject_id=one.id, detail=detail)  # fmt: skip


def _changes(rows: list[Row], old: Known | None, new: Known) -> list[Change]:
    """What the rows of one patient changed, by comparing before and after."""
    first, patient_id = rows[0].line, new.person.id
    if old is None:
        return [Change(first, "patient", patient_id, before={"version": new.person.version})]
    found = []
    was, now = _data(old), _data(new)
    if was != now:
        found.append(Change(first, "changed", patient_id, before={"was": was, "now": now}))
    for channel, (address_id, _) in new.addresses.items():
        mine = old.addresses.get(channel)
        if mine is None or mine[0] != address_id:
            facts = {"channel": channel.value, "was": mine[1] if mine else "", "now": str(address_id)}
            found.append(Change(first, "address", patient_id, before=facts))
    lines = {row.starts: row.line for row in rows}
    visits = {visit.id: visit for visit in old.visits}
    for visit in new.visits:
        line, was_visit = lines.get(visit.starts, first), visits.get(visit.id)
        if was_visit is None:
            found.append(Change(line, "visit", patient_id, visit.id, {"revision": visit.revision}))
        elif was_visit.revision != visit.revision:
            found.append(Change(line, "moved", patient_id, visit.id, {
                "starts": was_visit.starts.isoformat(), "zone": was_visit.zone, "minutes": was_visit.minutes,
                "revision": visit.revision,
            }))  # fmt: skip
    return found


def _data(one: Known) -> dict[str, Any]:
    person = one.person
    return {"name": person.name, "locale": person.locale, "zone": person.zone, "wording": person.wording}
