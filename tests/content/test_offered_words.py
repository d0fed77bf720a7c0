"""No message asks for a word that means stop, start, help or yes in any language, except STOP, START and HELP.

What looks as if one was to type it is looked at: a word in capitals, or in quotation marks. A translator who asks for a
plain word in a script without capitals is not caught here; the style sheets ask for the three words as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from outreach.content.compose import Words
from outreach.domain.folding import fold
from tests import shipped

REPLIES = shipped.replies()
MEANING = {
    word.folded: f"{word.kind} ({word.locale})"
    for kind in ("stop", "start", "help", "yes")
    for word in REPLIES.of(kind)
    if word.folded and "*" not in word.text and "~" not in word.text
}
OURS = {"STOP", "START", "HELP"}
QUOTED = re.compile(r"[“„«‹「『\"]\s*([^”“»›」』\"]{1,30}?)\s*[”“»›」』\"]")
# Two letters at least, all of them capitals: how a word to be typed is written where there are capitals.
CAPITALS = re.compile(r"(?<!\w)[^\W\d_]{2,}(?:[-’'][^\W\d_]+)*(?!\w)")
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def offered(text: str) -> Iterator[str]:
    """The words of a text that look as if one was to type them: in capitals, or in quotation marks."""
    bare = PLACEHOLDER.sub(" ", text)
    yield from QUOTED.findall(bare)
    for word in CAPITALS.findall(bare):
        if word.isupper() or (word.upper() == word and word.lower() != word):
            yield word


def misleading(text: str) -> list[str]:
    return [
        f"{word} means {MEANING[fold(word)]}" for word in offered(text) if word not in OURS and fold(word) in MEANING
    ]


def units(words: Words, locale: str) -> Iterator[tuple[str, str]]:
    for key, forms in words.voices[locale].catalog.forms.items():
        yield from ((key, form) for form in forms)


@pytest.fixture(scope="module")
def locales(words: Words) -> tuple[str, ...]:
    return words.locales


def test_no_text_in_any_language_offers_a_word_with_another_meaning(words: Words, locales: tuple[str, ...]) -> None:
    assert len(locales) == 13
    found = [(locale, key, *wrong) for locale in locales for key, form in units(words, locale)
             if (wrong := misleading(form))]  # fmt: skip
    assert found == []


@pytest.mark.parametrize(("text", "wrong"), [
    ("Reply STOP to end, HELP for help.", 0),
    ("Reply YES to agree.", 1),
    ("Reply CANCEL to cancel the visit.", 1),
    ("Responda ALTO para terminar.", 1),
    ("Ответьте «стоп».", 1),
    ("Ответьте СТОП.", 1),
    ("回复「取消」", 1),
    ("أرسل «إيقاف»", 1),
    ("Reply 1 to agree.", 0),
    ("Please cancel it early.", 0),
    ("Answer “Yes” to come.", 1),
    ("%(clinic)s: INFO?", 1),
])  # fmt: skip
def test_the_rule_sees_what_it_is_for(text: str, wrong: int) -> None:
    assert len(misleading(text)) == wrong
