"""A clinic's view of the words: what it may say, in which language, and which languages it may offer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from outreach.content import interpreters
from outreach.content.compose import Values
from outreach.content.formats import phone
from outreach.content.spoken import FOR_STAFF, Kept, Spoken, current
from outreach.domain.approval import Unapproved, Unit
from outreach.domain.channel import Channel
from outreach.errors import BadInput
from tests import shipped

KEY = "pre.tomorrow"
CALL = "+12025550100"


def view(rule: Unapproved, *, without: Callable[[Kept], bool] = lambda _: False, more: tuple[Kept, ...] = ()) -> Spoken:
    """What a clinic may say that has approved everything but some texts."""
    words = shipped.words()
    kept = [Kept(number, one.locale, one.key) for number, one in enumerate(current(words).values(), 1)]
    return Spoken(words, [*(one for one in kept if not without(one)), *more], "en", rule)


def spanish(one: Kept) -> bool:
    return (one.locale, one.key) == ("es", KEY)


def earlier(key: str = KEY) -> Kept:
    """Words of before, each with a mark."""
    [text] = [one for one in current(shipped.words(), ["es"]).values() if one.key == key]
    return Kept(
        999,
        "es",
        key,
        tuple(unit._replace(forms=tuple("antes " + f for f in unit.forms)) for unit in text.units),
        text.frame,
    )


def test_what_is_approved_is_said_as_it_stands_and_the_message_remembers_the_row() -> None:
    spoken = view(Unapproved.HOLD)
    choice = spoken.choice(KEY, Channel.SMS, "es", "full")
    assert choice
    assert (choice.locale, choice.interpreter) == ("es", "")
    assert choice.words is shipped.words()
    assert spoken.choice(KEY, Channel.SMS, "es", "full") is choice
    assert set(spoken.offered) == set(shipped.words().voices)


def test_earlier_words_stand_in_unless_the_clinic_holds() -> None:
    for rule, state in ((Unapproved.DEFAULT, "previous"), (Unapproved.PREVIOUS, "previous"), (Unapproved.HOLD, "")):
        spoken = view(rule, without=spanish, more=(earlier(),))
        assert spoken.state("es", KEY) == state
        choice = spoken.choice(KEY, Channel.SMS, "es", "full")
        assert (choice.said_id if choice else None) == (999 if state else None)
        if choice:
            said = choice.words.voices["es"].catalog.forms
            assert said["pre.tomorrow.sms"][0].startswith("antes ")
            assert not said["visit.moved.sms"][0].startswith("antes "), "one text, and no other"
    assert not shipped.words().voices["es"].catalog.forms["pre.tomorrow.sms"][0].startswith("antes "), "nor anybody's"


def test_what_goes_with_a_message_must_be_approved_too() -> None:
    for lacking, channel, wording, goes in (
        ("hint", Channel.SMS, "full", False), ("layouts", Channel.SMS, "full", True),
        ("layouts", Channel.EMAIL, "full", False), ("neutral", Channel.SMS, "full", True),
        ("neutral", Channel.SMS, "neutral", False), ("page", Channel.SMS, "full", True),
    ):  # fmt: skip
        spoken = view(Unapproved.PREVIOUS, without=lambda one, key=lacking: (one.locale, one.key) == ("es", key))  # type: ignore[misc]
        found = spoken.choice("pre.what_to_expect", channel, "es", wording)  # type: ignore[arg-type]
        assert (found is not None) is goes, (lacking, channel, wording)
        assert spoken.lacking("es") == (lacking,)
        assert "es" not in spoken.offered
        with pytest.raises(BadInput):
            spoken.resolve("es-MX")


def test_texts_for_staff_do_not_keep_a_language_from_being_offered() -> None:
    assert "es" in view(Unapproved.HOLD, without=lambda one: one.locale == "es" and one.key in FOR_STAFF).offered


def test_instead_of_a_language_the_clinics_own_is_said_with_a_line_in_the_readers() -> None:
    spoken = view(Unapproved.DEFAULT, without=spanish)
    choice = spoken.choice(KEY, Channel.SMS, "es", "full")
    assert choice
    assert (choice.locale, choice.interpreter) == ("en", "es")
    nothing = view(Unapproved.DEFAULT, without=lambda one: one.locale == "es").choice(KEY, Channel.SMS, "es", "full")
    assert nothing
    assert (nothing.locale, nothing.interpreter) == ("en", "en"), "the line itself is not approved"
    assert spoken.choice("consent.request", Channel.SMS, "es", "full")
    asked = view(Unapproved.DEFAULT, without=lambda one: one.key == "consent.request" and one.locale == "es")
    assert asked.choice("consent.request", Channel.SMS, "es", "full") is None


def test_earlier_words_of_another_shape_are_not_said() -> None:
    before = earlier()
    for other in (before.units[1:], (before.units[0]._replace(names=("nonsense",)), *before.units[1:])):
        spoken = view(Unapproved.DEFAULT, without=spanish, more=(before._replace(units=other),))
        assert spoken.state("es", KEY) == ""


def test_there_is_no_such_message() -> None:
    with pytest.raises(BadInput):
        view(Unapproved.HOLD).choice("pre.nothing", Channel.SMS, "es", "full")


def test_own_instructions_are_told_in_the_readers_language_else_in_the_clinics() -> None:
    def own(number: int, locale: str, topic: str, words: str, home: str) -> Kept:
        return Kept(number, locale, f"own.{topic}", (Unit(f"own.{topic}", home, "", (words,)),))

    for rule in Unapproved:
        said = view(rule, more=(
            own(7, "en", "food", "Eat early.", "Eat early."), own(8, "es", "food", "Coma temprano.", "Eat early."),
            own(9, "en", "arrival", "Come.", "Come."), own(10, "es", "arrival", "Venga ya.", "Come now."),
            own(11, "es", "other", "Traiga agua.", "Bring water."),
        ))  # fmt: skip
        assert said.instructions("es", CALL, ("food",)) == "Coma temprano."
        assert said.instructions("fr", CALL, ("food",)) == f"{offer('fr')}\nEat early."
        assert said.instructions("en", CALL, ("food",)) == "Eat early."
        stale = said.instructions("es", CALL, ("arrival",))
        assert stale == f"{offer('es')}\nCome.", "a translation of what is not approved is stale"
        assert said.instructions("es", CALL, ("other", "escort")) == "", "the clinic no longer says it"
        both = said.instructions("es", CALL, ("food", "arrival"))
        assert both == f"Coma temprano.\n{offer('es')}\nCome.", "the line stands before what is in another language"


def test_a_line_about_an_interpreter_is_approved_words_too_and_each_line_runs_its_own_way() -> None:
    own = (Kept(7, "en", "own.food", (Unit("own.food", "Eat early.", "", ("Eat early.",)),)),
           Kept(8, "en", "own.other", (Unit("own.other", "Ask Ana.", "", ("Ask Ana.",)),)))  # fmt: skip
    without = view(Unapproved.HOLD, without=lambda one: (one.locale, one.key) == ("ar", "hint"), more=own)
    assert without.instructions("ar", CALL) == f"{offer('en')}\nEat early.\nAsk Ana.", "once, and in words approved"
    neither = view(Unapproved.HOLD, without=lambda one: one.key == "hint", more=own)
    assert neither.instructions("ar", CALL) == "Eat early.\nAsk Ana."
    arabic = view(Unapproved.HOLD, more=own).instructions("ar", CALL)
    values = shipped_values(instructions=arabic)
    html = shipped.words().page("pre.tomorrow", "ar", "full", values)
    assert '<p><bdi dir="ltr">Eat early.</bdi></p>' in html
    assert f'<bdi dir="ltr">{phone(CALL)}</bdi>' in html
    assert "Eat early." in shipped.words().page("pre.tomorrow", "es", "full", shipped_values(instructions=arabic))


def offer(locale: str) -> str:
    return interpreters.offer(shipped.words().voices[locale], CALL)


def shipped_values(instructions: str) -> Values:
    return Values(
        "North", CALL, "America/New_York", visit_start=datetime(2026, 5, 12, 13, 30, tzinfo=UTC), visit_minutes=60,
        link="https://example.org/p/x", clinic_address="1 Sample Street", instructions=instructions,
    )  # fmt: skip
