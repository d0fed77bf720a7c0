"""A sequence as a value: its steps, when each is due, and which events trigger the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from outreach.domain.channel import Channel
from outreach.domain.timing import Until, When
from outreach.errors import NotFound

# Steps of these triggers answer a patient's own message: they go at once, quiet hours or not.
ANSWERS = frozenset({"agreed", "stopped", "restarted", "help"})


@dataclass(frozen=True)
class Step:
    """One message of a sequence: either planned by time (`when`) or called for by an event (`trigger`), never both.

    `once_per`: "infusion", "course" (then `anchor` is "first" or "last"), "address", "change" or "message".
    `unless_next_within`: left out when the next infusion of the course starts that soon after this one's end.
    `answers`: the digits the message asks for.
    """

    key: str
    channels: tuple[Channel, ...]
    once_per: str
    useful_until: Until
    when: When | None = None
    trigger: str | None = None
    anchor: str | None = None
    unless_next_within: timedelta | None = None
    again_when_moved: bool = False
    answers: tuple[str, ...] = ()
    calendar: bool = False

    @property
    def asks(self) -> bool:
        return bool(self.answers)

    @property
    def minds_quiet_hours(self) -> bool:
        return self.trigger not in ANSWERS


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
