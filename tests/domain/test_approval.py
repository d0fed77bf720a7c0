"""A digest names exact words: any other letter is another one, the order of units is not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.approval import Unapproved, Unit, chain, digest, fits, stored, text, told

words = st.text(max_size=12)
units = st.lists(
    st.builds(Unit, words, words, words, st.tuples(words, words), st.tuples(words)), min_size=1, max_size=4,
    unique_by=lambda unit: unit.key,
)  # fmt: skip


@given(units, st.randoms(use_true_random=False))
def test_the_order_of_units_does_not_matter(listed: list[Unit], chance) -> None:  # type: ignore[no-untyped-def]
    other = list(listed)
    chance.shuffle(other)
    assert text("es", "pre.tomorrow", listed) == text("es", "pre.tomorrow", other)


@given(units, st.data())
def test_any_other_letter_form_placeholder_key_or_language_is_another_digest(listed: list[Unit], data) -> None:  # type: ignore[no-untyped-def]
    before = text("es", "k", listed).digest
    number = data.draw(st.integers(0, len(listed) - 1))
    unit = listed[number]
    changed = data.draw(
        st.sampled_from([
            unit._replace(source=unit.source + "x"),
            unit._replace(plural=unit.plural + "x"),
            unit._replace(forms=(unit.forms[0], unit.forms[1] + "x")),
            unit._replace(forms=(*unit.forms, "")),
            unit._replace(forms=("", *unit.forms)),
            unit._replace(names=(*unit.names, "")),
            unit._replace(key=unit.key + "\0" * 20),
        ])
    )  # fmt: skip
    assert text("es", "k", [*listed[:number], changed, *listed[number + 1 :]]).digest != before
    assert text("fr", "k", listed).digest != before
    assert text("es", "l", listed).digest != before
    assert text("es", "k", listed[:-1]).digest != before


@given(units)
def test_what_is_kept_reads_back_as_it_was_with_the_same_digest(listed: list[Unit]) -> None:
    one = text("es", "k", listed)
    again = told(stored(one.units))
    assert again == one.units
    assert digest("es", "k", again) == one.digest


def test_a_text_is_complete_when_each_unit_says_something() -> None:
    said, empty = Unit("a", "A", "", ("x",)), Unit("b", "B", "", ())
    assert text("es", "k", [said]).complete
    assert not text("es", "k", [said, empty]).complete
    assert not text("es", "k", [said, empty._replace(forms=("",))]).complete


def test_earlier_words_fit_while_the_template_asks_for_nothing_that_they_lack() -> None:
    old = (Unit("a", "A %(time)s", "", ("x %(time)s",), ("time",)), Unit("b", "B", "Bs", ("x", "y"), ()))
    a, b = old
    cases = [
        ("the same", [a, b], True),
        ("other English of the same shape", [a._replace(source="Hello %(time)s"), b], True),
        ("a unit less", [a], True),
        ("a unit more", [a, b, Unit("c", "C", "", ("z",))], False),
        ("another placeholder", [a._replace(names=("day",)), b], False),
        ("a placeholder more", [a._replace(names=("day", "time")), b], False),
        ("counted now", [a._replace(plural="As"), b], False),
        ("no longer counted", [a, b._replace(plural="")], False),
    ]
    for name, new, right in cases:
        assert fits(old, new) is right, name


@dataclass(frozen=True)
class Case:
    step: str
    locale: str
    rule: Unapproved
    tried: tuple[str, ...]


@pytest.mark.parametrize("case", [
    Case("pre.tomorrow", "pt_BR", Unapproved.DEFAULT, ("pt_BR", "pt", "es")),
    Case("pre.tomorrow", "es", Unapproved.DEFAULT, ("es",)),
    Case("pre.tomorrow", "ar", Unapproved.PREVIOUS, ("ar",)),
    Case("pre.tomorrow", "ar", Unapproved.HOLD, ("ar",)),
    Case("consent.request", "ar", Unapproved.DEFAULT, ("ar",)),
    Case("consent.confirmed", "pt_BR", Unapproved.DEFAULT, ("pt_BR",)),
    Case("reply.stopped", "ar", Unapproved.HOLD, ("ar", "es", "en")),
], ids=lambda case: f"{case.step} in {case.locale}, {case.rule}")  # fmt: skip
def test_the_languages_tried_where_words_are_not_approved(case: Case) -> None:
    assert chain(case.step, case.locale, "es", case.rule, ("en", "es", "ar", "pt", "pt_BR")) == case.tried
