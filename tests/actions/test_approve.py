"""What a clinic approved reaches its patients, and nothing else: the pump over a real database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from outreach.actions.approve import Reviewer, approve, withdraw
from outreach.actions.dispatch import drain
from outreach.actions.review import Changed, Read, State, review, stands
from outreach.actions.speak import UNAPPROVED, Speakers
from outreach.actions.watch import watch
from outreach.content import approvals as content
from outreach.content.compose import Words
from outreach.content.workbench import Workbench
from outreach.domain.approval import Text
from outreach.domain.channel import Channel
from outreach.domain.status import Status
from outreach.errors import BadInput, NotFound, Reason
from outreach.settings import ROOT
from outreach.store import alerts, approvals, clinics
from outreach.store.tables import Clinic
from outreach.store.traffic import Message
from outreach.store.vault import Vault
from tests.actions.world import World, make_world

KEY = "pre.tomorrow"
ANA = Reviewer("Ana Ruiz", "medical translator")


def reworded(words: Words, locale: str, change: Callable[[str], str], unit: str = "pre.tomorrow.sms") -> Words:
    """The same words, but for one unit."""
    voice = words.voices[locale]
    forms = {**voice.catalog.forms, unit: tuple(map(change, voice.catalog.forms[unit]))}
    catalog = replace(voice.catalog, forms=forms)
    return words.renewed({locale: type(voice)(voice.language, catalog, words.parts, words.units)})


def renewed(words: Words, locale: str = "es") -> Words:
    return reworded(words, locale, lambda text: text.replace("Dudas o retraso", "Preguntas"))


@pytest.fixture
def world(engine: Engine, vault: Vault, words: Words) -> World:
    made = make_world(engine, vault, words, "es")
    made.agree()
    return made


def take_back(world: World, *keys: str, locale: str = "es") -> None:
    with world.sessions.begin() as session:
        for key in keys or content.grouped(world.words):
            withdraw(session, world.clinic_id, locale, key, ANA, world.now)


def let(world: World, *keys: str, locale: str = "es") -> int:
    there = content.texts(world.words, locale)
    with world.sessions.begin() as session:
        return approve(session, world.clinic_id, [there[key] for key in keys], ANA, world.now)


def choose(world: World, rule: str) -> None:
    with world.sessions.begin() as session:
        session.execute(update(Clinic).where(Clinic.id == world.clinic_id).values(unapproved=rule))
        approvals.changed(session, world.clinic_id)


def send(world: World, step: str = KEY) -> str:
    """What the patient got; "" for nothing."""
    before = len(world.carrier.parcels)
    world.plan(step, revision=before)
    return pumped(world)


def pumped(world: World) -> str:
    """What goes out now."""
    before = len(world.carrier.parcels)
    drain(world.pump(), 5)
    return "".join(one.content.text for one in world.carrier.parcels[before:])


def kept(world: World) -> Text | None:
    """The words that the last message was said with."""
    with world.sessions() as session:
        said_id = session.scalar(select(Message.said_id).where(Message.said_id.is_not(None)).order_by(
            Message.sent_at.desc()).limit(1))  # fmt: skip
        return approvals.said(session, said_id) if said_id else None


def test_earlier_words_go_until_new_ones_are_approved_and_what_was_said_stays_readable(world: World) -> None:
    earlier = content.texts(world.words, "es")[KEY]
    world.words = renewed(world.words)
    assert "Dudas o retraso" in send(world)
    assert kept(world) == earlier
    let(world, KEY)
    world.now += timedelta(minutes=1)
    assert "Preguntas" in send(world)
    now = kept(world)
    assert now == content.texts(world.words, "es")[KEY]
    assert now
    assert now.digest != earlier.digest


def test_without_any_approval_a_message_waits_raises_an_alert_and_goes_once_its_words_are_approved(
    world: World,
) -> None:
    for rule in ("hold", "previous"):
        choose(world, rule)
        take_back(world, "hint")
        assert send(world) == ""
        assert world.states()[-1][1:] == (Status.SCHEDULED, Reason.UNAPPROVED)
        with world.sessions() as session:
            [raised] = [one for one in alerts.open_alerts(session, world.clinic_id) if one.kind == UNAPPROVED]
        assert raised.key == f"es/{KEY}"
        world.now += timedelta(minutes=5)
        assert let(world, "hint") == 1, "woken, though the alert names the message and not what goes with it"
        assert "mañana" in pumped(world)
        with world.sessions() as session:
            assert not any(one.kind == UNAPPROVED for one in alerts.open_alerts(session, world.clinic_id))
        world.now += timedelta(minutes=5)


def test_each_rule_says_what_is_sent_instead_and_consent_is_never_told_in_another_language(world: World) -> None:
    world.words = renewed(world.words)
    cases = [
        # rule, withdrawn altogether, step, a part of what is sent ("": it waits)
        ("default", False, KEY, "Dudas o retraso"),
        ("previous", False, KEY, "Dudas o retraso"),
        ("hold", False, KEY, ""),
        ("default", True, KEY, "Your infusion"),
        ("previous", True, KEY, ""),
        ("default", True, "consent.confirmed", ""),
    ]
    views = Speakers()
    for rule, withdrawn, step, part in cases:
        choose(world, rule)
        if withdrawn:
            take_back(world, KEY, "consent.confirmed")
        with world.sessions() as session:
            clinic = clinics.by_id(session, world.clinic_id)
            choice = views.view(session, clinic, world.words).choice(step, Channel.SMS, "es", "full")
        said = choice.words.voices[choice.locale].catalog.forms[f"{step}.sms"][0] if choice else ""
        right = part in said if part else not said
        assert right, (rule, withdrawn, step, said)


def test_the_clinics_own_language_comes_with_an_interpreters_line_in_the_patients(world: World) -> None:
    take_back(world, KEY)
    said = send(world)
    line = world.words.voices["es"].catalog.forms["hint.interpreter"][0].partition("%")[0].strip()
    assert "tomorrow" in said
    assert line in said
    told = kept(world)
    assert told
    assert told.locale == "en"


def test_another_clinics_approval_counts_for_nothing(world: World) -> None:
    take_back(world, KEY)
    choose(world, "hold")
    with world.sessions.begin() as session:
        other = clinics.add(session, slug="elm", name="Elm", zone="America/Chicago", country="US", locale="en",
                            phone="", address="", emergency="911")  # fmt: skip
        approve(session, other.id, [content.texts(world.words, "es")[KEY]], ANA, world.now)
    assert send(world) == ""


def test_earlier_words_that_no_longer_fit_the_template_are_not_sent(world: World) -> None:
    words = world.words
    voice, text = words.voices["es"], words.units["pre.tomorrow.sms"]
    unit = replace(text, text=text.text.replace("%(day)s", "%(old_day)s"))
    world.words = Words(words.parts, {**words.units, unit.key: unit}, {**words.voices, "es": voice})
    with world.sessions() as session:
        clinic = clinics.by_id(session, world.clinic_id)
        assert Speakers().view(session, clinic, world.words).state("es", KEY) == ""


def test_approving_asks_for_a_name_for_the_words_that_were_read_and_for_words_without_errors(world: World) -> None:
    bench = Workbench(ROOT)
    broken = reworded(world.words, "es", lambda text: text.replace("%(time)s", "10:00"))
    cases: list[tuple[Words, Reviewer, str, str, type[Exception]]] = [
        (world.words, Reviewer("", "nurse"), KEY, "", BadInput),
        (world.words, Reviewer("Ana", " "), KEY, "", BadInput),
        (world.words, Reviewer("nobody", "none", basis="demo"), KEY, "", BadInput),
        (world.words, ANA, KEY, "00" * 32, Changed),
        (world.words, ANA, "nothing", "", NotFound),
        (broken, ANA, KEY, "", BadInput),
    ]
    take_back(world, KEY)
    for words, by, key, digest, error in cases:
        one = content.texts(words, "es").get(key)
        read = Read("es", key, digest or (one.digest.hex() if one else ""))
        with pytest.raises(error), world.sessions.begin() as session:
            review(session, world.clinic_id, False, words, bench, [read], by, world.now)
    with world.sessions() as session:
        clinic = clinics.by_id(session, world.clinic_id)
        spoken = Speakers().view(session, clinic, world.words)
        [stand] = stands(session, clinic.id, spoken, bench, [content.texts(world.words, "es")[KEY]])
    assert (stand.state, stand.decision and stand.decision.approved) == (State.WITHDRAWN, False)


def test_an_approval_that_a_claim_overtook_is_found_within_minutes_and_its_alert_is_taken_back(world: World) -> None:
    choose(world, "hold")
    take_back(world, KEY)
    assert send(world) == ""
    with world.sessions.begin() as session:  # it commits before the claim does, and finds neither message nor alert
        one = content.texts(world.words, "es")[KEY]
        said_id = approvals.keep(session, [one], world.now)[one.digest]
        approvals.decide(session, world.clinic_id, [said_id], approved=True, reviewer="Ana", role="nurse",
                         basis="named", staff_id=None, now=world.now)  # fmt: skip
    for minutes, lacking in ((1, [f"es/{KEY}"]), (2, [])):
        world.now += timedelta(minutes=1)
        assert bool(pumped(world)) == (not lacking), minutes
        with world.sessions.begin() as session:
            watch(session, world.now)
            found = [one.key for one in alerts.open_alerts(session, world.clinic_id) if one.kind == UNAPPROVED]
        assert found == lacking, minutes
