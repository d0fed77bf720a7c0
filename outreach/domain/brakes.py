"""What holds messages back: the kill switches that are on, and when trouble at a carrier pulls one by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from outreach.domain.window import moment, wall_at
from outreach.errors import Reason

MORNING = time(8)
"""When a sender whose day's quota is spent goes on: the next day at this hour, by the clinic's clock."""
FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=15)
"""How long a carrier that does not answer is left alone: doubled each time that it still does not, up to this."""

OWED_TO_THE_STOPPED = frozenset(
    {"reply.urgent", "reply.help", "reply.stopped", "reply.stopped_all", "reply.stopped_visit"}
)
"""The one confirmation of a STOP, and what is owed to everybody: the answer to HELP, and to what is urgent."""

OWED = OWED_TO_THE_STOPPED | {"staff.escalation"}
"""Steps that only a pause of the whole service or of a sender holds back: whoever is in need, asks for help or says
STOP is answered, and staff are told of it, whatever else a clinic has paused."""


class Scope(StrEnum):
    """What a kill switch is for. Stored; never rename a value."""

    SERVICE = "service"
    CLINIC = "clinic"
    SENDER = "sender"
    SEQUENCE = "sequence"
    STEP = "step"
    LOCALE = "locale"


@dataclass(frozen=True)
class Pauses:
    """The switches that are on: (clinic or None for every clinic, scope, key). A sender's key is its id as text."""

    on: frozenset[tuple[UUID | None, Scope, str]] = frozenset()

    def clinic_held(self, clinic_id: UUID) -> bool:
        """Whether nothing of this clinic goes: it is paused, or the whole service is."""
        return bool(self.on) and ((clinic_id, Scope.CLINIC, "") in self.on or self._held(clinic_id, Scope.SERVICE, ""))

    def lane_held(self, clinic_id: UUID, urgent: bool) -> bool:
        """Whether a whole lane rests. The lane of answers does not for its clinic alone: see OWED."""
        return self._held(clinic_id, Scope.SERVICE, "") if urgent else self.clinic_held(clinic_id)

    def sender_held(self, clinic_id: UUID, sender_id: UUID) -> bool:
        """Whether nothing leaves by this sender."""
        return bool(self.on) and self._held(clinic_id, Scope.SENDER, str(sender_id))

    def message_held(self, clinic_id: UUID, sequence: str | None, step: str, locale: str) -> bool:
        """Whether messages of this clinic, sequence (None: of none), step or language wait; what is OWED does not.

        Without regard to sender and service.
        """
        if not self.on or step in OWED:
            return False
        return (
            (clinic_id, Scope.CLINIC, "") in self.on
            or self._held(clinic_id, Scope.STEP, step)
            or self._held(clinic_id, Scope.LOCALE, locale)
            or (sequence is not None and self._held(clinic_id, Scope.SEQUENCE, sequence))
        )

    def _held(self, clinic_id: UUID, scope: Scope, key: str) -> bool:
        return (clinic_id, scope, key) in self.on or (None, scope, key) in self.on


@dataclass(frozen=True)
class Rule:
    """After `after` in a row: pause `scope` (for a rest, until the morning, or until somebody lifts it), or only tell.

    What rests tries again by itself: its count outlives the pause, so that the first failure after it trips anew, and
    the first success ends both count and alert.
    """

    scope: Scope
    after: int
    pauses: bool = True
    until_morning: bool = False
    rests: bool = False

    @property
    def passes(self) -> bool:
        """Whether a success is proof that the trouble is over, without a person."""
        return self.rests or not self.pauses


RULES: dict[Reason, Rule] = {
    Reason.CONFIGURATION: Rule(Scope.SENDER, 5),
    Reason.QUOTA: Rule(Scope.SENDER, 1, until_morning=True),
    Reason.SECURITY: Rule(Scope.SENDER, 1),
    Reason.CONTENT_REFUSED: Rule(Scope.STEP, 5),
    # A bounded retry deals with each of these; many in a row are worth a look, and never a reason to stop.
    Reason.TRANSIENT: Rule(Scope.SENDER, 20, pauses=False),
    # Each is a message in doubt, for a person perhaps: what waits is better kept than spent on a silent carrier.
    Reason.NO_ANSWER: Rule(Scope.SENDER, 10, rests=True),
}
"""The circuit breaker. What is not named here is the recipient's trouble, and says nothing of the others."""

SAME_AS = {Reason.RETRIES_SPENT: Reason.TRANSIENT}
"""Reasons that end what another began: they count as that other one."""


@dataclass(frozen=True)
class Trip:
    """A breaker that trips. `pauses` False: people are told, and messages go on. `until` None: until it is lifted."""

    scope: Scope
    pauses: bool
    until: datetime | None = None


def kind_of(reason: Reason) -> Reason | None:
    """The kind of trouble that `reason` is counted as; None when it is not counted."""
    kind = SAME_AS.get(reason, reason)
    return kind if kind in RULES else None


def strike(reason: Reason) -> Scope | None:
    """Against what a failure with this reason counts; None: against nothing."""
    kind = kind_of(reason)
    return RULES[kind].scope if kind else None


def trips(reason: Reason, count: int, zone: str, now: datetime, rested: timedelta = timedelta(0)) -> Trip | None:
    """What follows from `count` failures of this kind in a row, without a success between; `zone` is the clinic's.

    `rested`: the longest rest that is over and has not helped.
    """
    kind = kind_of(reason)
    if kind is None or count < RULES[kind].after:
        return None
    rule = RULES[kind]
    if rule.rests:
        return Trip(rule.scope, rule.pauses, now + min(max(FIRST_REST, 2 * rested), LONGEST_REST))
    return Trip(rule.scope, rule.pauses, next_morning(now, zone) if rule.until_morning else None)


def next_morning(now: datetime, zone: str) -> datetime:
    """08:00 of the next day on the clock of `zone`, as an instant."""
    tomorrow = wall_at(now, zone).date() + timedelta(days=1)
    return moment(datetime.combine(tomorrow, MORNING), zone).at
