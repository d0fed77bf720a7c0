"""The language of the console: staff's own, and the browser's before anybody has signed in."""

from __future__ import annotations

import pytest

from outreach.errors import say
from outreach.web.tongue import Tongue, asked_for, offered, tongue

SPANISH = Tongue(
    "es",
    {
        ("", "Today"): ("Hoy",),
        ("", "%(n)s row"): ("%(n)s fila", "%(n)s filas"),
        ("", "Only: %(what)s"): ("Solo: %(what)s",),
    },
)


@pytest.mark.parametrize(
    ("accepted", "locale"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("en;q=0.5,es;q=0.9", "es"),
        ("es;q=0, en", "en"),
        ("xx,*;q=0.1", "en"),
        ("es;q=nonsense", "en"),
        ("ES-ar", "es"),
        (";;;,,q=", "en"),
    ],
    ids=[
        "none",
        "plain",
        "regional",
        "English first",
        "by weight",
        "not wanted",
        "unknown",
        "garbled",
        "capitals",
        "noise",
    ],
)
def test_a_browser_gets_the_first_of_its_languages_that_there_is(accepted: str, locale: str) -> None:
    assert asked_for(accepted) == locale


def test_english_is_always_there_and_first() -> None:
    assert offered()[0] == "en"
    assert tongue("en").gettext("Today") == "Today"
    assert tongue("xx").locale == "en"


def test_what_has_no_translation_is_said_in_english() -> None:
    assert SPANISH.gettext("Nobody has translated this.") == "Nobody has translated this."
    assert SPANISH.ngettext("%(n)s visit", "%(n)s visits", 2) == "%(n)s visits"


def test_a_sentence_is_translated_with_its_values_and_theirs() -> None:
    assert SPANISH.gettext(say("Only: %(what)s", what=say("Today"))) == "Solo: Hoy"
    assert str(say("Only: %(what)s", what=say("Today"))) == "Only: Today"


def test_plurals_follow_the_language() -> None:
    assert [SPANISH.ngettext("%(n)s row", "%(n)s rows", n) for n in (1, 2)] == ["%(n)s fila", "%(n)s filas"]
