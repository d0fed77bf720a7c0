"""The whole conversation of a patient, in each language, by the real webhook and the real pump."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from outreach.actions.dispatch import drain
from outreach.actions.enrol import Enrol, NewVisit, enrol
from outreach.domain.channel import Channel
from outreach.domain.consent import ConsentKind, State, may_contact
from outreach.providers.memory import MemoryProvider
from outreach.store import consents, inbox
from outreach.store.office import Audit, Task
from outreach.store.tables import Address, Clinic, Patient
from outreach.store.traffic import InboundMessage, Message, Sender
from tests import shipped
from tests.web.house import NOW, House, add_clinic

LOCALES = shipped.words().locales
PHONE = "+12025550143"
HERE = "+12025550110"
VISIT = datetime(2026, 12, 15, 10)


@pytest.fixture
def locales() -> tuple[str, ...]:
    return ()  # all of them


@dataclass
class Talk:
    """A phone that writes to the clinic through the webhook, and reads what the carrier was given."""

    house: House
    carrier: MemoryProvider = field(default_factory=MemoryProvider)
    number: str = PHONE
    now: datetime = NOW

    def __post_init__(self) -> None:
        out = self.house.out
        providers, days_ahead = {**out.providers, "memory": self.carrier}, {"clock": "database"}
        settings = out.settings.model_copy(update=days_ahead)  # else the pump believes no clock that runs ahead
        self.house = replace(
            self.house, out=replace(out, providers=providers, settings=settings, clock=lambda: self.now)
        )
        with self.house.out.sessions.begin() as session:
            session.execute(update(Sender).where(Sender.channel == "sms").values(carrier="memory"))

    def enrol(self, locale: str = "en", name: str = "Ana Sample", number: str = PHONE) -> object:
        with self.house.out.sessions.begin() as session:
            form = Enrol(
                self.house.clinic_id, name, locale, (NewVisit(VISIT, 40),), phone=number, zone="America/Chicago"
            )
            return enrol(session, form, next(iter(self.house.out.sequences.values())), self.now).patient_id

    def heard(self) -> list[str]:
        """What the pump hands over now, as texts."""
        before = len(self.carrier.parcels)
        drain(self.house.out.pump(), 10)
        return [parcel.content.text for parcel in self.carrier.parcels[before:] if parcel.to == self.number]

    def say(self, text: str, sid: str = "", **fields: str) -> list[str]:
        """Write, a minute later; what comes back by the pump."""
        self.now += timedelta(minutes=1)
        self.post(text, sid, **fields)
        return self.heard()

    def post(self, text: str, sid: str = "", **fields: str) -> str:
        form = {"MessageSid": sid or f"SM{uuid4().hex}", "From": self.number, "To": HERE, "Body": text, **fields}
        answer = self.house.hook("/hooks/twilio/inbound", form)
        assert answer.status_code in (200, 204)
        return str(answer.text)

    def steps(self) -> list[str]:
        """Every step that has left, oldest first."""
        with self.house.out.sessions() as session:
            sent = Message.sent_at.is_not(None)
            return list(session.scalars(select(Message.step).where(sent).order_by(Message.sent_at, Message.due_at)))

    def until(self, step: str) -> list[str]:
        """Let the clock run until this planned message is due; what arrives then."""
        with self.house.out.sessions() as session:
            due = session.scalar(select(Message.due_at).where(Message.step == step).order_by(Message.due_at).limit(1))
        assert due is not None
        self.now = due + timedelta(seconds=1)
        return self.heard()

    def state(self) -> State:
        with self.house.out.sessions() as session:
            [person] = inbox.senders(session, self.house.clinic_id, Channel.SMS, self.number)
            return may_contact(consents.ledger(session, person.address_id), self.now + timedelta(seconds=1)).state

    def tasks(self) -> list[str]:
        with self.house.out.sessions() as session:
            return list(session.scalars(select(Task.kind).order_by(Task.opened_at, Task.kind)))

    def inbound(self) -> Sequence[InboundMessage]:
        with self.house.out.sessions() as session:
            return session.scalars(select(InboundMessage).order_by(InboundMessage.received_at)).all()

    def count(self, table: type) -> int:
        with self.house.out.sessions() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def talk(house: House) -> Talk:
    return Talk(house)


@pytest.fixture
def agreed(talk: Talk) -> Talk:
    """A patient who has agreed, and was told so."""
    talk.enrol()
    talk.heard()
    talk.say("1")
    return talk


# Stop and help as a patient of each language would write them, and not as our texts ask for them.
OWN_WORDS = {
    "en": ("please stop", "HELP"), "es": ("ALTO", "ayuda"), "ar": ("إيقاف", "مساعدة"), "fa": ("توقف", "کمک"),
    "fil": ("ITIGIL", "tulong"), "fr": ("ARRÊT", "aide"), "ht": ("KANPE", "èd"), "ko": ("중지", "도움"),
    "pt_BR": ("PARAR", "ajuda"), "ru": ("СТОП", "помощь"), "vi": ("ngừng nhắn tin", "trợ giúp"),
    "zh_Hans": ("停止", "帮助"), "zh_Hant": ("停止", "幫助"),
}  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
def test_the_whole_conversation(talk: Talk, locale: str) -> None:
    stop, need = OWN_WORDS[locale]
    talk.enrol(locale)
    assert len(talk.heard()) == 1, "asked"
    assert talk.state() is State.ASKED
    assert len(talk.say("1", "SM-yes")) == 1, "confirmed"
    assert talk.state() is State.AGREED
    assert talk.until("pre.the_day"), "the question"
    assert len(talk.say("1", "SM-coming")) == 1
    assert len(talk.say(stop, "SM-stop")) == 1
    assert talk.state() is State.OPTED_OUT
    assert talk.say("STOP") == [], "confirmed once"
    assert len(talk.say(need, "SM-help")) == 1, "HELP is owed to everybody"
    assert len(talk.say("START", "SM-start")) == 1
    assert talk.state() is State.AGREED
    steps = talk.steps()
    answers = [step for step in steps if step.startswith(("reply.", "consent."))]
    assert answers == ["consent.request", "consent.confirmed", "reply.coming", "reply.stopped", "reply.help",
                       "reply.restarted"]  # fmt: skip
    with talk.house.out.sessions() as session:
        said = select(Message.locale).where(Message.sent_at.is_not(None)).distinct()
        assert session.scalars(said).all() == [locale]
    for text, sid in (("START", "SM-start"), (need, "SM-help"), ("1", "SM-yes"), (stop, "SM-stop")):
        assert talk.say(text, sid) == [], "a replay of any of it changes nothing"
    assert talk.state() is State.AGREED
    assert talk.tasks() == []
    assert talk.steps() == steps


@pytest.mark.parametrize(("locale", "word", "heard"), [
    ("en", "parar", "es"), ("es", "STOP", "es"), ("en", "стоп", "ru"), ("fa", "توقف", "fa"), ("ar", "توقف", "ar"),
    ("ko", "please stop", "ko"), ("en", "停止", "zh_Hans"), ("zh_Hant", "停止", "zh_Hant"), ("en", "اردو بند", "en"),
])  # fmt: skip
def test_a_stop_is_confirmed_in_the_language_of_its_word(talk: Talk, locale: str, word: str, heard: str) -> None:
    talk.enrol(locale)
    talk.heard()
    talk.say(word)
    with talk.house.out.sessions() as session:
        said = select(Message.locale).where(Message.step.like("reply.%"))
        assert session.scalars(said).all() == [heard]


def test_the_same_webhook_five_times_is_one_message(agreed: Talk) -> None:
    answers = [agreed.say("2 what is this", "SM-once") for _ in range(5)]
    assert [len(one) for one in answers] == [1, 0, 0, 0, 0]
    assert agreed.tasks() == ["reply"]
    assert len(agreed.inbound()) == 2


def test_a_start_that_is_older_than_the_stop_does_nothing(agreed: Talk) -> None:
    early = agreed.now
    agreed.say("STOP")
    late, agreed.now = agreed.now, early - timedelta(seconds=30)
    agreed.post("START")
    agreed.now = late + timedelta(minutes=1)
    assert agreed.heard() == []
    assert agreed.state() is State.OPTED_OUT


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        pytest.param(ConsentKind.OPTED_OUT, [], id="stopped"),
        pytest.param(ConsentKind.REVOKED_BY_STAFF, [], id="revoked by staff"),
        pytest.param(ConsentKind.REVOKED_BY_CARRIER, [], id="revoked by the carrier"),
        pytest.param(ConsentKind.ADDRESS_CHANGED, ["reply.received"], id="another address"),
    ],
)
def test_a_one_to_a_request_from_before_consent_was_taken_away_is_for_a_person(
    agreed: Talk, kind: ConsentKind, answers: list[str]
) -> None:
    before = agreed.steps()
    agreed.now += timedelta(minutes=1)
    with agreed.house.out.sessions.begin() as session:
        [person] = inbox.senders(session, agreed.house.clinic_id, Channel.SMS, PHONE)
        consents.add(
            session, clinic_id=agreed.house.clinic_id, patient_id=person.patient_id, address_id=person.address_id,
            channel=Channel.SMS, kind=kind, method="staff", actor="desk", at=agreed.now, evidence="a call",
        )  # fmt: skip
    agreed.say("1")
    assert agreed.state() is not State.AGREED
    assert (agreed.tasks(), agreed.steps()[len(before) :]) == (["reply"], answers)


@pytest.mark.parametrize(("days", "counts"), [(29, True), (30, False)])
def test_a_request_is_answered_within_thirty_days(talk: Talk, days: int, counts: bool) -> None:
    talk.enrol()
    talk.heard()
    talk.now += timedelta(days=days)
    talk.post("1")
    assert talk.state() is (State.AGREED if counts else State.ASKED)
    assert talk.tasks() == ([] if counts else ["reply"])


def test_a_start_before_any_agreement_makes_none_and_is_read_by_a_person(talk: Talk) -> None:
    talk.enrol()
    talk.heard()
    assert talk.say("START") == []
    assert (talk.state(), talk.tasks()) == (State.ASKED, ["reply"])


def test_what_changes_between_one_and_two_is_seen_by_a_person(agreed: Talk) -> None:
    agreed.until("pre.the_day")
    for digit in ("1", "1", "2", "2", "1"):
        agreed.say(digit)
    assert [step for step in agreed.steps() if step.startswith("reply.")] == [
        "reply.coming", "reply.change", "reply.coming",
    ]  # fmt: skip
    assert agreed.tasks() == ["change", "reply"]
    assert [row.answer for row in agreed.inbound()] == ["1", "1", "1", "2", "2", "1"]


def test_a_check_in_is_answered_and_calls_somebody(agreed: Talk) -> None:
    agreed.until("post.check_in")
    agreed.say("2")
    agreed.say("still there, thank you")
    assert "reply.still" in agreed.steps()
    assert agreed.tasks()[0] == "call"


def test_an_answer_to_a_visit_that_is_over_goes_to_a_person(agreed: Talk) -> None:
    agreed.until("pre.the_day")
    agreed.now += timedelta(days=5)
    agreed.say("1")
    assert agreed.tasks() == ["reply"]
    assert "reply.coming" not in agreed.steps()


def test_what_is_urgent_is_answered_at_night_and_after_a_stop(agreed: Talk) -> None:
    agreed.say("STOP")
    agreed.now = agreed.now.replace(hour=8)  # two at night in Chicago
    agreed.now += timedelta(days=1)
    [text] = agreed.say("no puedo respirar")
    assert "911" in text
    assert agreed.tasks() == ["urgent"]
    assert agreed.inbound()[-1].urgent == ["breathing"]


@pytest.mark.parametrize("old", [pytest.param(False, id="inactive"), pytest.param(True, id="a number from before")])
def test_who_writes_is_answered_also_when_inactive_or_from_a_number_from_before(agreed: Talk, old: bool) -> None:
    with agreed.house.out.sessions.begin() as session:
        session.execute(update(Address).values(active=False) if old else update(Patient).values(active=False))
    agreed.say("I want to kill myself")
    agreed.say("HELP")
    agreed.say("STOP")
    assert agreed.steps()[-3:] == ["reply.urgent", "reply.help", "reply.stopped"]


def test_no_answer_goes_to_a_number_that_does_not_work(agreed: Talk) -> None:
    agreed.now += timedelta(minutes=1)
    agreed.post("HELP")
    with agreed.house.out.sessions.begin() as session:
        session.execute(update(Address).values(unusable_at=agreed.now))
    assert agreed.heard() == []


def test_one_stop_on_a_shared_phone_stops_both_and_says_so(talk: Talk) -> None:
    for name in ("Ana Sample", "Ben Sample"):
        talk.enrol(name=name)
    talk.heard()
    talk.say("STOP")
    assert talk.steps()[-1] == "reply.stopped_all"
    assert talk.tasks() == ["shared"]
    talk.say("STOP")
    talk.say("START")
    assert talk.tasks() == ["shared", "reply"], "nobody had agreed: START gives nothing back"


def test_a_digit_that_two_may_have_meant_goes_to_a_person(talk: Talk) -> None:
    for name in ("Ana Sample", "Ben Sample"):
        talk.enrol(name=name)
    assert len(talk.heard()) == 2
    talk.say("1")
    assert talk.tasks() == ["shared"]
    assert talk.steps()[-1] == "reply.received"
    with talk.house.out.sessions() as session:
        assert session.scalars(select(Message.id).where(Message.step == "consent.confirmed")).all() == []


@pytest.mark.parametrize("before", ["", "Fwd: ", "Liked “"])
def test_a_copy_of_our_own_text_stops_nobody_and_is_not_answered(agreed: Talk, before: str) -> None:
    for parcel in list(agreed.carrier.parcels):
        assert "STOP" in parcel.content.text
        assert agreed.say(before + parcel.content.text) == []
    assert agreed.state() is State.AGREED
    assert agreed.tasks() == ["reply"], "shown once"
    assert all(row.robot for row in agreed.inbound()[1:])


def test_a_stop_beside_a_copy_of_our_text_stops(agreed: Talk) -> None:
    assert agreed.say(agreed.carrier.parcels[-1].content.text + "\nSTOP") == []
    assert agreed.state() is State.OPTED_OUT


def test_a_machine_that_answers_every_text_gets_none(agreed: Talk) -> None:
    for _ in range(4):
        assert agreed.say("Automatic reply: I am out of the office.") == []
    assert agreed.tasks() == ["reply"]


def test_more_messages_than_a_person_sends_are_not_answered(agreed: Talk) -> None:
    for number in range(12):
        agreed.post(f"HELP{'!' * number}")
    assert len(agreed.heard()) == 1, "HELP is answered once in ten minutes"
    agreed.now += timedelta(minutes=61)
    assert len(agreed.say("HELP")) == 1, "somebody who was a machine's prisoner is answered again"


STRANGE = [
    pytest.param("", {}, id="nothing"),
    pytest.param("", {"NumMedia": "1"}, id="only an image"),
    pytest.param("?", {"NumMedia": "many"}, id="a count that is none"),
    pytest.param("🦜🦜🦜", {}, id="only emoji"),
    pytest.param("ab " * 533 + "a", {}, id="1,600 characters"),
    pytest.param("привет hola 你好 مرحبا שלום ok?", {}, id="mixed scripts"),
    pytest.param("'; drop table patient; -- \" or 1=1", {}, id="SQL"),
    pytest.param("{{ 7*7 }} {% raw %} ${x} %s %(name)s <b>", {}, id="template syntax"),
    pytest.param("a\x00b\u202e\ud7ff\ufffe", {}, id="control characters"),
]


@pytest.mark.parametrize(("text", "fields"), STRANGE)
def test_whatever_comes_is_kept_and_read_by_a_person(agreed: Talk, text: str, fields: dict[str, str]) -> None:
    [answer] = agreed.say(text, **fields)
    assert "{" not in answer
    assert agreed.tasks() == ["reply"]
    assert agreed.steps()[-1] == "reply.received"
    with agreed.house.out.sessions() as session:
        row = agreed.inbound()[-1]
        assert row.patient_id
        assert inbox.heard_from(session, row.clinic_id, row.patient_id)[-1].body == text


@pytest.mark.parametrize("sender", ["72345", "PHARMACY", "+12025550100x", "12025550199", "Ünïcode", "+"])
def test_a_sender_that_is_no_number_is_kept_and_not_answered(talk: Talk, sender: str) -> None:
    said = talk.post("Your parcel is here", From=sender)
    assert ("<Message>" in said) == sender.startswith("+")
    assert talk.tasks() == ["reply"]


def test_a_stranger_is_told_once_who_we_are_by_the_webhook_itself(talk: Talk) -> None:
    said = talk.post("who is this", "SM-first")
    assert "<Response><Message>North Clinic: " in said
    assert talk.post("who is this", "SM-first") == "", "a replay"
    assert talk.post("and again?") == ""
    assert talk.post("HELP") == ""
    assert talk.tasks() == ["reply"]
    talk.now += timedelta(days=31)
    assert "<Message>" in talk.post("HELP")
    assert "<Message>" in talk.post("chest pain"), "urgent is always answered"
    assert "urgent" in talk.tasks()
    assert talk.heard() == []
    assert talk.count(Message) == 0


def test_what_strangers_write_is_in_the_audit_with_the_answer_and_without_words_or_number(talk: Talk) -> None:
    for body in ("who is this", "and again?", "STOP", "chest pain"):
        talk.post(body)
    with talk.house.out.sessions() as session:
        rows = session.scalars(select(Audit).where(Audit.action == "stranger.wrote").order_by(Audit.seq)).all()
    assert [(one.detail["taken_for"], one.detail["answer"]) for one in rows] == [
        ("help", "reply.help"), ("other", ""), ("stop", ""), ("urgent", "reply.urgent"),
    ]  # fmt: skip
    kept = str([(one.detail, one.subject_id, one.actor_id) for one in rows])
    assert not any(word in kept for word in ("chest", "who is", "+1"))


def test_a_stranger_is_answered_in_the_language_of_the_word(talk: Talk) -> None:
    assert "Responda STOP" in talk.post("ayuda")


def test_a_strangers_stop_is_remembered_when_the_number_is_enrolled(talk: Talk) -> None:
    assert talk.post("STOP") == ""
    talk.now += timedelta(days=90)
    talk.enrol()
    assert talk.heard() == []
    assert talk.count(Message) > 0
    assert "consent.request" not in talk.steps()


def test_a_stranger_who_said_start_again_is_asked(talk: Talk) -> None:
    for text in ("STOP", "START"):
        talk.now += timedelta(minutes=1)
        talk.post(text)
    talk.enrol()
    assert len(talk.heard()) == 1


@pytest.mark.parametrize(("mode", "fields", "text", "answered"), [
    ("none", {}, "STOP", True),
    ("stop_help", {}, "STOP", False),
    ("stop_help", {}, "alto", True),
    ("stop_help", {}, "HELP", False),
    ("toll_free", {}, "STOP", False),
    ("toll_free", {}, "HELP", True),
    ("advanced", {"OptOutType": "STOP"}, "alto", False),
    ("advanced", {"OptOutType": "HELP"}, "ayuda", False),
    ("advanced", {}, "alto", True),
    ("none", {"OptOutType": "STOP"}, "BASTA YA", False),
])  # fmt: skip
def test_what_the_carrier_answers_we_do_not(
    agreed: Talk, mode: str, fields: dict[str, str], text: str, answered: bool
) -> None:
    with agreed.house.out.sessions.begin() as session:
        session.execute(update(Clinic).values(carrier_answers=mode))
    assert bool(agreed.say(text, **fields)) is answered
    stops = fields.get("OptOutType", "STOP") == "STOP" and text != "HELP"
    assert agreed.state() is (State.OPTED_OUT if stops else State.AGREED)


def test_every_message_of_a_patient_is_in_the_audit_without_its_words(agreed: Talk) -> None:
    agreed.say("my neighbour Zebulon is ill")
    with agreed.house.out.sessions() as session:
        rows = session.scalars(select(Audit).where(Audit.action == "patient.wrote").order_by(Audit.seq)).all()
    assert [row.detail["taken_for"] for row in rows] == ["answer", "other"]
    assert "Zebulon" not in str([row.detail for row in rows])


def test_another_clinics_patient_is_a_stranger_here(talk: Talk) -> None:
    other = add_clinic(talk.house.out, "south", "+12025550111")
    talk.house.patient(clinic_id=other)
    assert "<Message>" in talk.post("hello, is this the clinic")
    assert [row.patient_id for row in talk.inbound()] == [None]
    assert talk.inbound()[0].clinic_id == talk.house.clinic_id
