"""Instructing: a clinic writes what it tells its patients of its own; it is said once it was approved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.content.instructions import as_text
from outreach.domain.approval import OWN, TOPICS, Text
from outreach.errors import NotAllowed, say
from outreach.store import approvals, audit, instructions


class Meanwhile(NotAllowed):
    """Somebody else wrote on some of these topics after the form was shown."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        super().__init__(say("Somebody else changed these instructions while you wrote. Look at what stands there."))
        self.topics = topics


def instruct(
    session: Session, clinic_id: UUID, locale: str, wanted: Mapping[str, str], seen: Mapping[str, str], now: datetime,
    *, by: UUID,
) -> tuple[str, ...]:  # fmt: skip
    """Write the topics down that are wanted otherwise than they stand; returns them. Nothing written: nothing told.

    An empty text ends an instruction at once: its approvals are withdrawn with it, and where it is the clinic's own
    language those of every translation; they stay written, and are read again. `seen`: the texts that the form was
    filled with. Meanwhile: one of those that would change is not what it was; nothing is written.
    """
    rules = approvals.rules(session, clinic_id, lock=True)  # two who save at once: one after the other
    stored = {topic: text for (topic, of), text in instructions.every(session, clinic_id).items() if of == locale}
    changed = tuple(topic for topic in TOPICS if wanted.get(topic, "") != stored.get(topic, ""))
    crossed = tuple(topic for topic in changed if seen.get(topic, "") != stored.get(topic, ""))
    if crossed:
        raise Meanwhile(crossed)
    standing = approvals.standing(session, clinic_id) if changed else []
    for topic in changed:
        if text := wanted.get(topic, ""):
            instructions.put(session, clinic_id, topic, locale, text, by, now)
            continue
        instructions.remove(session, clinic_id, topic, locale)
        of = {one.locale for one in standing} if locale == rules[0] else {locale}
        gone = [one.said_id for one in standing if one.key == OWN + topic and one.locale in of]
        approvals.decide(
            session, clinic_id, gone, approved=False, reviewer="withdrawn with its text", role="", basis="named",
            staff_id=by, now=now,
        )  # fmt: skip
    if changed:
        approvals.changed(session, clinic_id)  # words that were approved once count again when they are written back
        audit.note(
            session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=by, action="instructions.changed",
            subject="words", subject_id=locale, detail={"topics": list(changed), "home": locale == rules[0]},
        )  # fmt: skip
    return changed


def as_written(session: Session, clinic_id: UUID, home: str) -> dict[tuple[str, str], Text]:
    """The instructions as texts to be approved, by (topic, locale)."""
    stored = instructions.every(session, clinic_id)
    return {
        (topic, locale): as_text(topic, locale, text, stored.get((topic, home), ""))
        for (topic, locale), text in stored.items()
    }


def waiting(session: Session, clinic_id: UUID, home: str) -> Mapping[str, int]:
    """How many instructions are written and not approved as they stand, by language; most clinics have none."""
    written = as_written(session, clinic_id, home)
    if not written:
        return {}
    approved = {one.digest for one in approvals.standing(session, clinic_id)}
    return Counter(locale for (_, locale), text in sorted(written.items()) if text.digest not in approved)
