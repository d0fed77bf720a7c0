"""After a text that did not arrive: an e-mail where that was agreed to, once; and a dead number is left alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from outreach.actions import move, withdraw
from outreach.actions.dispatch import drain
from outreach.actions.enrol import Enrol, NewVisit, Paper, enrol
from outreach.actions.fallback import UNUSABLE, after_failure
from outreach.actions.receive import apply_all
from outreach.actions.recover import recover
from outreach.actions.replan import replan
from outreach.content.compose import Words
from outreach.content.sequences import load
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind
from outreach.domain.message import Found, Parcel, Receipt
from outreach.domain.sequence import Sequence
from outreach.domain.status import Status
from outreach.errors import OutreachError, Reason, Refused, Uncertain
from outreach.providers.memory import MemoryProvider
from outreach.settings import ROOT
from outreach.store import alerts, consents, messages, patients, senders
from outreach.store.balance import Span, weigh
from outreach.store.receipts import News
from outreach.store.seen import Seen, timeline
from outreach.store.tables import Clinic
from outreach.store.traffic import Event, Message
from outreach.store.vault import Vault
from tests.actions.conftest import NOW
from tests.actions.world import NOON, PHONE, ZONE, World, make_world

BAD = Refused(Reason.BAD_NUMBER, code="21211")
TOMORROW = NOON + timedelta(days=1)


@dataclass
class House:
    """A world in which the patient has a mailbox as well."""

    world: World
    mail: MemoryProvider
    email_id: UUID

    def go(self, *refusals: OutreachError) -> None:
        """Drain, the carrier of texts answering so."""
        carrier = self.world.carrier = MemoryProvider(outcomes=refusals)
        pump = self.world.pump()
        pump.providers["mail"] = self.mail  # type: ignore[index]
        drain(pump, seconds=5)
        assert self.world.carrier is carrier

    def agree_by_email(self, kind: ConsentKind = ConsentKind.AGREED, evidence: str = "form 1") -> None:
        with self.world.sessions.begin() as session:
            consents.add(
                session, clinic_id=self.world.clinic_id, patient_id=self.world.patient_id, address_id=self.email_id,
                channel=Channel.EMAIL, kind=kind, method="paper", actor="desk", warned=True,
                at=self.world.now - timedelta(days=1), evidence=evidence,
            )  # fmt: skip

    def told(
        self, attempt_id: UUID, reason: Reason, word: str = "undelivered", status: Status = Status.UNDELIVERED
    ) -> None:
        with self.world.sessions.begin() as session:
            apply_all(session, [News(attempt_id, Receipt("mem-1", word, status, reason=reason))], self.world.now)

    def emails(self) -> list[Seen]:
        return [one for one in self.world.seen() if one.channel is Channel.EMAIL]

    def texts(self) -> list[Seen]:
        return [one for one in self.world.seen() if one.channel is Channel.SMS]

    def notice(self, occasion: str, step: str, **facts: str) -> None:
        now = self.world.now
        with self.world.sessions.begin() as session:
            messages.add_occasion(
                session, clinic_id=self.world.clinic_id, patient_id=self.world.patient_id,
                address_id=self.world.address_id, channel=Channel.SMS, step=step, occasion=occasion, zone=ZONE,
                due_at=now, useful_until=now + timedelta(days=1), wall=now.replace(tzinfo=None), tz_version="2026c",
                facts=facts, course_id=self.world.course_id,
            )  # fmt: skip

    def alerts(self) -> list[alerts.Raised]:
        with self.world.sessions() as session:
            return [one for one in alerts.open_alerts(session, self.world.clinic_id) if one.kind == UNUSABLE]

    def attempt(self) -> UUID:
        return self.world.carrier.parcels[-1].attempt_id

    def parcel(self) -> Parcel:
        [parcel] = self.mail.parcels
        return parcel


class Lists(MemoryProvider):
    """A carrier whose list says of every message that it was blocked."""

    def find(self, to: str, day: date) -> list[Found]:
        return [replace(one, status=Status.UNDELIVERED, reason=Reason.BLOCKED) for one in super().find(to, day)]


@pytest.fixture
def house(engine: Engine, vault: Vault, words: Words) -> House:
    world = make_world(engine, vault, words)
    with world.sessions.begin() as session:
        senders.add(session, world.clinic_id, Channel.EMAIL, "care@fern.example", carrier="mail")
        email_id, _ = patients.set_address(
            session, world.clinic_id, world.patient_id, Channel.EMAIL, "ada@example.org", NOON - timedelta(days=30)
        )
    world.agree()
    return House(world, MemoryProvider(Channel.EMAIL, name="mail"), email_id)


@pytest.fixture(scope="module")
def steps() -> Sequence:
    return load(ROOT / "config" / "sequences" / "ketamine-infusion.yaml")


@pytest.mark.parametrize("reason", [Reason.BAD_NUMBER, Reason.UNREACHABLE, Reason.BLOCKED, Reason.UNKNOWN_HANDSET])
def test_a_text_that_cannot_arrive_goes_by_email_in_the_same_language(house: House, reason: Reason) -> None:
    house.agree_by_email()
    house.world.plan("pre.the_day")
    house.go(Refused(reason))
    [email], [text] = house.emails(), house.texts()
    assert (text.status, text.reason) == (Status.FAILED, reason)
    assert (email.status, email.occasion, email.step) == (Status.ACCEPTED, f"fallback:{text.id}", "pre.the_day")
    assert (email.locale, email.useful_until, email.course_id) == (text.locale, text.useful_until, text.course_id)
    assert house.parcel().to == "ada@example.org"
    assert "December 10" in house.parcel().content.text  # its visit is found
    with house.world.sessions() as session:
        said = session.scalars(select(Event.word).where(Event.message_id == email.id).order_by(Event.id)).all()
        assert said[:2] == ["planned", "instead of a text"]
        assert weigh(session, [Span(house.world.clinic_id)], whole=True).holds


@pytest.mark.parametrize(
    "reason",
    [Reason.UNSUBSCRIBED_AT_CARRIER, Reason.CONTENT_REFUSED, Reason.CONFIGURATION, Reason.SECURITY,
     Reason.UNKNOWN_CODE, Reason.VALIDITY_OVER],
)  # fmt: skip
def test_a_stop_and_what_is_not_the_numbers_fault_never_go_elsewhere(house: House, reason: Reason) -> None:
    house.agree_by_email()
    house.world.plan()
    house.go(Refused(reason))
    assert (house.emails(), house.alerts()) == ([], [])


def test_an_email_needs_an_agreement_of_its_own(house: House) -> None:
    house.world.plan()
    house.go(BAD)
    assert house.emails() == []


def test_an_email_that_was_stopped_stays_stopped(house: House) -> None:
    house.agree_by_email()
    with house.world.sessions.begin() as session:
        withdraw.stop(session, house.email_id, method="unsubscribe", evidence="x", now=NOON)
    house.world.plan()
    house.go(BAD)
    assert house.emails() == []


def test_it_goes_once_however_often_it_is_asked(house: House) -> None:
    house.agree_by_email()
    house.world.plan()
    house.go(BAD)
    [text] = house.texts()
    with house.world.sessions.begin() as session:
        assert [after_failure(session, [(text.id, Reason.BAD_NUMBER)], NOON) for _ in range(2)] == [0, 0]
    assert len(house.emails()) == len(house.mail.parcels) == 1


@pytest.mark.parametrize(
    ("status", "goes"),
    [(Status.SCHEDULED, 0), (Status.SENT, 0), (Status.UNDELIVERED, 0), (Status.UNKNOWN, 0), (Status.SUPPRESSED, 1),
     (Status.EXPIRED, 1), (Status.CANCELLED, 1)],
)  # fmt: skip
def test_what_is_planned_or_was_sent_by_email_anyway_is_not_said_again(house: House, status: Status, goes: int) -> None:
    house.agree_by_email()
    world = house.world
    world.plan()
    with world.sessions.begin() as session:
        [text] = session.scalars(select(Message)).all()
        twin = {c.key: getattr(text, c.key) for c in Message.__table__.columns if c.computed is None} | {
            "channel": "email"
        }
        session.add(Message(**twin | {"id": UUID(int=7), "address_id": house.email_id, "status": status.value}))
        text.status, text.reason = "failed", "bad_number"
    with world.sessions.begin() as session:
        assert after_failure(session, [(text.id, Reason.BAD_NUMBER)], NOON) == goes


def test_what_is_too_late_for_a_text_is_too_late_for_an_email(house: House) -> None:
    house.agree_by_email()
    house.world.plan()
    house.go()
    house.world.now = TOMORROW
    house.told(house.attempt(), Reason.UNREACHABLE)
    assert house.emails() == []


def test_at_night_it_waits_for_the_morning(house: House) -> None:
    house.agree_by_email()
    house.world.plan()
    house.go()
    house.world.now = NOON + timedelta(hours=10)
    house.told(house.attempt(), Reason.UNREACHABLE)
    house.go()
    [email] = house.emails()
    assert (email.status, email.due_at) == (Status.SCHEDULED, datetime.fromisoformat("2026-12-08T14:00Z"))


@pytest.mark.parametrize("reason", [Reason.BAD_NUMBER, Reason.UNREACHABLE])
def test_a_receipt_does_the_same_however_often_it_comes(house: House, reason: Reason) -> None:
    house.agree_by_email()
    house.world.plan()
    house.go()
    for _ in range(3):
        house.told(house.attempt(), reason)
    house.go()
    assert [one.status for one in house.emails()] == [Status.ACCEPTED]
    assert [one.count for one in house.alerts()] == ([1] if reason is Reason.BAD_NUMBER else [])


def test_news_that_came_after_the_end_moves_nothing(house: House) -> None:
    house.agree_by_email()
    house.world.plan()
    house.go()
    with house.world.sessions.begin() as session:
        apply_all(session, [News(house.attempt(), Receipt("mem-1", "delivered", Status.DELIVERED))], NOON)
    house.told(house.attempt(), Reason.BAD_NUMBER)
    assert (house.emails(), house.alerts()) == ([], [])


def test_the_news_that_a_visit_moved_goes_by_email_with_what_it_remembers(house: House) -> None:
    house.agree_by_email()
    house.notice(f"visit:{house.world.infusion_id}:0", "visit.moved", infusion_id=str(house.world.infusion_id),
                 old_start="2026-12-09T15:30:00+00:00", new_start="2026-12-10T15:30:00+00:00")  # fmt: skip
    house.go(BAD)
    said = house.parcel().content.text
    assert "December 9" in said
    assert "December 10" in said


def test_old_news_of_a_visit_is_not_told_by_email(house: House) -> None:
    house.agree_by_email()
    house.notice(f"visit:{house.world.infusion_id}:7", "visit.moved", old_start="2026-12-09T15:30:00+00:00",
                 new_start="2026-12-11T15:30:00+00:00")  # fmt: skip
    house.go(BAD)
    assert house.emails() == []


@pytest.mark.parametrize("step", ["consent.request", "reply.help"])
def test_questions_and_answers_to_one_address_are_not_put_to_another(house: House, step: str) -> None:
    house.agree_by_email()
    house.notice("inbound:x", step)
    house.go(BAD)
    assert (house.emails(), len(house.alerts())) == ([], 1)


def test_a_message_about_the_course_goes_by_email_too(house: House) -> None:
    house.agree_by_email()
    house.world.plan("post.two_weeks")
    with house.world.sessions.begin() as session:
        session.execute(update(Message).values(infusion_id=None))
    house.go(BAD)
    assert [one.status for one in house.emails()] == [Status.ACCEPTED]


def cancelled_while_it_waits(house: House, steps: Sequence) -> None:
    """A text did not arrive, an e-mail stands in for it, and the visit is cancelled before it goes."""
    house.agree_by_email()
    house.world.plan("post.check_in")
    house.go()
    house.told(house.attempt(), Reason.UNREACHABLE)
    with house.world.sessions.begin() as session:
        move.cancel(session, house.world.infusion_id, steps, NOON)


def test_a_visit_that_moves_takes_the_waiting_email_along(house: House, steps: Sequence) -> None:
    cancelled_while_it_waits(house, steps)
    by_step = {one.step: (one.status, one.reason) for one in house.emails() if one.occasion}
    assert by_step["post.check_in"] == (Status.CANCELLED, Reason.VISIT_CANCELLED)
    assert by_step["visit.cancelled"] == (Status.SCHEDULED, None)


def test_a_text_about_a_time_that_is_no_more_is_not_said_by_email(house: House, steps: Sequence) -> None:
    house.agree_by_email()
    house.world.plan("pre.the_day")
    house.go()
    with house.world.sessions.begin() as session:
        move.move(session, house.world.infusion_id, datetime(2026, 12, 15, 9, 30), ZONE, steps, NOON)
    house.told(house.attempt(), Reason.UNREACHABLE)
    assert [one for one in house.emails() if one.occasion and one.occasion.startswith("fallback:")] == []


def test_what_is_queued_to_a_dead_number_later_does_not_leave(house: House) -> None:
    house.world.plan()
    house.go(BAD)
    house.notice(f"visit:{house.world.infusion_id}:0", "visit.moved", old_start="2026-12-09T15:30:00+00:00",
                 new_start="2026-12-10T15:30:00+00:00")  # fmt: skip
    house.go()
    assert [one.status for one in house.texts() if one.step == "visit.moved"] == [Status.SUPPRESSED]
    assert house.world.carrier.parcels == []


def test_whoever_heard_by_email_instead_is_told_of_a_move(house: House, steps: Sequence) -> None:
    house.agree_by_email()
    house.world.plan("pre.the_day")
    house.go(Refused(Reason.BLOCKED))
    with house.world.sessions.begin() as session:
        moved = move.move(session, house.world.infusion_id, datetime(2026, 12, 15, 9, 30), ZONE, steps, NOON)
    assert moved.noticed == 2


def test_a_dead_number_ends_the_rest_and_tells_the_clinic_once_without_a_name(house: House) -> None:
    for day in range(3):
        house.world.plan(("post.check_in", "post.first_days", "post.two_weeks")[day], NOON + timedelta(days=day))
    house.go(BAD)
    assert [(one.status, one.reason) for one in house.texts()] == [
        (Status.FAILED, Reason.BAD_NUMBER), *[(Status.SUPPRESSED, Reason.ADDRESS_UNUSABLE)] * 2
    ]  # fmt: skip
    [alert] = house.alerts()
    assert (alert.key, alert.count) == (str(house.world.address_id), 1)
    assert PHONE[2:] not in alert.about
    assert "Ada" not in alert.about


def test_a_dead_mailbox_is_left_alone_as_well(house: House) -> None:
    house.agree_by_email()
    house.world.plan()
    house.mail = MemoryProvider(Channel.EMAIL, outcomes=[Refused(Reason.BAD_MAILBOX)], name="mail")
    house.go(Refused(Reason.BLOCKED))
    assert [(one.status, one.reason) for one in house.emails()] == [(Status.FAILED, Reason.BAD_MAILBOX)]
    assert [one.key for one in house.alerts()] == [str(house.email_id)]
    house.world.plan("post.first_days")
    house.go(Refused(Reason.BLOCKED))
    assert len(house.emails()) == 1


def test_an_unknown_handset_is_dead_on_the_second_day_only(house: House) -> None:
    for step in ("post.check_in", "post.first_days"):
        house.world.plan(step)
        house.go(Refused(Reason.UNKNOWN_HANDSET))
    assert house.alerts() == []
    house.world.now = TOMORROW
    house.world.plan("post.two_weeks")
    house.go(Refused(Reason.UNKNOWN_HANDSET))
    assert len(house.alerts()) == 1


def test_planning_again_with_the_same_number_sends_nothing_there_and_a_corrected_one_goes_on(
    house: House, steps: Sequence
) -> None:
    world = house.world
    world.plan()
    house.go(BAD)
    for _ in range(2):
        with world.sessions.begin() as session:
            assert (
                patients.set_address(session, world.clinic_id, world.patient_id, Channel.SMS, PHONE, NOON)[1] is False
            )
            replan(session, world.course_id, steps, NOON)
        planned = [one for one in house.texts() if one.due_at > NOON]
        assert {one.reason for one in planned} == {Reason.ADDRESS_UNUSABLE}
    with world.sessions.begin() as session:
        patients.set_address(session, world.clinic_id, world.patient_id, Channel.SMS, "+12025550199", NOON)
        replan(session, world.course_id, steps, NOON)
    planned = [one for one in house.texts() if one.due_at > NOON and one.status is not Status.CANCELLED]
    assert {one.status for one in planned} == {Status.SCHEDULED}


def test_who_writes_from_a_number_called_dead_has_it_back(house: House) -> None:
    house.world.plan()
    house.world.plan("post.first_days", TOMORROW)
    house.go(BAD)
    house.world.write("hello?")
    assert house.alerts() == []
    assert house.world.states()[-1] == ("post.first_days", Status.SCHEDULED, None)


def test_a_stop_from_a_number_called_dead_counts(house: House) -> None:
    house.world.plan()
    house.world.plan("post.first_days", TOMORROW)
    house.go(BAD)
    house.world.write("STOP")
    assert ("post.first_days", Status.SUPPRESSED, Reason.OPTED_OUT) in house.world.states()


def test_a_corrected_number_takes_the_alert_off_the_list(session: Session, clinic: Clinic, sequence: Sequence) -> None:
    paper = Paper(frozenset({Channel.SMS}), on=date(2026, 11, 20))
    visits = (NewVisit(datetime(2026, 12, 15, 10), 40, "V1"),)
    form = Enrol(clinic.id, "Ana Sample", "es", visits, phone="(312) 555-0143", external="A1", paper=paper)
    done = enrol(session, form, sequence, NOW)
    session.execute(
        update(Message).where(Message.step == "consent.confirmed").values(status="failed", reason="bad_number")
    )
    [failed] = session.scalars(select(Message.id).where(Message.step == "consent.confirmed"))
    after_failure(session, [(failed, Reason.BAD_NUMBER)], NOW)

    def now() -> tuple[int, set[Reason | None]]:
        told = [one for one in alerts.open_alerts(session, clinic.id) if one.kind == UNUSABLE]
        plan = [one for one in timeline(session, clinic.id, done.patient_id) if one.step.startswith(("pre", "post"))]
        ahead = [one.reason for one in plan if one.due_at > NOW and one.status is not Status.CANCELLED]
        return len(told), set(ahead) - {Reason.PAST_AT_PLANNING}

    assert now() == (1, {Reason.ADDRESS_UNUSABLE})
    enrol(session, form, sequence, NOW)
    assert now() == (1, {Reason.ADDRESS_UNUSABLE})
    enrol(session, replace(form, phone="(312) 555-0144", paper=Paper()), sequence, NOW)
    assert now() == (0, {None})


def test_what_the_carriers_list_tells_of_a_message_in_doubt_has_the_same_consequences(house: House) -> None:
    house.agree_by_email()
    house.world.plan()
    house.go(Uncertain())
    [text] = house.texts()
    assert (text.status, house.emails()) == (Status.UNKNOWN, [])
    lists = Lists()
    lists.taken = house.world.carrier.taken
    assert recover(house.world.sessions, {"memory": lists}, lambda: NOON, hold=timedelta(0)) == 1
    assert [one.status for one in house.texts()] == [Status.UNDELIVERED]
    assert [one.status for one in house.emails()] == [Status.SCHEDULED]


def test_nothing_is_asked_when_nothing_follows() -> None:
    assert after_failure(None, [(UUID(int=1), Reason.CONTENT_REFUSED), (UUID(int=2), None)], NOON) == 0  # type: ignore[arg-type]


def test_news_of_an_email_put_aside_says_what_became_of_it(house: House, steps: Sequence) -> None:
    cancelled_while_it_waits(house, steps)
    [email] = [one for one in house.emails() if (one.occasion or "").startswith("fallback:")]
    with house.world.sessions() as session:
        aside = Event.message_id == email.id, Event.word == "put aside"
        news = session.execute(select(Event.status, Event.reason, Event.at).where(*aside)).all()
    assert [tuple(one) for one in news] == [("cancelled", "visit_cancelled", NOON)]
