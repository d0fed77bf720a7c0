"""The two languages nobody speaks: as long as the longest, right to left, and never a patient's."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from outreach.content import measure, pseudo
from outreach.content.checker.findings import Pair
from outreach.content.checks import PLACEHOLDER, faults
from outreach.content.compose import Words
from outreach.content.formats import load_languages
from outreach.content.pofile import parse
from outreach.domain.channel import Channel
from outreach.settings import ROOT

VALUES = measure.longest(ROOT / "config" / "typical.yaml")


def test_every_unit_could_be_sent_and_reads_back_from_its_file(words: Words) -> None:
    for locale in pseudo.LANGUAGES:
        made = pseudo.catalog(locale, words.units)
        for entry in parse(Path(locale), pseudo.po(locale, words.units))[1:]:
            assert entry.forms == made.forms[entry.key]
        for key, forms in made.forms.items():
            unit = words.units[key]
            for form in forms:
                lone = bool(unit.plural)
                assert not list(faults(Pair(unit.text, unit.plural, form, lone, None, key, locale))), (key, form)


def test_accented_words_are_a_third_longer_and_hold_no_plain_word(words: Words) -> None:
    long = [unit.text for unit in words.units.values() if len(unit.text) > 30]
    growth = [len(pseudo.accented(text)) / len(text) for text in long]
    assert min(growth) > 1.33
    assert max(growth) < 1.42
    assert pseudo.accented("Call %(phone)s or reply STOP.").startswith("Çáļļ %(phone)s öŕ ŕépļý STOP")


def test_messages_are_made_of_them_from_the_right_with_isolated_numbers(words: Words) -> None:
    made = pseudo.words(words.parts, words.units)
    said = made.compose("pre.tomorrow", Channel.SMS, pseudo.RTL, "full", VALUES)
    assert said.text.startswith("\u200f"), "it begins with a Latin name"
    assert "\u2068+1 604-555-0199\u2069" in said.text
    assert 'dir="rtl"' in made.compose("pre.tomorrow", Channel.EMAIL, pseudo.RTL, "full", VALUES).html
    assert made.compose("pre.tomorrow", Channel.SMS, pseudo.ACCENTED, "full", VALUES).encoding == "UCS-2"


def test_no_patient_is_offered_one() -> None:
    assert not set(pseudo.LANGUAGES) & set(load_languages(ROOT / "config" / "languages.yaml"))
    assert not [one for one in pseudo.LANGUAGES if (ROOT / "locales" / one).exists()]


@given(st.text())
def test_placeholders_stay_whatever_stands_around_them(text: str) -> None:
    for change in (pseudo.accented, pseudo.mirrored):
        assert PLACEHOLDER.findall(change(f"{text} %(name)s {text}")).count(("name", "")) == 1 + 2 * text.count(
            "%(name)s"
        )
