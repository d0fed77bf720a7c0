"""Holding back by hand: what can be paused, and a pause that names something that is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from outreach.domain.brakes import Scope
from outreach.domain.channel import Channel
from outreach.domain.sequence import Sequence
from outreach.errors import BadInput, say
from outreach.store import pauses, senders

LONGEST_REASON = 200
WHOLE = (Scope.SERVICE, Scope.CLINIC)
"""What needs no key: all of it."""

_NAMES = {Channel.SMS: "texts from", Channel.EMAIL: "e-mails from"}


def choices(
    session: Session, clinic_id: UUID | None, sequences: Mapping[str, Sequence], locales: Iterable[str]
) -> dict[Scope, dict[str, str]]:
    """What can be paused below a whole clinic, by scope: key → words for it. Senders only where a clinic is named."""
    ours = senders.of_clinics(session, [clinic_id]).get(clinic_id, []) if clinic_id else []
    steps = {step.key for sequence in sequences.values() for step in sequence.steps}
    return {
        Scope.SENDER: {str(one.id): f"{_NAMES[one.channel]} {one.address}" for one in ours},
        Scope.SEQUENCE: {name: name for name in sorted(sequences)},
        Scope.STEP: {step: step for step in sorted(steps)},
        Scope.LOCALE: {locale: locale for locale in locales},
    }


def hold(
    session: Session,
    clinic_id: UUID | None,
    scope: Scope,
    key: str,
    known: Mapping[Scope, Mapping[str, str]],
    *,
    reason: str,
    actor: str,
    now: datetime,
    until: datetime | None = None,
) -> UUID:
    """Pause what scope and key name; a sender also by its address. BadInput: no such thing, or no reason given."""
    if not reason.strip():
        raise BadInput(say("Say why: whoever finds this paused will want to know."))
    if len(reason) > LONGEST_REASON:
        raise BadInput(say("The reason is longer than %(most)s characters.", most=LONGEST_REASON))
    if until is not None and until <= now:
        raise BadInput(say("This time is over. Choose one that is still to come, or leave it empty."))
    if scope is Scope.SERVICE:
        clinic_id = None
    elif scope is Scope.CLINIC and clinic_id is None:
        raise BadInput("Name the clinic to pause; the scope for every clinic is `service`.")
    found = _key(scope, key.strip(), known.get(scope, {}))
    return pauses.switch_on(session, clinic_id, scope, found, " ".join(reason.split()), actor, now, until)


def _key(scope: Scope, key: str, known: Mapping[str, str]) -> str:
    if scope in WHOLE:
        return ""
    if key in known:
        return key
    by_address = [one for one, words in known.items() if scope is Scope.SENDER and words.endswith(f" {key}")]
    if len(by_address) == 1:
        return by_address[0]
    there = ", ".join(known) if scope is not Scope.SENDER else ", ".join(words for words in known.values())
    raise BadInput(
        say('There is no %(what)s "%(key)s". There is: %(there)s.', what=scope.value, key=key, there=there or "none")
    )
