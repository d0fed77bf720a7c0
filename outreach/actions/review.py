"""Reviewing: how each text of a language stands at a clinic; and approving those that somebody has read, as read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.actions.approve import DEMO, Reviewer, approve
from outreach.actions.instruct import as_written
from outreach.content.approvals import Signature, same_person, signed, texts
from outreach.content.compose import SOURCE, Words
from outreach.content.coverage import translators
from outreach.content.instructions import objected
from outreach.content.objections import blocked
from outreach.content.spoken import CURRENT, PREVIOUS, Spoken
from outreach.content.workbench import Workbench
from outreach.domain.approval import OWN, Text
from outreach.errors import BadInput, NotFound, say
from outreach.store import approvals, colleagues, instructions
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
    home, _, _ = approvals.rules(session, clinic_id)
    exact = _exact(every(session, clinic_id, home, words, {one.locale for one in wanted}), wanted)
    by = reviewer(by, demo)
    _independent(session, clinic_id, home, by, bench, exact)
    for text in exact:
        if text.key.startswith(OWN):
            sound(bench, text, home)
        elif blocked(bench.shelf(text.locale), text):
            raise BadInput(say("The checker finds errors in %(text)s; mend them first.", text=text.key))
    return approve(session, clinic_id, exact, by, now)


def every(session: Session, clinic_id: UUID, home: str, words: Words, locales: Collection[str]) -> list[Text]:
    """Every text of these languages as it stands, those that all clinics share and this clinic's own instructions,
    language by language. `home`: the clinic's own. NotFound: there is no such language."""
    if any(locale not in words.voices for locale in locales):
        raise NotFound("no such language")
    own = as_written(session, clinic_id, home).values()
    return [one for locale in words.voices if locale in locales
            for one in (*texts(words, locale).values(), *(text for text in own if text.locale == locale))]  # fmt: skip


def sound(bench: Workbench, text: Text, home: str) -> None:
    """BadInput: what may not be said stands in an instruction, or there is nothing to read it against."""
    if not text.units[0].source:
        raise BadInput(say("Write it in the clinic's own language first: it is what translations are read against."))
    blocking = [one for one in objected(bench.grounds().house, text, home) if one.blocking]
    if blocking:
        raise BadInput(" ".join(f"{one.what[:1].upper()}{one.what[1:]} {one.remedy}" for one in blocking))


def reviewer(by: Reviewer, demo: bool) -> Reviewer:
    """Who answers for a decision: of the demo clinic it is always marked as demo data. BadInput: nobody is named."""
    if demo:
        return by._replace(name=by.name.strip() or DEMO.name, role=by.role.strip() or DEMO.role, basis=DEMO.basis)
    if by.basis == DEMO.basis:
        raise BadInput(say("Only the demo clinic may approve without a reviewer."))
    return by


def _exact(there: Collection[Text], wanted: Collection[Read]) -> list[Text]:
    known = {(one.locale, one.key): one for one in there}
    if any((one.locale, one.key) not in known for one in wanted):
        raise NotFound("no such text")
    if changed := [one.key for one in wanted if known[one.locale, one.key].digest.hex() != one.digest]:
        raise Changed(changed)
    return [known[one.locale, one.key] for one in wanted]


def _independent(
    session: Session, clinic_id: UUID, home: str, by: Reviewer, bench: Workbench, wanted: list[Text]
) -> None:
    """Who translated words does not approve them. What was written first, English or in the clinic's own language, has
    no translator."""
    if by.basis != "named":
        return
    own = [one for one in wanted if one.key.startswith(OWN) and one.locale != home]
    shared = [one for one in wanted if not one.key.startswith(OWN) and one.locale != SOURCE]
    wrote_them = {name for one in shared
                  for name in translators(bench.root, one.locale, [unit.key for unit in one.units])}  # fmt: skip
    if own:
        wrote = instructions.writers(session, clinic_id)
        wanted_of = [wrote.get((one.key.removeprefix(OWN), one.locale)) for one in own]
        wrote_them |= set(colleagues.names(session, clinic_id, [one for one in wanted_of if one]).values())
    if any(same_person(by.name, one) for one in wrote_them):
        raise BadInput(say("%(name)s is named as the translator; somebody else must have read the words.",
                           name=by.name.strip()))  # fmt: skip


def _said(spoken: Spoken, one: Text) -> str:
    if not one.key.startswith(OWN):
        return spoken.state(one.locale, one.key)
    own = spoken.own(one.locale, one.key)
    return "" if own is None else CURRENT if (own,) == one.units else PREVIOUS


def _stand(spoken: Spoken, one: Text, decisions: list[Decision], signature: Signature | None) -> Stand:
    """`decisions`: newest first."""
    said = _said(spoken, one)
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
