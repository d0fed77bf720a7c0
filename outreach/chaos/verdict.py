"""The verdict: two witnesses, our rows and the carrier's own list of what it took, must tell one story. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.domain.status import ENDS, Status

WENT = frozenset({Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.UNDELIVERED})
TO_COME = (Status.SCHEDULED, Status.SENDING, Status.ACCEPTED, Status.SENT)
NAMED = 5
"""So many ids of each fault are shown."""


@dataclass(frozen=True)
class Row:
    """A message as our database knows it. `place` orders the messages of one patient."""

    id: UUID
    patient_id: UUID
    status: Status
    due_at: datetime
    place: datetime


@dataclass(frozen=True)
class Facts:
    """What both sides know when a run is over.

    `taken`: attempt ids in the order the carrier took them; one taken twice stands twice.
    `attempts`: attempt id → message id, ours.
    `told`: (attempt id, word) of each callback that our web answered with 2xx; `heard`: those that our events hold.
    `balanced`: whether the balance adds up (planning events against rows).
    `now`: our clock when the rows were read.
    """

    rows: Sequence[Row]
    attempts: Mapping[str, UUID]
    taken: Sequence[str]
    told: frozenset[tuple[str, str]]
    heard: frozenset[tuple[str, str]]
    balanced: bool
    now: datetime


@dataclass
class Verdict:
    """Counts of messages; each list holds ids of messages (of attempts in `strange` and `unheard`).

    doubled   taken more than once: two attempts of one message, or one attempt twice
    lost      our row says it went, and the carrier never took it
    stuck     due, and still waiting or in the hands of a worker that is no more
    denied    the carrier took it, and our row says that it did not go
    unsettled in doubt, though the carrier took it and its list tells so
    strange   taken under an attempt that we do not know
    unheard   news that we answered with 2xx and did not keep
    disorder  taken before an earlier message of the same patient
    in_doubt  the carrier never took it, and we cannot know: left for a person
    """

    messages: int
    taken: int
    distinct: int
    statuses: Counter[str]
    balanced: bool
    doubled: list[UUID] = field(default_factory=list)
    lost: list[UUID] = field(default_factory=list)
    stuck: list[UUID] = field(default_factory=list)
    denied: list[UUID] = field(default_factory=list)
    unsettled: list[UUID] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)
    disorder: list[UUID] = field(default_factory=list)
    in_doubt: list[UUID] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether waiting longer may still change something: all but ends, and doubt that only a person can end."""
        return bool(self.unsettled) or any(self.statuses[status.value] for status in TO_COME)

    def faults(self, most_in_doubt: int) -> list[str]:
        """A sentence for each thing that must not be; none: the promise held."""
        said = [
            _named("messages reached the carrier twice", self.doubled),
            _named("messages count as sent that the carrier never took", self.lost),
            _named("messages are due and nobody sends them", self.stuck),
            _named("messages were taken by the carrier, and our rows deny it", self.denied),
            _named("messages stay in doubt although the carrier's list has them", self.unsettled),
            _named("attempts at the carrier are unknown to us", self.strange),
            _named("callbacks were answered with 2xx and not kept", self.unheard),
            _named("messages overtook an earlier one of the same patient", self.disorder),
            "" if self.balanced else "the balance does not hold",
            f"{len(self.in_doubt)} messages are in doubt, more than {most_in_doubt} can be explained"
            if len(self.in_doubt) > most_in_doubt else "",
        ]  # fmt: skip
        return [sentence for sentence in said if sentence]

    def as_json(self) -> dict[str, Any]:
        lists = ("doubled", "lost", "stuck", "denied", "unsettled", "strange", "unheard", "disorder", "in_doubt")
        return {
            "messages": self.messages, "taken": self.taken, "distinct": self.distinct, "balance": self.balanced,
            "statuses": dict(sorted(self.statuses.items())), **{name: len(getattr(self, name)) for name in lists},
        }  # fmt: skip


def judge(facts: Facts) -> Verdict:
    """Compare the witnesses."""
    takes: Counter[UUID] = Counter()
    first: dict[UUID, int] = {}
    strange = []
    for place, attempt in enumerate(facts.taken):
        message = facts.attempts.get(attempt)
        if message is None:
            strange.append(attempt)
            continue
        takes[message] += 1
        first.setdefault(message, place)
    verdict = Verdict(
        len(facts.rows), len(facts.taken), len(set(facts.taken)), Counter(row.status.value for row in facts.rows),
        facts.balanced, strange=strange, doubled=[message for message, count in takes.items() if count > 1],
        unheard=sorted({attempt for attempt, _ in facts.told - facts.heard}),
    )  # fmt: skip
    for row in facts.rows:
        _place(verdict, row, row.id in takes, facts.now)
    verdict.disorder = _overtakers(facts.rows, first)
    return verdict


def _place(verdict: Verdict, row: Row, taken: bool, now: datetime) -> None:
    if row.status in WENT:
        if not taken:
            verdict.lost.append(row.id)
    elif row.status is Status.UNKNOWN:
        (verdict.unsettled if taken else verdict.in_doubt).append(row.id)
    elif row.status is Status.SENDING or (row.status is Status.SCHEDULED and not taken and row.due_at <= now):
        verdict.stuck.append(row.id)
    elif taken and (row.status in ENDS or row.status is Status.SCHEDULED):
        verdict.denied.append(row.id)


def _overtakers(rows: Sequence[Row], first: Mapping[UUID, int]) -> list[UUID]:
    """Messages that left before an earlier one of their patient which left too."""
    by_patient: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        if row.id in first:
            by_patient[row.patient_id].append(row)
    found = []
    for theirs in by_patient.values():
        latest = -1
        for row in sorted(theirs, key=lambda one: one.place):
            if first[row.id] < latest:
                found.append(row.id)
            latest = max(latest, first[row.id])
    return found


def _named(what: str, ids: Sequence[UUID] | Sequence[str]) -> str:
    if not ids:
        return ""
    shown = ", ".join(str(one) for one in ids[:NAMED])
    return f"{len(ids)} {what}: {shown}{' …' if len(ids) > NAMED else ''}"
