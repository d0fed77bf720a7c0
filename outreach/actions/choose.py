"""Choosing of a sequence: a clinic switches it on or off, or changes its times, and every plan follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from outreach.actions.replan import replan
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.errors import BadInput, OutreachError, Reason, say
from outreach.store import audit, choices, messages
from outreach.store.choices import Choice

log = structlog.get_logger()

AT_ONCE = 100
"""Courses planned anew while the person waits; the rest follow within minutes (`follow`)."""
MOST_STOPPED = 5000


@dataclass(frozen=True)
class Chosen:
    """What a choice changed at once: courses planned anew; `more`: others follow."""

    replanned: int
    more: bool


def leaving(sequence: Sequence, choice: Choice) -> frozenset[str]:
    """The dated steps that would no longer be sent. `sequence` is the file's."""
    return frozenset(step.key for step in sequence.timed) - {step.key for step in choice.of(sequence).timed}


def choose(
    session: Session, clinic_id: UUID, sequence: Sequence, choice: Choice, now: datetime, *, staff_id: UUID
) -> Chosen:
    """Keep a clinic's choice and plan its patients anew. BadInput: somebody chose meanwhile.

    What is switched off and about to go out is stopped in this very transaction, also where there are too many
    patients to plan anew at once. `choice.revision` is the one that was looked at.
    """
    if not choices.write(session, clinic_id, sequence.name, choice, now):
        raise BadInput(say("Somebody changed this sequence meanwhile. Look at it again, then change it."))
    wanted = choice.of(sequence)
    gone = leaving(sequence, choice)
    if gone:
        soon = choices.next_to_go(session, clinic_id, sequence.name, gone, now + choices.SOON, MOST_STOPPED)
        messages.finish(session, soon, Status.CANCELLED, Reason.SUPERSEDED, now)
    courses = choices.stale(session, clinic_id, sequence.name, wanted.digest, AT_ONCE + 1)
    for course_id in courses[:AT_ONCE]:
        replan(session, course_id, sequence, now)
    audit.note(
        session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="sequence.changed",
        subject="sequence", subject_id=sequence.name,
        detail={"active": choice.active, "changes": choice.changes, "planned_anew": len(courses[:AT_ONCE])},
    )  # fmt: skip
    return Chosen(len(courses[:AT_ONCE]), len(courses) > AT_ONCE)


def follow(sessions: sessionmaker[Session], sequences: Mapping[str, Sequence], clock: Callable[[], datetime]) -> int:
    """Plan anew whoever was last planned by other rules than their clinic's. Returns how many courses.

    Also those that were being enrolled while somebody chose: their enrolment keeps the rules it was planned by. A
    course to a transaction, so that nobody's visit waits for a whole clinic. Twice in a row changes nothing.
    """
    done = 0
    with sessions() as session:
        chosen = choices.every(session)
    for (clinic_id, name), choice in chosen.items():
        if name in sequences:
            done += _catch_up(sessions, clinic_id, sequences[name], choice, clock)
    return done


def _catch_up(
    sessions: sessionmaker[Session], clinic_id: UUID, sequence: Sequence, choice: Choice,
    clock: Callable[[], datetime],
) -> int:  # fmt: skip
    done, digest = 0, choice.of(sequence).digest
    with sessions() as session:
        courses = choices.stale(session, clinic_id, sequence.name, digest, MOST_STOPPED)
    for course_id in courses:
        try:
            with sessions.begin() as session:
                replan(session, course_id, sequence, clock())
            done += 1
        except OutreachError as error:  # one that cannot be planned holds up no other; the next round asks again
            log.warning("plan", course=str(course_id), error=type(error).__name__, status="failed")
    return done
