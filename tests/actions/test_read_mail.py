"""What a patient writes by mail is read like a text: a stop ends everything, anything else waits for a person."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from sqlalchemy import Engine, select

from outreach.actions.hear_mail import hear_mail
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, State, may_contact
from outreach.domain.deadlines import due_at
from outreach.store import clinics, consents, patients
from outreach.store.office import Audit, Task
from outreach.store.tables import Address
from outreach.store.traffic import InboundMessage, Message
from outreach.store.vault import Vault
from tests import shipped
from tests.actions.world import World, make_world

ANA = "ana@home.example"
QUOTED = (
    "\n\nOn Mon, Dec 7, 2026 at 9:00 AM Fern <care@fern.example>\nwrote:\n\n> Your visit is on Friday.\n> Reply STOP"
)


def mail(body: str, subject: str = "Re: Your visit", sender: str = f"Ana Ruiz <{ANA}>", **headers: str) -> bytes:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = sender, "care@fern.example", subject
    for name, value in headers.items():
        one[name.replace("_", "-")] = value
    one.set_content(body)
    return one.as_bytes()


@pytest.fixture
def world(engine: Engine, vault: Vault) -> World:
    """Ana has agreed to texts and to mails, and another clinic has nobody of her mailbox."""
    world = make_world(engine, vault, shipped.words())
    world.agree()
    world.agree_to_mails(ANA)
    with world.sessions.begin() as session:
        clinics.add(
            session, slug="other", name="Other", zone="America/Chicago", country="US", locale="en",
            phone="+12025550198", address="1 Other Street", emergency="911",
        )  # fmt: skip
    return world


def hear(world: World, raw: bytes) -> tuple[str, int]:
    with world.sessions.begin() as session:
        report, count = hear_mail(session, raw, world.now, replies=shipped.replies(), words=world.words)
    return report.kind, count


def states(world: World) -> dict[Channel, State]:
    with world.sessions() as session:
        return {
            Channel(one.channel): may_contact(consents.ledger(session, one.id), world.now).state
            for one in session.scalars(select(Address).where(Address.patient_id == world.patient_id))
        }


def tasks(world: World) -> list[str]:
    with world.sessions() as session:
        return list(session.scalars(select(Task.kind).order_by(Task.kind)))


BOTH_STOPPED = dict.fromkeys((Channel.SMS, Channel.EMAIL), State.OPTED_OUT)
BOTH_AGREED = dict.fromkeys((Channel.SMS, Channel.EMAIL), State.AGREED)


def test_a_stop_by_mail_ends_texts_and_mails_once_and_answers_nobody(world: World) -> None:
    world.plan()
    for _ in range(2):
        assert hear(world, mail("STOP" + QUOTED)) == ("letter", 1)
    assert states(world) == BOTH_STOPPED
    assert tasks(world) == []
    with world.sessions() as session:
        assert session.scalars(select(Message.status)).all() == ["suppressed"], "nothing new is written to anybody"
        row = session.scalars(select(InboundMessage)).one()
        assert (row.channel, row.understood, row.patient_id) == ("email", "stop", world.patient_id)
        noted = session.scalars(select(Audit)).one()
        assert (noted.action, noted.detail["channel"], noted.detail["answers"]) == ("patient.wrote", "email", [])
        for one in session.scalars(select(Address)):
            last = consents.ledger(session, one.id)[-1]
            assert (last.kind, last.method) == (ConsentKind.OPTED_OUT, "email")


@pytest.mark.parametrize(
    ("raw", "opened", "stopped"),
    [
        pytest.param(mail("I can't breathe and my chest hurts"), ["urgent"], False, id="urgent"),
        pytest.param(mail("", subject="STOP"), [], True, id="a stop in the subject"),
        pytest.param(mail("Ana Ruiz, 12 Elm Street", subject="Unsubscribe"), ["reply"], True, id="and a signature"),
        pytest.param(mail("I cannot breathe", subject="STOP"), ["urgent"], True, id="a stop above something urgent"),
        pytest.param(mail("Stop\n\nSent from my iPhone"), [], True, id="from a telephone"),
        pytest.param(mail("Please stop sending me these mails, I do not want them"), None, True, id="a sentence"),
        pytest.param(mail("May I bring my dog?" + QUOTED), ["reply"], False, id="our own STOP at the foot"),
        pytest.param(mail("> Reply STOP to end.\n\nWhen do I come?"), ["reply"], False, id="our own STOP above"),
        pytest.param(mail("Thanks!" + QUOTED), [], False, id="thanks"),
        pytest.param(mail("Please call me"), ["call"], False, id="wants a call"),
        pytest.param(mail("HELP"), ["reply"], False, id="help, which no mail answers"),
        pytest.param(mail("1"), ["reply"], False, id="a digit answers nothing"),
        pytest.param(mail("", subject=""), ["reply"], False, id="nothing at all"),
        pytest.param(mail("parar por favor"), None, True, id="in another language"),
        pytest.param(mail("x" * 5000), ["reply"], False, id="endless"),
        pytest.param(mail("Robert'); DROP TABLE inbound;-- {{ 7*7 }}"), ["reply"], False, id="code"),
    ],
)
def test_what_a_mail_says_is_done_like_what_a_text_says(
    world: World, raw: bytes, opened: list[str] | None, stopped: bool
) -> None:
    for _ in range(2):
        assert hear(world, raw) == ("letter", 1)
    assert states(world) == (BOTH_STOPPED if stopped else BOTH_AGREED)
    if opened is not None:
        assert tasks(world) == opened
    with world.sessions() as session:
        row = session.scalars(select(InboundMessage)).one()
        assert (
            len(world.sessions.kw["info"]["vault"].open(row.body_sealed, "inbound.body", world.clinic_id, row.id))
            <= 1600
        )
        for task in session.scalars(select(Task)):
            assert (task.patient_id, task.inbound_id) == (world.patient_id, row.id)
            assert task.due_at == due_at(task.kind, world.now)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(mail("STOP, I can't breathe", Auto_Submitted="auto-replied"), id="RFC 3834"),
        pytest.param(mail("STOP", Precedence="bulk"), id="precedence"),
        pytest.param(mail("STOP", X_Autoreply="yes"), id="x-autoreply"),
        pytest.param(mail("STOP", Return_Path="<>"), id="no way back"),
        pytest.param(mail("STOP", List_Id="<a.list.example>"), id="a list"),
        pytest.param(mail("STOP", sender="nobody@home.example"), id="a mailbox that nobody has"),
        pytest.param(mail("STOP", sender="not an address"), id="no mailbox"),
        pytest.param(mail("STOP", sender="Ana@home"), id="half a mailbox"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_machines_and_strangers_are_passed_over(world: World, raw: bytes) -> None:
    assert hear(world, raw)[1] == 0
    assert states(world) == BOTH_AGREED
    with world.sessions() as session:
        assert [list(session.scalars(select(kind.id))) for kind in (Task, InboundMessage)] == [[], []]
        assert not session.scalars(select(Audit.seq)).all()


def test_an_absence_note_that_no_header_gives_away_is_kept_and_nobody_is_called(world: World) -> None:
    hear(world, mail("I am out of the office until Monday. This is an automatic reply."))
    assert tasks(world) == []
    with world.sessions() as session:
        assert session.scalars(select(InboundMessage.robot)).all() == [True]


def test_a_forged_mail_opens_nothing(world: World) -> None:
    """It agrees to nothing, takes no stop back, and brings no dead mailbox to life."""
    hear(world, mail("STOP"))
    with world.sessions.begin() as session:
        session.scalars(select(Address).where(Address.channel == "email")).one().unusable_at = world.now
    for body in ("START", "1", "yes", "I agree", "UNSTOP"):
        hear(world, mail(body))
        assert states(world) == BOTH_STOPPED
    with world.sessions() as session:
        assert session.scalars(select(Address).where(Address.channel == "email")).one().unusable_at == world.now
        assert not session.scalars(select(Message.id)).all()
    assert tasks(world) == ["reply"], "a person reads that somebody wants to begin again"


def test_every_clinics_patient_of_the_mailbox_is_stopped(world: World) -> None:
    with world.sessions.begin() as session:
        other = next(one for one in clinics.every(session) if one.id != world.clinic_id)
        theirs = patients.add(
            session, clinic_id=other.id, name="Ana Ruiz", locale="en", zone=other.zone, wording="neutral",
            now=world.now,
        )  # fmt: skip
        where, _ = patients.set_address(session, other.id, theirs, Channel.EMAIL, ANA, world.now)
    assert hear(world, mail("I feel dizzy")) == ("letter", 2)
    assert len(tasks(world)) == 2
    hear(world, mail("STOP"))
    with world.sessions() as session:
        assert may_contact(consents.ledger(session, where), world.now).state is State.OPTED_OUT
