"""A clinic's view of the words: what it may say, in which language, and which languages it may offer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from outreach.content.spoken import FOR_STAFF, Kept, Spoken, current
from outreach.domain.approval import Unapproved, Unit
from outreach.domain.channel import Channel
from outreach.errors import BadInput
from tests import shipped

KEY = "pre.tomorrow"


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
        assert said.instructions("es", ("food",)) == "Coma temprano."
        assert said.instructions("fr", ("food",)) == "Eat early."
        assert said.instructions("es", ("arrival",)) == "Come.", "a translation of what is not approved is stale"
        assert said.instructions("es", ("other", "escort")) == "", "the clinic no longer says it"
        assert said.instructions("es", ("arrival", "food")) == "Come.\nComa temprano."
