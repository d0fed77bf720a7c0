"""The life of one message as a small machine: every state it can get into is visited, and each rule can be broken.

    python tests/model/life.py            explores the protocol and prints what it found
    python tests/model/life.py RULE       the same with one rule broken (one of BROKEN): prints how it goes wrong

What is modelled: the row, up to two attempts, the worker that holds each, the carrier, its list that lags, its
callbacks in any order and any number, the person. A step is one transaction or one thing that happens on the wire; a
worker may be killed between any two. Time is free: a lease may end, a round may come, at any moment.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from outreach.domain.status import ENDS, RANK, Status, advance

MOST_ATTEMPTS = 2
QUESTIONS = 2
NEVER_LEFT = (Status.SCHEDULED, Status.CANCELLED, Status.SUPPRESSED, Status.EXPIRED, Status.FAILED)
TWICE = "the carrier took it twice and no person had decided so"
BROKEN = {
    "lease over is sent again": "a row whose lease is over goes back to scheduled",
    "not listed is sent again": "what the carrier's list does not show goes back to scheduled",
    "no answer is posted again": "a worker posts again when it read no answer",
    "posted before committed": "the bytes leave before the row says sending",
    "recorded without the attempt": "an outcome is written whichever attempt the row is at",
    "callbacks go backwards": "the last callback counts, whatever came before",
    "nobody is asked": "no person decides about what no question settles",
    "leases are never looked at": "no round turns an expired lease into a doubt",
}


class Attempt(NamedTuple):
    """hand: what its worker knows (ready, posted, accepted, refused, silent, gone). fate: what the carrier did."""

    hand: str = "ready"
    fate: str = "nowhere"
    listed: bool = False
    asked: int = 0
    waived: bool = False

    @property
    def taken(self) -> bool:
        return self.fate in ("taken", "sent", "delivered", "undelivered")


@dataclass(frozen=True)
class State:
    """`current`: the attempt the row is at. `late`: its usefulness is over. `told`: a person said it arrived."""

    status: Status = Status.SCHEDULED
    current: int | None = None
    leased: bool = False
    late: bool = False
    told: bool = False
    attempts: tuple[Attempt, ...] = ()

    def with_attempt(self, at: int, **changes: object) -> State:
        changed = self.attempts[at]._replace(**changes)  # type: ignore[arg-type]
        return replace(self, attempts=(*self.attempts[:at], changed, *self.attempts[at + 1 :]))


class Step(NamedTuple):
    """`certain`: it comes by itself, without luck or the carrier. `back`: a decision, which may go back."""

    name: str
    after: State
    certain: bool = False
    back: bool = False


def steps(state: State, broken: str = "") -> Iterator[Step]:
    """All that can happen next."""
    yield from _planned(state, broken)
    for at in range(len(state.attempts)):
        yield from _worker(state, at, broken)
        yield from _carrier(state, at, broken)
    yield from _rounds(state, broken)
    yield from _person(state, broken)


def _planned(state: State, broken: str) -> Iterator[Step]:
    if not state.late:
        yield Step("its usefulness is over", replace(state, late=True), certain=True)
    if state.status is not Status.SCHEDULED:
        return
    yield Step("STOP", replace(state, status=Status.SUPPRESSED))
    yield Step("visit moved or cancelled", replace(state, status=Status.CANCELLED))
    if state.late:
        yield Step("claimed too late", replace(state, status=Status.EXPIRED), certain=True)
    elif len(state.attempts) < MOST_ATTEMPTS:
        number, begun = len(state.attempts), (*state.attempts, Attempt())
        if broken == "posted before committed":
            yield Step("posted", replace(state, attempts=(*state.attempts, Attempt("posted", "taken"))))
        else:
            yield Step(
                "claimed and committed",
                replace(state, status=Status.SENDING, current=number, leased=True, attempts=begun),
            )


def _worker(state: State, at: int, broken: str) -> Iterator[Step]:
    """The worker that began attempt `at`: each line ends where it may be killed."""
    one = state.attempts[at]
    if one.hand == "gone":
        return
    yield Step(f"worker {at} killed", state.with_attempt(at, hand="gone"), certain=True)
    fenced = state.current != at or not state.leased or state.status is not Status.SENDING
    if one.hand == "ready" and fenced:
        yield Step(f"{at} not begun: its lease is short", state.with_attempt(at, hand="refused"))
    elif one.hand == "ready":
        yield Step(f"{at} posted, taken", state.with_attempt(at, hand="posted", fate="taken"))
        yield Step(f"{at} posted, refused", state.with_attempt(at, hand="posted", fate="refused"))
        yield Step(f"{at} posted, lost on the way", state.with_attempt(at, hand="posted"))
        yield Step(f"{at} no connection", state.with_attempt(at, hand="refused"))
    if one.hand == "posted":
        yield Step(f"{at} answer not read", state.with_attempt(at, hand="silent"))
        if one.fate == "refused":
            yield Step(f"{at} refusal read", state.with_attempt(at, hand="refused"))
        elif one.taken:
            yield Step(f"{at} answer read", state.with_attempt(at, hand="accepted"))
        if broken == "no answer is posted again" and len(state.attempts) < MOST_ATTEMPTS:
            again = (*state.with_attempt(at, hand="silent").attempts, Attempt("posted", "taken"))
            yield Step(f"{at} posted again", replace(state, attempts=again))
    if one.hand in ("accepted", "refused", "silent"):
        yield from _recorded(state, at, broken)


def _recorded(state: State, at: int, broken: str) -> Iterator[Step]:
    """Compare-and-set on (status, attempt); the worker may do it twice, and late."""
    ours = state.current == at or broken in ("recorded without the attempt", "posted before committed")
    before = (Status.SENDING, Status.UNKNOWN, *([Status.SCHEDULED] if broken == "posted before committed" else []))
    if not ours or state.status not in before:
        return
    hand = state.attempts[at].hand
    if hand == "accepted":
        yield Step(f"{at} recorded accepted", replace(state, status=Status.ACCEPTED))
    elif hand == "silent":
        yield Step(f"{at} recorded unknown", replace(state, status=Status.UNKNOWN))
    else:
        yield Step(f"{at} recorded: never", replace(state, status=Status.FAILED))
        if len(state.attempts) < MOST_ATTEMPTS:
            yield Step(f"{at} recorded: again later", _back(state), back=True)


def _back(state: State) -> State:
    return replace(state, status=Status.SCHEDULED, current=None, leased=False)


def _carrier(state: State, at: int, broken: str) -> Iterator[Step]:
    """What the carrier does with a message it took; it may call back about anything it has done, in any order."""
    one = state.attempts[at]
    if not one.taken:
        return
    if not one.listed and at == state.current:
        yield Step(f"{at} appears in the list", state.with_attempt(at, listed=True))
    for fate in {"taken": ("sent",), "sent": ("delivered", "undelivered")}.get(one.fate, ()):
        yield Step(f"{at} {fate} by the carrier", state.with_attempt(at, fate=fate))
    for word in _passed(one.fate):
        status = word if broken == "callbacks go backwards" else advance(state.status, word)
        if status is not state.status:
            current = at if state.current is None else state.current
            yield Step(f"callback {at}: {word}", replace(state, status=status, current=current))


def _passed(fate: str) -> list[Status]:
    last = {"delivered": [Status.DELIVERED], "undelivered": [Status.UNDELIVERED]}.get(fate, [])
    return [Status.ACCEPTED, *([] if fate == "taken" else [Status.SENT]), *last]


def _rounds(state: State, broken: str) -> Iterator[Step]:
    """What recover does, whenever it comes round."""
    if state.status is Status.SENDING and state.leased:
        yield Step("lease ends", replace(state, leased=False), certain=True)
    if state.status is Status.SENDING and not state.leased and broken != "leases are never looked at":
        doubtful = _back(state) if broken == "lease over is sent again" else replace(state, status=Status.UNKNOWN)
        yield Step("lease over", doubtful, certain=True, back=doubtful.status is Status.SCHEDULED)
    if state.status is Status.ACCEPTED:
        yield Step("settled: no news", replace(state, status=Status.UNDELIVERED), certain=True)
    if state.status is Status.SENT:
        yield Step("settled: presumed", replace(state, status=Status.DELIVERED), certain=True)
    if state.current is None or state.status not in (Status.UNKNOWN, Status.ACCEPTED):
        return
    one = state.attempts[state.current]
    if one.listed:
        found = advance(state.status, _passed(one.fate)[-1])
        if found is not state.status:
            yield Step("found in the list", replace(state, status=found))
    elif state.status is Status.UNKNOWN and one.asked < QUESTIONS:
        if broken == "not listed is sent again":
            yield Step("not listed", _back(state), certain=True, back=True)
        else:
            yield Step("not listed", state.with_attempt(state.current, asked=one.asked + 1), certain=True)


def _person(state: State, broken: str) -> Iterator[Step]:
    if state.status is not Status.UNKNOWN or state.current is None or broken == "nobody is asked":
        return
    yield Step("person: it arrived", replace(state, status=Status.DELIVERED, told=True))
    yield Step("person: leave it", replace(state, status=Status.UNDELIVERED), certain=True)
    spent = state.attempts[state.current].asked >= QUESTIONS
    if spent and not state.late and len(state.attempts) < MOST_ATTEMPTS:
        yield Step("person: send again", _back(state.with_attempt(state.current, waived=True)), back=True)


def plain(state: State) -> State:
    """Without what can make no difference any more: questions about an attempt that is over, a lease of nothing."""
    attempts = tuple(
        one if at == state.current and state.status not in ENDS else one._replace(listed=False, asked=0)
        for at, one in enumerate(state.attempts)
    )
    return replace(state, attempts=attempts, leased=state.leased and state.status is Status.SENDING)


def wrong(before: State, step: Step) -> str:
    """Which promise this step breaks; "" for none."""
    after = step.after
    if sum(one.taken and not one.waived for one in after.attempts) > 1:
        return TWICE
    if before.status in ENDS and after.status is not before.status:
        return "an end did not stay"
    if RANK[after.status] < RANK[before.status] and not step.back:
        return "a status went backwards"
    if after.status in NEVER_LEFT and any(one.taken and not one.waived for one in after.attempts):
        return "it counts as never sent and the carrier has it"
    proved = (Status.ACCEPTED, Status.SENT, Status.DELIVERED)
    if after.status in proved and not after.told and not any(one.taken for one in after.attempts):
        return "it counts as gone and never left"
    return ""


@dataclass
class Found:
    """What an exploration found: `fault` and the shortest `path` to it, or none; `stuck`: a state no end follows."""

    states: int = 0
    steps: int = 0
    ends: frozenset[Status] = frozenset()
    fault: str = ""
    path: tuple[str, ...] = ()
    stuck: State | None = None


def explore(broken: str = "", promise: str = "") -> Found:
    """Breadth-first through every state, from the plan on. Stops at the first fault, which is a shortest one.

    `promise`: look for this fault only, one of those `wrong` names.
    """
    start = State()
    came: dict[State, tuple[State, str] | None] = {start: None}
    leads: dict[State, list[State]] = {}  # by certain steps only, backwards
    found, waiting = Found(), deque([start])
    while waiting:
        state = waiting.popleft()
        for step in steps(state, broken):
            found.steps += 1
            after = plain(step.after)
            if after not in came:
                came[after] = state, step.name
                waiting.append(after)
            if step.certain:
                leads.setdefault(after, []).append(state)
            fault = wrong(state, step)
            if fault and promise in ("", fault):
                found.states, found.fault = len(came), fault
                found.path = (*_path(came, state), step.name)
                return found
    found.states, found.ends = len(came), frozenset(one.status for one in came if one.status in ENDS)
    found.stuck = next(iter(_stuck(came.keys(), leads)), None)
    return found


def _path(came: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    path: list[str] = []
    while (step := came[state]) is not None:
        state, name = step
        path.append(name)
    return path[::-1]


def _stuck(states: object, leads: dict[State, list[State]]) -> list[State]:
    """States from which what comes by itself does not lead to an end."""
    everything = list(states)  # type: ignore[call-overload]
    fine = {one for one in everything if one.status in ENDS}
    waiting = deque(fine)
    while waiting:
        for before in leads.get(waiting.popleft(), ()):
            if before not in fine:
                fine.add(before)
                waiting.append(before)
    return [one for one in everything if one not in fine]


def main(broken: str = "") -> int:
    """Print what was found; 1 when a promise is broken."""
    found = explore(broken)
    print(f"{found.states} states, {found.steps} steps, ends: {', '.join(sorted(found.ends)) or 'not all seen'}")
    if found.fault:
        print(f"WRONG: {found.fault}\n  " + "\n  ".join(found.path))
    if found.stuck:
        print(f"STUCK: {found.stuck}")
    return int(bool(found.fault or found.stuck))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
