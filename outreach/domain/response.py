"""What is done about a reply that was understood: effects, answers, tasks. One table of cases, no database, no clock.

    robot               nothing is answered; its stop is obeyed in silence, unless it is our own text; a person looks
    stop                everybody on the number stops; confirmed once, not again while they are stopped
    start               gives back what STOP took; where it took nothing, a person reads it
    help                always answered, once in ten minutes and five times a day (robots.helped)
    1 or 2              what was asked last takes it, once; a digit that could mean two people, or nothing, is for staff
    thanks              nothing
    urgent              answered at once, whoever wrote, and beside whatever else the message means
    anything else       a person reads it; said so at most once a day

Whoever has stopped gets an answer to HELP, to START and to what is urgent, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from outreach.domain.consent import ConsentEvent, ConsentKind
from outreach.domain.replies import CHECK_IN, REQUEST, VISIT, Meaning, Understood
from outreach.domain.robots import Robot

Effect = Literal["none", "stop", "start", "agree"]
CarrierAnswers = Literal["none", "stop_help", "advanced", "toll_free"]
MODES: tuple[CarrierAnswers, ...] = ("none", "stop_help", "advanced", "toll_free")

URGENT, HELP, RECEIVED, RESTARTED = "reply.urgent", "reply.help", "reply.received", "reply.restarted"
STOPPED, STOPPED_ALL, STOPPED_VISIT = "reply.stopped", "reply.stopped_all", "reply.stopped_visit"
TO_THE_STOPPED = frozenset({URGENT, HELP, RESTARTED})
"""The answers that may follow a STOP; beside them only its own confirmation, which is part of it."""

ASKS_FOR = timedelta(days=30)
"""How long a request for consent can be answered."""
_TAKES = frozenset({ConsentKind.OPTED_OUT, ConsentKind.REVOKED_BY_STAFF, ConsentKind.REVOKED_BY_CARRIER,
                    ConsentKind.ADDRESS_CHANGED})  # fmt: skip

# (question, digit): the answer, and the task it makes. "2" to the request is no agreement: a person reads it.
_DIGITS: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    (VISIT, "1"): ("reply.coming", ()),
    (VISIT, "2"): ("reply.change", ("change",)),
    (CHECK_IN, "1"): ("reply.gone", ()),
    (CHECK_IN, "2"): ("reply.still", ("call",)),
}
_WISHES = {"call": ("reply.call", "call"), "change": ("reply.change", "change")}
# The words that a carrier answers by itself, as the whole message: Twilio's defaults, and the network's on toll-free.
_CARRIERS: dict[str, dict[str, frozenset[str]]] = {
    "stop_help": {
        "stop": frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}),
        "start": frozenset({"start", "yes", "unstop"}),
        "help": frozenset({"help", "info"}),
    },
    "toll_free": {"stop": frozenset({"stop"}), "start": frozenset({"start", "unstop"})},
}
_OPT_OUT_TYPES: dict[str, Meaning] = {"STOP": "stop", "START": "start", "HELP": "help"}


@dataclass(frozen=True)
class Situation:
    """What is known when a reply arrives. `asked`: the step that last asked and can still be answered.

    `before`: the digit that stands as the answer to it. `people`: patients on that number, `asked_people`: how many of
    them were asked something lately. `stopped`: none of them is written to any more; `restorable`: START may change
    that. `received_lately`, `urgent_lately`: that answer went within a day, within ten minutes; `helped_lately`: HELP
    needs no answer again (robots.helped). `carrier_answered`:
    see answered_by_carrier(). `reachable`: an answer can go where this came from (no short code, no name).
    """

    asked: str = ""
    before: str = ""
    people: int = 1
    asked_people: int = 1
    stopped: bool = False
    restorable: bool = False
    robot: Robot = ""
    carrier_answered: bool = False
    helped_lately: bool = False
    received_lately: bool = False
    urgent_lately: bool = False
    reachable: bool = True


@dataclass(frozen=True)
class Response:
    """`answers`: steps to send; those of `start` only where it gave something back. `tasks`: kinds, for people.

    `binds`: the digit is the answer to what was asked.
    """

    effect: Effect = "none"
    answers: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    binds: bool = False


def heard_with(said: Understood, opt_out_type: str) -> Understood:
    """What was understood, together with what the carrier took it for: it has acted on that already.

    A stop of ours is never lost to a carrier that took the message for something else.
    """
    kind = _OPT_OUT_TYPES.get(opt_out_type.upper())
    if kind is None or kind == said.kind or said.kind == "stop":
        return said
    return replace(said, kind=kind, answer=None, why=f"the carrier took it for {kind}; we: {said.why}")


def answered_by_carrier(mode: str, body: str, opt_out_type: str, kind: Meaning) -> bool:
    """Whether the patient has the carrier's own answer to this stop, start or help by now.

    OptOutType is only there where Advanced Opt-Out is switched on, and then that has answered, whatever our setting.
    """
    if opt_out_type.upper() in _OPT_OUT_TYPES:
        return True
    return body.strip().casefold() in _CARRIERS.get(mode, {}).get(kind, ())


def still_asks(sent_at: datetime, events: Iterable[ConsentEvent], now: datetime) -> bool:
    """Whether a "1" answers a request for consent that was sent then. `events`: the ledger of its address.

    Not after consent was taken away: a digit meant for something else must not undo a STOP, or what staff wrote down.
    """
    return now < sent_at + ASKS_FOR and all(one.at < sent_at for one in events if one.kind in _TAKES)


def respond(said: Understood, seen: Situation) -> Response:
    """What to do. `said` is what heard_with() gives."""
    if seen.robot:
        return _to_a_robot(said, seen)
    done = _to_a_person(said, seen)
    if said.urgent:
        others = tuple(task for task in done.tasks if task != "reply")  # whoever takes the urgent one reads it all
        done = replace(done, answers=(URGENT, *done.answers), tasks=("urgent", *others))
    if seen.stopped:
        done = replace(done, answers=tuple(one for one in done.answers if one in TO_THE_STOPPED))
    if not seen.reachable:
        done = replace(done, answers=(), tasks=done.tasks or ("reply",))
    return done


def _to_a_robot(said: Understood, seen: Situation) -> Response:
    """Never answered, but a flood of messages may be a person's in need: that is told to somebody, and said once."""
    effect: Effect = "stop" if said.kind == "stop" else "none"
    if said.urgent and seen.robot == "many":
        return Response(effect, () if seen.urgent_lately or not seen.reachable else (URGENT,), ("urgent",))
    return Response(effect, (), ("reply",))


