"""Speaking for a clinic: the view of the words that its decisions allow, kept until these or the words change."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.instruct import as_written
from outreach.content.compose import Words
from outreach.content.spoken import Kept, Spoken, current
from outreach.domain.approval import OWN, Text, Unapproved
from outreach.store import approvals
from outreach.store.approvals import Standing
from outreach.store.due import ClinicFacts
from outreach.store.tables import Clinic

UNAPPROVED = "unapproved"
"""The alert: a message waits for words that its clinic has not approved."""


class Rules(NamedTuple):
    """What a clinic's view depends on beside its decisions: its locale, and what it says instead of what is missing;
    `version` counts its decisions."""

    locale: str
    unapproved: str
    version: int


class Speakers:
    """The clinics' views, of one process. Safe to share between threads: one may be built twice."""

    def __init__(self) -> None:
        self._now: tuple[Words, dict[bytes, Text]] | None = None
        self._views: dict[UUID, tuple[Words, Rules, Spoken]] = {}

    def of(self, session: Session, clinic_id: UUID, words: Words, rules: Rules | None = None) -> Spoken:
        """What this clinic may say of `words`; reads its decisions only when they have changed."""
        rules = rules or Rules(*approvals.rules(session, clinic_id))
        view = self._views.get(clinic_id)
        if view is None or view[0] is not words or view[1] != rules:
            kept = newest(self.texts(words), session, clinic_id, rules.locale)
            spoken = Spoken(words, kept, rules.locale, Unapproved(rules.unapproved))
            view = self._views[clinic_id] = words, rules, spoken
        return view[2]

    def view(self, session: Session, clinic: ClinicFacts | Clinic, words: Words) -> Spoken:
        """The same for a clinic that was just read."""
        return self.of(session, clinic.id, words, Rules(clinic.locale, clinic.unapproved, clinic.words_version))

    def anew(self, session: Session, clinic: ClinicFacts | Clinic, words: Words) -> Spoken:
        """The same within a transaction that has decided something: not kept, since it may yet be rolled back."""
        kept = newest(self.texts(words), session, clinic.id, clinic.locale)
        return Spoken(words, kept, clinic.locale, Unapproved(clinic.unapproved))

    def texts(self, words: Words) -> dict[bytes, Text]:
        """Every text of these words as it stands, by its digest: reckoned once for each snapshot."""
        now = self._now
        if now is None or now[0] is not words:
            now = self._now = words, dict(current(words))
        return now[1]


def newest(texts: dict[bytes, Text], session: Session, clinic_id: UUID, home: str) -> list[Kept]:
    """For each text and language the approved words to use: those of today, else the newest before them. `home`: the
    clinic's locale."""
    found: dict[tuple[str, str], Standing] = {}
    standing = approvals.standing(session, clinic_id)
    own = as_written(session, clinic_id, home) if any(one.key.startswith(OWN) for one in standing) else {}
    written = {one.digest for one in own.values()}
    for one in standing:
        place = one.locale, one.key
        if place not in found or one.digest in texts or one.digest in written:
            found[place] = one
    earlier = [one.said_id for one in found.values() if one.digest not in texts or one.key.startswith(OWN)]
    units = approvals.units(session, earlier)
    return [Kept(one.said_id, one.locale, one.key, *units.get(one.said_id, ((), b""))) for one in found.values()]
