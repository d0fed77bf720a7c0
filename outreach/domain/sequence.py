"""A sequence as a value: its steps, when each is due, which events trigger the others, and a clinic's own version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta

from outreach.domain.approval import TOPICS
from outreach.domain.channel import Channel
from outreach.domain.decision import ANSWERS
from outreach.domain.timing import BadRule, Until, When, parse_clock
from outreach.errors import NotFound


@dataclass(frozen=True)
class Step:
    """One message of a sequence: either planned by time (`when`) or called for by an event (`trigger`), never both.

    `once_per`: "infusion", "course" (then `anchor` is "first" or "last"), "address", "change" or "message".
    `unless_next_within`: left out when the next infusion of the course starts that soon after this one's end.
    `unless_told`: the step that says it all as well: left out where that one goes to the same visit on the same day.
    `late`: entered after its time, and still of use, it goes soon instead of never.
    `answers`: the digits the message asks for. `optional`: a clinic may leave it out. `topics`: of the clinic's own
    instructions, those that this step tells.
    """

    key: str
    channels: tuple[Channel, ...]
    once_per: str
    useful_until: Until
    when: When | None = None
    trigger: str | None = None
    anchor: str | None = None
    unless_next_within: timedelta | None = None
    unless_told: str | None = None
    late: bool = False
    again_when_moved: bool = False
    answers: tuple[str, ...] = ()
    calendar: bool = False
    optional: bool = False
    topics: tuple[str, ...] = TOPICS

    @property
    def clock(self) -> time | None:
        """The time of day that a clinic may change: of steps dated by the calendar, not on the visit's own day."""
        return self.when.at if self.when is not None and self.when.offset else None

    @property
    def asks(self) -> bool:
        return bool(self.answers)

    @property
    def minds_quiet_hours(self) -> bool:
        return self.key not in ANSWERS


@dataclass(frozen=True)
class Sequence:
    """`digest` changes when any rule of any step does, never with comments or layout."""

    name: str
    digest: str
    steps: tuple[Step, ...]

    @property
    def timed(self) -> tuple[Step, ...]:
        """The steps a planner can date."""
        return tuple(step for step in self.steps if step.when is not None)

    def triggered(self, event: str) -> tuple[Step, ...]:
        """The steps an event calls for: enrolment, agreed, moved, cancelled, stopped, restarted or help."""
        return tuple(step for step in self.steps if step.trigger == event)

    def step(self, key: str) -> Step:
        for step in self.steps:
            if step.key == key:
                return step
        raise NotFound(f'the sequence {self.name} has no step "{key}"')


Changes = Mapping[str, Mapping[str, object]]
"""What a clinic changes, by step: {"at": "10:30"} or {"off": True}."""


def adapted(sequence: Sequence, changes: Changes, active: bool = True) -> Sequence:
    """The sequence as one clinic has it: its own clock times, without what it leaves out. Twice is as good as once.

    What the file does not allow, or knows no more, is passed over: a plan must never fail over an old choice. Not
    `active`: without what is dated and without asking for agreement. News of a visit, thanks and answers stay: they
    are owed to patients who have heard from the clinic. The digest is the file's own where nothing differs.
    """
    steps = tuple(changed for step in sequence.steps if (changed := _adapted(step, changes.get(step.key, {}), active)))
    if steps == sequence.steps:
        return sequence
    kept = json.dumps([[step.key, step.when.text if step.when else ""] for step in steps])
    digest = hashlib.sha256(f"{sequence.digest}{kept}".encode()).hexdigest()
    return replace(sequence, digest=digest, steps=steps)


def _adapted(step: Step, change: Mapping[str, object], active: bool) -> Step | None:
    if not active and (step.when is not None or step.trigger == "enrolment"):
        return None
    if step.optional and change.get("off") is True:
        return None
    at = own_clock(step, change)
    if at is None or step.when is None or at == step.when.at:
        return step
    text = f"{step.when.text.rpartition(' at ')[0]} at {at:%H:%M}"
    return replace(step, when=replace(step.when, text=text, at=at))


def own_clock(step: Step, change: Mapping[str, object]) -> time | None:
    """The clinic's own time of day for this step; None where it has none, or none that can be kept."""
    if step.clock is None or "at" not in change:
        return None
    try:
        return parse_clock(str(change["at"]))
    except BadRule:
        return None
