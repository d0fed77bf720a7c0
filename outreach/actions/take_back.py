"""Taking back what a list did, patient by patient, for everybody who has not been written to since."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from outreach.actions import move
from outreach.actions.replan import replan
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence
from outreach.errors import BadInput, NotAllowed, Sentence, say
from outreach.store import audit, changes, enrolments, infusions, patients, uploads
from outreach.store.changes import Change
from outreach.store.people import Person
from outreach.store.uploads import List

CHUNK = 20


def reasons_against(session: Session, one: List, patient_ids: Collection[UUID]) -> dict[UUID, Sentence]:
    """Why the changes of some of these patients can no longer be taken back; who is absent can be."""
    against: dict[UUID, Sentence] = {}
    written = changes.written_to(session, patient_ids, one.created_at)
    answered = changes.answered(session, patient_ids, one.created_at)
    people = patients.named(session, one.clinic_id, patient_ids)
    theirs = changes.of_patients(session, one, patient_ids)
    booked = [change.infusion_id for done in theirs.values() for change in done if change.infusion_id]
    visits = changes.visits(session, one.clinic_id, booked)
    for patient_id, done in theirs.items():
        if patient_id in written:
            against[patient_id] = say("a message has gone out since then")
        elif patient_id in answered:
            against[patient_id] = say("an agreement or a refusal was written down since then")
        elif _edited(done, people.get(patient_id), visits):
            against[patient_id] = say("somebody has changed the patient or a visit since then")
    return against


def may_be_undone(one: List) -> bool:
    return one.state in ("done", "failed") and not one.result.get("undone")


def begin(session: Session, one: List, staff_id: UUID, now: datetime) -> bool:
    """Let a worker take it back. False: somebody has begun already. NotAllowed for a list that was not loaded."""
    if not may_be_undone(one):
        raise NotAllowed(say("There is nothing of this list to take back."))
    begun = uploads.turn(session, one, ["done", "failed"], now, state="undoing", done=0, lease_until=None,
                         result={**one.result, "tries": 0, "by": str(staff_id)})  # fmt: skip
    if begun:
        audit.note(session, clinic_id=one.clinic_id, at=now, actor_kind="staff", actor_id=staff_id,
                   action="list.undo_started", subject="list", subject_id=one.id)  # fmt: skip
    return begun


def take_back(
    sessions: sessionmaker[Session], one: List, sequence: Sequence, clock: Callable[[], datetime], lease: timedelta,
    stop: Event | None,
) -> int:  # fmt: skip
    """Work it off in chunks, as loading is. Returns how many patients were looked at."""
    looked = 0
    while not (stop and stop.is_set()):
        with sessions.begin() as session:
            held = uploads.hold(session, one, clock(), lease)
            if held is None:
                return looked
            batch = changes.touched(session, held, CHUNK, held.done)
            if not batch:
                _finish(session, held, clock())
                return looked
            undone = sum(_patient(session, held, patient_id, sequence, clock()) for _, patient_id in batch)
            result = {**held.result, "undone": held.result.get("undone", 0) + undone, "tries": 0}
            uploads.turn(session, held, ["undoing"], clock(), done=held.done + len(batch), result=result)
            one = uploads.get(session, held.clinic_id, held.id)
        looked += len(batch)
    return looked


def _patient(session: Session, one: List, patient_id: UUID, sequence: Sequence, now: datetime) -> bool:
    """Take back what the list did to one patient, whole or not at all. Whether it could."""
    patients.lock(session, one.clinic_id, patient_id)
    changes.lock_waiting(session, patient_id)  # from here on the pump takes none of them
    if reasons_against(session, one, [patient_id]):
        return False
    try:
        with session.begin_nested():
            for change in changes.of_patients(session, one, [patient_id]).get(patient_id, []):
                _change(session, one.clinic_id, change, sequence, now)
            course = enrolments.active_course(session, one.clinic_id, patient_id)
            if course is not None:
                replan(session, course, sequence, now)
    except BadInput:  # its old time belongs to another visit by now
        return False
    return True


def _change(session: Session, clinic_id: UUID, change: Change, sequence: Sequence, now: datetime) -> None:
    person = patients.get(session, clinic_id, change.patient_id)
    before = change.before
    if change.kind == "patient":
        course = enrolments.active_course(session, clinic_id, person.id)
        visits = infusions.of_course(session, course) if course else []
        changes.withdraw(session, clinic_id, person.id, visits, now)
    elif change.kind == "changed":
        patients.change(session, person, before["was"])
    elif change.kind == "address" and before["was"]:
        patients.set_address(session, clinic_id, person.id, Channel(before["channel"]), before["was"], now)
    elif change.kind == "address":
        patients.drop_address(session, clinic_id, person.id, Channel(before["channel"]))
    elif change.kind == "visit" and change.infusion_id:
        changes.set_aside(session, clinic_id, person.id, infusions.get(session, change.infusion_id), now)
    elif change.kind == "moved" and change.infusion_id:
        move.move(session, change.infusion_id, datetime.fromisoformat(before["starts"]), before["zone"], sequence, now,
                  minutes=before["minutes"], clinic_id=clinic_id)  # fmt: skip


def _edited(done: list[Change], person: Person | None, visits: Mapping[UUID, tuple[int, str]]) -> bool:
    for change in done:
        if change.kind == "patient" and (person is None or person.version != change.before["version"]):
            return True
        if change.kind == "changed" and person is not None:
            now = {"name": person.name, "locale": person.locale, "zone": person.zone, "wording": person.wording}
            if now != change.before["now"]:
                return True
        if change.infusion_id:
            revision, status = visits.get(change.infusion_id, (-1, ""))
            if revision != change.before["revision"] or status == "cancelled":
                return True
    return False


def _finish(session: Session, one: List, now: datetime) -> None:
    detail = {"undone": one.result.get("undone", 0), "kept": one.done - one.result.get("undone", 0)}
    uploads.turn(session, one, ["undoing"], now, state="undone", lease_until=None, result={**one.result, **detail})
    by = one.result.get("by")
    audit.note(session, clinic_id=one.clinic_id, at=now, actor_kind="staff", actor_id=UUID(by) if by else None,
               action="list.undone", subject="list", subject_id=one.id, detail=detail)  # fmt: skip