def _to_a_person(said: Understood, seen: Situation) -> Response:
    read = ("reply",) if said.doubtful else ()
    if said.kind == "stop":
        return _to_a_stop(said, seen, read)
    if said.kind == "start":
        if not seen.restorable:
            return Response(tasks=("reply",))
        return Response("start", _unless(seen.carrier_answered, RESTARTED), read)
    if said.kind == "help":
        return Response("none", _unless(seen.carrier_answered or seen.helped_lately, HELP), read)
    if said.kind in ("thanks", "urgent"):
        return Response()
    if said.kind == "answer" and said.answer:
        return _to_a_digit(said.answer, seen)
    if said.wish:
        step, task = _WISHES[said.wish]
        return Response("none", (step,), (task,))
    return _unsettled(seen)


def _to_a_stop(said: Understood, seen: Situation, read: tuple[str, ...]) -> Response:
    shared = seen.people > 1
    step = STOPPED_ALL if shared else STOPPED_VISIT if said.ambiguous else STOPPED
    silent = seen.stopped or seen.carrier_answered
    return Response("stop", _unless(silent, step), (*read, *(("shared",) if shared and not seen.stopped else ())))


def _to_a_digit(digit: str, seen: Situation) -> Response:
    if seen.asked_people > 1:
        return _unsettled(seen, "shared")
    if seen.asked == REQUEST and digit == "1":
        return Response("agree", binds=True)  # confirmed by the agreement itself, where it is a new one
    if (case := _DIGITS.get((seen.asked, digit))) is None:
        return _unsettled(seen)
    if seen.before == digit:
        return Response(binds=True)
    step, tasks = case
    # "2" and then "1": somebody may be about to call, or to look for another time.
    return Response("none", (step,), tasks or (("reply",) if seen.before else ()), binds=True)


def _unsettled(seen: Situation, task: str = "reply") -> Response:
    return Response("none", _unless(seen.received_lately, RECEIVED), (task,))


def _unless(silent: bool, step: str) -> tuple[str, ...]:
    return () if silent else (step,)
