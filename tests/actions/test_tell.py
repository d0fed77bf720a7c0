"""Telling other software: once each, again when it fails, off after days of failures, from the history again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text

from outreach.actions import withdraw
from outreach.actions.approve import Reviewer, approve
from outreach.actions.approve import withdraw as withdraw_words
from outreach.actions.tell import tell
from outreach.content.approvals import texts
from outreach.content.compose import Words
from outreach.domain.news import OF_MESSAGES, Kind, sign, wait
from outreach.domain.status import ENDS, Status
from outreach.errors import Reason
from outreach.providers.listener import Told
from outreach.store import alerts, calls, messages, webhooks
from outreach.store.calls import Due, Made
from outreach.store.doors import WebhookMark
from outreach.store.happened import happened
from outreach.store.vault import Vault
from tests.actions.world import World, make_world

NOTHING = Told(None, "TimeoutError")


@dataclass
class Ear:
    """A listener at the seam: answers as told, keeps what it was told."""

    world: World
    webhook_id: UUID
    answer: Callable[[Due], Told] = lambda _: Told(200)
    heard: list[Due] = field(default_factory=list)

    def tell(self, after: timedelta = timedelta()) -> int:
        self.world.now += after

        def ring(one: Due, _now: datetime) -> Told:
            self.heard.append(one)
            return self.answer(one)

        return tell(self.world.sessions, lambda: self.world.now, local=False, ring=ring)

    def calls(self) -> list[Made]:
        with self.world.sessions() as session:
            return calls.history(session, self.world.clinic_id, self.webhook_id, 50)

    def stop(self, evidence: str = "a") -> None:
        with self.world.sessions.begin() as session:
            withdraw.stop(session, self.world.address_id, method="sms", evidence=evidence, now=self.world.now)


@pytest.fixture
def ear(engine: Engine, vault: Vault, words: Words) -> Ear:
    world = make_world(engine, vault, words)
    world.agree()
    with world.sessions.begin() as session:
        webhook_id, _ = webhooks.add(session, world.clinic_id, "https://ehr.example.org/x", set(Kind), world.now)
    return Ear(world, webhook_id)


def test_what_was_before_the_webhook_is_not_told_and_what_comes_is_told_once(ear: Ear) -> None:
    assert ear.tell() == 0
    ear.world.plan()
    ear.stop()
    assert ear.tell() == 2
    assert ear.tell() == 0
    assert sorted(json.loads(one.body)["type"] for one in ear.heard) == ["consent.changed", "message.suppressed"]
    body = json.loads(next(one.body for one in ear.heard if "suppressed" in one.body))
    assert body["data"]["reason"] == "opted_out"
    assert "Ada" not in str([one.body for one in ear.heard])


def test_each_end_of_a_message_is_told_also_that_it_stepped_aside(ear: Ear) -> None:
    assert {kind.value for kind in OF_MESSAGES} == {f"message.{end.value}" for end in ENDS}
    ear.world.plan()
    with ear.world.sessions.begin() as session:
        waiting = [one.id for one in ear.world.seen()]
        assert messages.finish(session, waiting, Status.CANCELLED, Reason.VISIT_MOVED, ear.world.now) == 1
    assert ear.tell() == 1
    [told] = [json.loads(one.body) for one in ear.heard]
    assert (told["type"], told["data"]["message_id"], told["data"]["reason"]) == (
        "message.cancelled", str(waiting[0]), "visit_moved",
    )  # fmt: skip


def test_a_decision_on_words_is_told_with_their_digest_and_without_a_name(ear: Ear) -> None:
    text_of = texts(ear.world.words, "es")["pre.tomorrow"]
    by = Reviewer("Ana Ruiz", "medical translator")
    with ear.world.sessions.begin() as session:
        assert withdraw_words(session, ear.world.clinic_id, "es", "pre.tomorrow", by, ear.world.now) == 1
    with ear.world.sessions.begin() as session:
        approve(session, ear.world.clinic_id, [text_of], by, ear.world.now)
    assert ear.tell(timedelta(minutes=1)) == 2
    assert ear.tell(timedelta(hours=1)) == 0
    told = [json.loads(one.body) for one in ear.heard]
    assert {one["type"] for one in told} == {"approval.changed"}
    known = {"locale": "es", "text": "pre.tomorrow", "digest": text_of.digest.hex(), "demo": False}
    assert [one["data"] for one in told] == [known | {"approved": False}, known | {"approved": True}]
    assert "Ana" not in str([one.body for one in ear.heard])


def test_news_that_commits_late_with_a_low_number_is_told_all_the_same(ear: Ear) -> None:
    ear.world.plan()
    with ear.world.sessions() as late:
        withdraw.stop(late, ear.world.address_id, method="sms", evidence="late", now=ear.world.now)
        neighbour = ear.world.neighbour(1)
        with ear.world.sessions.begin() as session:
            withdraw.stop(session, neighbour.address_id, method="sms", evidence="b", now=ear.world.now)
        assert ear.tell() == 1
        late.commit()
    assert ear.tell(timedelta(minutes=2)) == 2


def test_the_mark_moves_on_so_that_old_news_is_not_read_again_for_ever(ear: Ear) -> None:
    ear.world.plan()
    ear.stop()
    ear.tell()
    ear.tell(timedelta(hours=1))
    with ear.world.sessions() as session:
        mark = session.scalars(select(WebhookMark)).one()
        newest = session.execute(text("select max(id) from event")).scalar_one()
    assert mark.event_id == newest
    assert mark.inbound_at > ear.world.now - timedelta(minutes=10)


@pytest.mark.parametrize("chance", [0.0, 0.3, 0.6, 0.99])
def test_a_call_that_fails_is_made_again_with_the_same_id_and_given_up_after_three_days(
    ear: Ear, chance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.domain.news.random.random", lambda: chance)
    ear.answer = lambda _: Told(500)
    ear.stop()
    assert ear.tell() == 1
    assert ear.tell() == 0, "not at once"
    assert ear.tell(timedelta(seconds=11)) == 1
    assert len({one.id for one in ear.heard}) == 1
    for _ in range(40):
        ear.tell(timedelta(hours=3))
    (made,) = ear.calls()
    assert (made.state, made.status_code) == ("given_up", 500)
    with ear.world.sessions() as session:
        assert not webhooks.get(session, ear.world.clinic_id, ear.webhook_id).active
        assert [one.kind for one in alerts.open_alerts(session, ear.world.clinic_id)] == ["webhook off"]


def test_a_webhook_that_did_well_while_a_call_was_tried_stays_on_and_so_does_another(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.domain.news.random.random", lambda: 0.0)
    clinic_id = ear.world.clinic_id
    with ear.world.sessions.begin() as session:
        other, _ = webhooks.add(session, clinic_id, "https://b.example.org/", {Kind.TASK}, ear.world.now)
    ear.answer = lambda _: Told(500)
    ear.stop()
    ear.tell()
    bad = ear.heard[0].id
    ear.answer = lambda one: Told(500) if one.id == bad or one.webhook_id == other else Told(200)
    for turn in range(40):
        with ear.world.sessions.begin() as session:
            if turn == 4:  # it answers something well, hours after the first tries of the call it cannot take
                calls.add(session, clinic_id, ear.webhook_id, "t", "well", {}, ear.world.now)
            if turn in (22, 23):  # the other one begins to fail just before that call is given up
                calls.add(session, clinic_id, other, "t", f"b{turn}", {}, ear.world.now)
        ear.tell(timedelta(hours=3))
    assert {one.id: one.state for one in ear.calls()}[bad] == "given_up"
    with ear.world.sessions() as session:
        assert webhooks.get(session, clinic_id, ear.webhook_id).active


def test_one_that_says_it_is_gone_is_switched_off_at_once(ear: Ear) -> None:
    ear.answer = lambda _: Told(410)
    ear.stop()
    ear.tell()
    with ear.world.sessions() as session:
        assert not webhooks.get(session, ear.world.clinic_id, ear.webhook_id).active
    assert ear.tell(timedelta(days=1)) == 0


@pytest.mark.parametrize("removed", [False, True], ids=["switched on", "removed"])
def test_once_it_is_on_again_or_gone_nobody_is_told_any_more_that_it_is_off(ear: Ear, removed: bool) -> None:
    ear.answer = lambda _: Told(410)
    ear.stop()
    ear.tell()
    with ear.world.sessions.begin() as session:
        clinic, now = ear.world.clinic_id, ear.world.now
        hook = webhooks.get(session, clinic, ear.webhook_id)
        assert alerts.is_open(session, clinic, webhooks.SWITCHED_OFF, str(hook.id))
        if removed:
            webhooks.remove(session, clinic, hook.id, now)
        else:
            webhooks.change(session, hook, now, active=True)
        assert not alerts.open_alerts(session, clinic)


def test_what_was_given_up_is_told_again_from_the_history(ear: Ear) -> None:
    ear.stop()
    ear.tell()
    (made,) = ear.calls()
    with ear.world.sessions.begin() as session:
        clinic, now = ear.world.clinic_id, ear.world.now
        assert calls.replay(session, clinic, ear.webhook_id, made.id, now)
        assert not calls.replay(session, clinic, ear.webhook_id, made.id, now), "it is due already"
    assert ear.tell() == 1
    with ear.world.sessions.begin() as session:
        calls.record(session, made.id, "given_up", now, status_code=None, note="")
        assert calls.replay_failed(session, clinic, ear.webhook_id, now - timedelta(days=1), now) == 1
    assert ear.tell() == 1
    assert {one.id for one in ear.heard} == {made.id}


def test_a_slow_listener_does_not_keep_the_others_waiting(ear: Ear) -> None:
    with ear.world.sessions.begin() as session:
        other, _ = webhooks.add(session, ear.world.clinic_id, "https://b.example.org/", {Kind.TASK}, ear.world.now)
        for number in range(30):
            calls.add(session, ear.world.clinic_id, ear.webhook_id, "t", f"a{number}", {}, ear.world.now)
        calls.add(session, ear.world.clinic_id, other, "t", "b", {}, ear.world.now)
    with ear.world.sessions.begin() as session:
        taken = calls.take(session, ear.world.now, 40)
    assert sum(one.webhook_id == ear.webhook_id for one in taken) == calls.EACH
    assert sum(one.webhook_id == other for one in taken) == 1


def test_what_a_dead_worker_held_is_made_by_the_next_after_its_lease(ear: Ear) -> None:
    ear.stop()
    ear.answer = lambda _: pytest.fail("not yet")
    with ear.world.sessions.begin() as session:
        calls.keep(session, happened(session, ear.world.now), ear.world.now)
        assert calls.take(session, ear.world.now, 10)
    assert ear.tell() == 0
    ear.answer = lambda _: Told(200)
    assert ear.tell(timedelta(seconds=61)) == 1


def test_a_second_webhook_is_not_told_what_was_before_it(ear: Ear) -> None:
    ear.stop()
    with ear.world.sessions.begin() as session:
        webhooks.add(session, ear.world.clinic_id, "https://b.example.org/", set(Kind), ear.world.now)
    ear.world.now += timedelta(seconds=1)
    ear.tell()
    assert {one.webhook_id for one in ear.heard} <= {ear.webhook_id}


def test_waits_double_up_to_six_hours_and_half_of_each_is_chance() -> None:
    assert [wait(n, 1.0).total_seconds() for n in (1, 2, 3, 30)] == [10, 20, 40, 21600]
    assert wait(1, 0.0).total_seconds() == 5


def test_the_signature_is_that_of_the_specification() -> None:
    # The example of the Standard Webhooks specification's own libraries.
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )
