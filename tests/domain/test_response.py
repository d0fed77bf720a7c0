"""What is done about a reply: a table of cases, and what holds for every message in every situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.deadlines import DUE
from outreach.domain.decision import ANSWERS
from outreach.domain.replies import Understood, understand
from outreach.domain.response import (
    MODES,
    TO_THE_STOPPED,
    Response,
    Situation,
    answered_by_carrier,
    heard_with,
    respond,
)
from outreach.domain.robots import A_DAY, HOUR, MOST, MOST_A_DAY, WITHIN, alike, echoed, helped, robot
from outreach.settings import ROOT
from tests import shipped

WORDS = shipped.replies()
REQUEST, VISIT, CHECK_IN = "consent.request", "pre.the_day", "post.check_in"
OURS = "Fern Street Clinic: Your visit is tomorrow at 9:30 AM. Reply 1 to come, 2 to change it. Reply STOP to end."


CASES = {
    "a plain stop": ("stop", Situation(), ("stop", ["reply.stopped"], [])),
    "a stop that may mean the visit": ("cancel", Situation(), ("stop", ["reply.stopped_visit"], ["reply"])),
    "a stop inside a longer text": ("please stop texting me", Situation(), ("stop", ["reply.stopped"], ["reply"])),
    "a stop on a shared phone": ("stop", Situation(people=2), ("stop", ["reply.stopped_all"], ["shared"])),
    "a second stop": ("stop", Situation(stopped=True), ("stop", [], [])),
    "a stop that the carrier confirmed": ("stop", Situation(carrier_answered=True), ("stop", [], [])),
    "an urgent stop": ("STOP, I can't breathe", Situation(), ("stop", ["reply.urgent", "reply.stopped"], ["urgent"])),
    "a start after a stop": ("start", Situation(stopped=True, restorable=True), ("start", ["reply.restarted"], [])),
    "a start after nothing": ("start", Situation(), ("none", [], ["reply"])),
    "a start after staff's no": ("start", Situation(stopped=True), ("none", [], ["reply"])),
    "help": ("help", Situation(), ("none", ["reply.help"], [])),
    "help of someone who stopped": ("help", Situation(stopped=True), ("none", ["reply.help"], [])),
    "help that the carrier gave": ("help", Situation(carrier_answered=True), ("none", [], [])),
    "help that we gave a moment ago": ("help", Situation(helped_lately=True), ("none", [], [])),
    "a stop after we gave help": ("stop", Situation(helped_lately=True), ("stop", ["reply.stopped"], [])),
    "yes to the request": ("yes", Situation(asked=REQUEST), ("agree", [], [])),
    "2 to the request": ("2", Situation(asked=REQUEST), ("none", ["reply.received"], ["reply"])),
    "coming": ("1", Situation(asked=VISIT), ("none", ["reply.coming"], [])),
    "not coming": ("2", Situation(asked=VISIT), ("none", ["reply.change"], ["change"])),
    "the same digit again": ("2", Situation(asked=VISIT, before="2"), ("none", [], [])),
    "coming after all": ("1", Situation(asked=VISIT, before="2"), ("none", ["reply.coming"], ["reply"])),
    "not coming after all": ("2", Situation(asked=VISIT, before="1"), ("none", ["reply.change"], ["change"])),
    "gone": ("1", Situation(asked=CHECK_IN), ("none", ["reply.gone"], [])),
    "still there": ("2", Situation(asked=CHECK_IN), ("none", ["reply.still"], ["call"])),
    "a digit of either of two": ("1", Situation(asked=VISIT, people=2, asked_people=2),
                                 ("none", ["reply.received"], ["shared"])),
    "a digit to nothing": ("1", Situation(), ("none", ["reply.received"], ["reply"])),
    "a digit of someone who stopped": ("2", Situation(asked=VISIT, stopped=True), ("none", [], ["change"])),
    "thanks": ("thank you!", Situation(), ("none", [], [])),
    "please call": ("please call me", Situation(), ("none", ["reply.call"], ["call"])),
    "another time": ("I need to reschedule", Situation(), ("none", ["reply.change"], ["change"])),
    "anything": ("my parrot says hello to yours", Situation(), ("none", ["reply.received"], ["reply"])),
    "anything, a second time today": ("it is green", Situation(received_lately=True), ("none", [], ["reply"])),
    "nothing": ("", Situation(), ("none", ["reply.received"], ["reply"])),
    "only an emoji": ("🤔", Situation(), ("none", ["reply.received"], ["reply"])),
    "urgent": ("I can't breathe", Situation(), ("none", ["reply.urgent"], ["urgent"])),
    "urgent of someone who stopped": ("chest pain", Situation(stopped=True), ("none", ["reply.urgent"], ["urgent"])),
    "a short code": ("hello there", Situation(reachable=False), ("none", [], ["reply"])),
    "a short code's stop": ("stop", Situation(reachable=False), ("stop", [], ["reply"])),
    "a robot": ("Automatic reply: I am away", Situation(robot="phrase"), ("none", [], ["reply"])),
    "a robot's stop": ("Automatic reply: stop texting this number", Situation(robot="phrase"), ("stop", [], ["reply"])),
    "urgent among too many": ("I can't breathe", Situation(robot="many"), ("none", ["reply.urgent"], ["urgent"])),
    "urgent among too many, again": ("I can't breathe", Situation(robot="many", urgent_lately=True),
                                     ("none", [], ["urgent"])),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_this_is_done(case: tuple[str, Situation, tuple[str, list[str], list[str]]]) -> None:
    text, seen, (effect, answers, tasks) = case
    done = respond(understand(text, WORDS, seen.asked or None), seen)
    assert (done.effect, list(done.answers), list(done.tasks)) == (effect, answers, tasks)


TEXTS = st.one_of(
    st.sampled_from(["stop", "cancel", "STOP I can't breathe", "start", "yes", "no", "help", "1", "2", "thanks", "👍",
                     "chest pain", "please call me", "another day please", "قف", "取消", "Automatic reply: away",
                     "automatic reply, chest pain", "hello, it is green", "", "🤔",
                     "{{ 7*7 }}'; drop table patient;--"]),
    st.text(max_size=30),
)  # fmt: skip
SITUATIONS = st.builds(
    Situation,
    asked=st.sampled_from(["", REQUEST, VISIT, CHECK_IN]), before=st.sampled_from(["", "1", "2"]),
    people=st.integers(1, 3), asked_people=st.integers(1, 2), stopped=st.booleans(), restorable=st.booleans(),
    carrier_answered=st.booleans(), received_lately=st.booleans(), urgent_lately=st.booleans(),
    reachable=st.booleans(), robot=st.sampled_from(["", "echo", "phrase", "many"]),
)  # fmt: skip


def met(text: str, seen: Situation) -> tuple[Understood, Response]:
    said = understand(text, WORDS, seen.asked or None)
    return said, respond(said, seen)


@given(TEXTS, SITUATIONS)
@settings(max_examples=600, deadline=None)
def test_what_holds_for_every_message(text: str, seen: Situation) -> None:
    said, done = met(text, seen)
    assert set(done.answers) <= ANSWERS
    assert set(done.tasks) <= set(DUE)
    assert len(set(done.answers)) == len(done.answers) <= 2
    assert len(set(done.tasks)) == len(done.tasks)
    if said.urgent and not seen.robot:
        assert "urgent" in done.tasks
        assert ("reply.urgent" in done.answers) == seen.reachable
    if said.kind == "stop":
        assert done.effect == "stop", "whoever wrote it, and whatever else it says"
    if seen.stopped:
        assert not [one for one in done.answers if one not in TO_THE_STOPPED]
        assert not [one for one in done.answers if one.startswith("reply.stopped")], "never confirmed twice"
    if seen.robot and seen.robot != "many":
        assert done.answers == ()
        assert len(done.tasks) == 1
    if said.kind == "thanks" and not seen.robot and seen.reachable:
        assert done == Response()
    if said.kind == "other":
        assert len(done.tasks) == 1
    if done.effect == "agree":
        assert (seen.asked, said.answer) == (REQUEST, "1")


@given(st.lists(st.tuples(TEXTS, st.integers(0, 600)), max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_ten_minutes_hold_more_than_a_few_answers(messages: list[tuple[str, int]]) -> None:
    """One patient, one clinic: the situation as the store would tell it, over any sequence of messages."""
    answers: list[tuple[int, str]] = []
    times: list[int] = []
    stopped = False
    for text, at in sorted(messages, key=lambda one: one[1]):
        times.append(at)
        said = understand(text, WORDS, VISIT)
        seen = Situation(
            asked=VISIT, stopped=stopped, restorable=stopped, robot=robot(said, echo=False, within=len(times)),
            received_lately="reply.received" in {step for _, step in answers},
            urgent_lately="reply.urgent" in {step for _, step in answers},
        )  # fmt: skip
        done = respond(said, seen)
        answers += [(at, step) for step in done.answers]
        stopped = {"stop": True, "start": False}.get(done.effect, stopped)
    assert len(answers) <= 2 * MOST
    assert len([step for _, step in answers if step == "reply.received"]) <= 1


@cache
def understood(text: str) -> Understood:
    """A machine says the same a thousand times: it means the same each time."""
    return understand(text, WORDS)


@pytest.mark.parametrize(("texts", "most"), [
    (["Thank you for your message. We are closed today."], 1),
    (["Your call matters, number {n}."], 1),
    (["HELP"], 2),
    (["HELP{dots}"], 2),
    (["HELP please, it is {n} o'clock"], 4),
    (["STOP", "START"], 4),
    (["I can't breathe"], 3),
    (["Chest pain, case {n}"], 20),
])  # fmt: skip
def test_two_machines_that_answer_each_other_fall_silent(texts: list[str], most: int) -> None:
    """One message every 90 seconds, for a day and a half: slower than any count of ten minutes would see."""
    heard: list[tuple[datetime, str]] = []
    answers: list[tuple[datetime, str]] = []
    stopped, now = False, datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(1440):
        now += timedelta(seconds=90)
        # Numbers come again after two hours, when nobody remembers them: fewer texts to understand.
        text = texts[number % len(texts)].format(n=number % 97, dots="!" * (number % 9))

        def within(since: timedelta, now: datetime = now) -> list[str]:
            return [one for _, one in takewhile(lambda pair: pair[0] > now - since, reversed(heard))]

        def given(
            step: str, since: timedelta, now: datetime = now, answers: list[tuple[datetime, str]] = answers
        ) -> int:
            return sum(one == step and at > now - since for at, one in answers)

        said = understood(text)
        helps = [at for at, one in answers if one == "reply.help" and at > now - A_DAY]
        machine = robot(said, echo=False, within=1 + len(within(WITHIN)), in_a_day=1 + len(within(A_DAY)),
                        same=alike(text, within(HOUR)))  # fmt: skip
        seen = Situation(
            robot=machine, stopped=stopped, restorable=stopped, received_lately=given("reply.received", A_DAY) > 0,
            urgent_lately=given("reply.urgent", A_DAY if machine else WITHIN) > 0,
            helped_lately=said.kind == "help" and helped(helps, now),
        )  # fmt: skip
        done = respond(said, seen)
        if said.urgent:
            assert "urgent" in done.tasks, "a person still looks"
        heard.append((now, text))
        answers += [(now, step) for step in done.answers]
        stopped = {"stop": True, "start": False}.get(done.effect, stopped)
    assert len(answers) <= most + ("urgent" in str(answers)), "and no more in the hours after"


def test_pictures_without_words_are_not_alike_and_a_digit_may_be_said_again() -> None:
    assert alike("", ["", "", ""]) == 1
    assert alike("Hello!", ["hello", "HELLO ", "other"]) == 3
    assert robot(understand("1", WORDS, VISIT), echo=False, within=3, same=3) == ""
    assert robot(understand("hello", WORDS), echo=False, within=3, same=3) == "many"
    assert robot(understand("hello", WORDS), echo=False, within=1, in_a_day=MOST_A_DAY + 1) == "many"


@pytest.mark.parametrize(("text", "rest"), [
    (OURS, ""),
    (f"Fwd: {OURS}", "fwd"),
    (f"Liked “{OURS}”", "liked"),
    (f"{OURS} STOP", "stop"),
    (OURS.upper(), ""),
    (OURS[:60], ""),
    ("STOP", None),
    ("Reply STOP to end", None),
    ("Fern Street Clinic", None),
    ("", None),
])  # fmt: skip
def test_our_own_words_are_known_again(text: str, rest: str | None) -> None:
    assert echoed(text, ["Something else that we once wrote to them.", OURS]) == rest


@pytest.mark.parametrize(("text", "echo", "within", "why"), [
    ("hello", False, 1, ""),
    ("hello", False, MOST, ""),
    ("hello", False, MOST + 1, "many"),
    ("fwd", True, 1, "echo"),
    ("help i cannot breathe", True, 1, ""),
    ("I'm driving, I'll write later", False, 1, "phrase"),
    ("I'm driving and I have chest pain", False, 1, ""),
    ("Out of office. In an emergency call 911.", False, 1, "phrase"),
    ("Respuesta automática: estoy conduciendo", False, 1, "phrase"),
    ("رد تلقائي: أنا خارج المكتب", False, 1, "phrase"),
    ("自动回复：我不在", False, 1, "phrase"),
    ("자동응답 부재중입니다", False, 1, "phrase"),
])  # fmt: skip
def test_a_machine_is_told_from_a_person(text: str, echo: bool, within: int, why: str) -> None:
    assert robot(understand(text, WORDS), echo=echo, within=within) == why


def test_every_shipped_language_has_words_of_automatic_replies() -> None:
    folders = {path.name for path in (ROOT / "locales").iterdir() if path.is_dir()}
    assert folders <= {word.locale for word in WORDS.of("robot")}


@pytest.mark.parametrize(("mode", "body", "kind", "carrier"), [
    ("none", "STOP", "stop", ""),
    ("stop_help", "STOP", "stop", "stop"),
    ("stop_help", " stop ", "stop", "stop"),
    ("stop_help", "ALTO", "stop", ""),
    ("stop_help", "please stop", "stop", ""),
    ("stop_help", "INFO", "help", "help"),
    ("toll_free", "STOP", "stop", "stop"),
    ("toll_free", "HELP", "help", ""),
    ("advanced", "STOP", "stop", ""),
])  # fmt: skip
def test_what_a_carrier_answers_by_itself(mode: str, body: str, kind: str, carrier: str) -> None:
    assert answered_by_carrier(mode, body, "", understand(body, WORDS).kind) is bool(carrier)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("kind", "body"), [("STOP", "ALTO"), ("START", "volver"), ("HELP", "?")])
def test_where_the_carrier_says_what_it_took_it_for_it_has_answered(mode: str, kind: str, body: str) -> None:
    said = heard_with(understand(body, WORDS), kind)
    assert said.kind == kind.lower()
    assert answered_by_carrier(mode, body, kind, said.kind)


def test_a_stop_is_not_lost_to_a_carrier_that_took_it_for_something_else() -> None:
    said = understand("please stop", WORDS)
    assert heard_with(said, "HELP") == said
    assert heard_with(replace(said, kind="other"), "").kind == "other"
