"""Reviewing: how each text of a language stands at a clinic; and approving those that somebody has read, as read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.approve import DEMO, Reviewer, approve
from outreach.content.approvals import Signature, same_person, signed, texts
from outreach.content.compose import SOURCE, Words
from outreach.content.coverage import coverage
from outreach.content.objections import blocked
from outreach.content.spoken import CURRENT, PREVIOUS, Spoken
from outreach.content.workbench import Workbench
from outreach.domain.approval import Text
from outreach.errors import BadInput, NotFound, say
from outreach.store import approvals
from outreach.store.approvals import Decision


class State(StrEnum):
    """How a text stands at a clinic. In answers of the API: never rename a value."""

    APPROVED = "approved"  # as it stands
    EARLIER = "earlier"  # it has changed; the words approved before are sent
    CHANGED = "changed"  # it has changed; what was approved before cannot be sent, or the clinic holds
    WITHDRAWN = "withdrawn"
    NEVER = "not_approved"
    UNTRANSLATED = "untranslated"


class Stand(NamedTuple):
    """A text with its state, the decision that made it so (None: there is none), and whose word the repository has."""

    text: Text
    state: State
    decision: Decision | None
    signature: Signature | None


class Read(NamedTuple):
    """Words as somebody saw them: `digest` in hex."""

    locale: str
    key: str
    digest: str


class Changed(BadInput):
    """Words are others than those that were read; nothing is approved. `keys`: which."""

    def __init__(self, keys: Collection[str]) -> None:
        self.keys = tuple(keys)
        super().__init__(
            say("Not approved: these words have changed since you read them: %(texts)s. Read them as they are now.",
                texts=", ".join(self.keys))
        )  # fmt: skip


def stands(session: Session, clinic_id: UUID, spoken: Spoken, bench: Workbench, wanted: Iterable[Text]) -> list[Stand]:
    """Texts of one language as they stand at a clinic, in their order."""
    listed = list(wanted)
    locales = {one.locale for one in listed}
    decisions = [one for locale in locales for one in approvals.ledger(session, clinic_id, locale)]
    signatures = {locale: signed(bench.root, locale, [o for o in listed if o.locale == locale]) for locale in locales}
    by_text: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        by_text.setdefault((decision.locale, decision.key), []).append(decision)
    return [
        _stand(spoken, one, by_text.get((one.locale, one.key), []), signatures[one.locale].get(one.key))
        for one in listed
    ]


def review(
    session: Session, clinic_id: UUID, demo: bool, words: Words, bench: Workbench, wanted: Collection[Read],
    by: Reviewer, now: datetime,
) -> int:  # fmt: skip
    """Approve what was read; returns how many waiting messages this woke. Changed: words are others by now. BadInput:
    nobody is named, or the translator; the checker finds errors; something is not translated. Nothing is approved then.

    `demo`: of the demo clinic nobody need be named, and whoever is, it is marked as demo data.
    """
    if not wanted:
        raise BadInput(say("Choose at least one text."))
    there = {locale: _texts(words, locale) for locale in {one.locale for one in wanted}}
    found = [(one, there[one.locale].get(one.key)) for one in wanted]
    if any(text is None for _, text in found):
        raise NotFound("no such text")
    exact = [(one, text) for one, text in found if text is not None]
    if changed := [one.key for one, text in exact if text.digest.hex() != one.digest]:
        raise Changed(changed)
    by = reviewer(by, demo)
    for locale in there:
        _independent(by, words, bench, locale)
    for _, text in exact:
        if blocked(bench.shelf(text.locale), text):
            raise BadInput(say("The checker finds errors in %(text)s; mend them first.", text=text.key))
    return approve(session, clinic_id, [text for _, text in exact], by, now)


def reviewer(by: Reviewer, demo: bool) -> Reviewer:
    """Who answers for a decision: of the demo clinic it is always marked as demo data. BadInput: nobody is named."""
    if demo:
        return by._replace(name=by.name.strip() or DEMO.name, role=by.role.strip() or DEMO.role, basis=DEMO.basis)
    if by.basis == DEMO.basis:
        raise BadInput(say("Only the demo clinic may approve without a reviewer."))
    return by


def _texts(words: Words, locale: str) -> dict[str, Text]:
    if locale not in words.voices:
        raise NotFound("no such language")
    return texts(words, locale)


def _independent(by: Reviewer, words: Words, bench: Workbench, locale: str) -> None:
    if locale != SOURCE and by.basis == "named" and same_person(by.name, coverage(words, locale, bench.root).drafted):
        raise BadInput(say("%(name)s is named as the translator; somebody else must have read the words.",
                           name=by.name.strip()))  # fmt: skip


def _stand(spoken: Spoken, one: Text, decisions: list[Decision], signature: Signature | None) -> Stand:
    """`decisions`: newest first."""
    said = spoken.state(one.locale, one.key)
    last = {decision.digest: decision for decision in reversed(decisions)}
    standing = [decision for decision in decisions if decision.approved and last[decision.digest] is decision]
    newest = decisions[0] if decisions else None
    if said == CURRENT:
        return Stand(one, State.APPROVED, last.get(one.digest), signature)
    if said == PREVIOUS:
        return Stand(one, State.EARLIER, standing[0] if standing else newest, signature)
    if not one.complete:
        return Stand(one, State.UNTRANSLATED, newest, signature)
    if standing:
        return Stand(one, State.CHANGED, standing[0], signature)
    return Stand(one, State.WITHDRAWN if newest else State.NEVER, newest, signature)
