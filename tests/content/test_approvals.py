"""Texts and the repository's ledger: who signed exactly these words, and who may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from outreach.content import approvals
from outreach.content.approvals import same_person
from outreach.content.compose import Words
from outreach.content.differences import changes, pieces
from outreach.domain.approval import Unit, text
from outreach.errors import BadFile, BadInput
from tests import shipped

ON = date(2026, 12, 1)


def test_every_unit_belongs_to_a_text_and_what_is_shared_by_messages_to_texts_of_its_own() -> None:
    words = shipped.words()
    grouped = approvals.grouped(words)
    assert {key for keys in grouped.values() for key in keys} == set(words.units)
    assert {"neutral", "layouts", "canned", "page", "hint"} <= set(grouped)
    assert set(words.keys) <= set(grouped)
    assert "hint.stop" in grouped["hint"]
    assert "hint.stop" not in grouped["page"]


def test_what_stands_around_the_units_is_approved_with_them_and_comments_are_not() -> None:
    words = shipped.words()
    name = "messages/pre.tomorrow/sms.txt"
    part = words.parts[name]

    def digest(source: str, neutral: bool = part.neutral) -> bytes:
        parts = {**words.parts, name: replace(part, source=source, neutral=neutral)}
        return approvals.texts(Words(parts, words.units, words.voices), "es")["pre.tomorrow"].digest

    same = approvals.texts(words, "es")["pre.tomorrow"].digest
    assert digest(part.source) == same
    assert digest("{# a note for translators #}" + part.source) == same
    assert digest(part.source + "Do not drink water.") != same
    assert digest("{% if address is defined %}" + part.source + "{% endif %}") != same
    assert digest(part.source.replace("address", "clinic")) != same
    assert digest(part.source, not part.neutral) != same


def test_a_signature_is_under_words_as_they_stood_and_falls_away_when_they_change(tmp_path: Path) -> None:
    (tmp_path / "locales" / "es").mkdir(parents=True)
    one = text("es", "neutral", [Unit("a", "Hello", "", ("Hola",))])
    assert approvals.sign(tmp_path, [one], "Ana Ruiz", "translator", ON) == 1
    assert approvals.sign(tmp_path, [one], "Ana Ruiz", "translator", ON) == 0, "once is enough"
    signature = approvals.signed(tmp_path, "es", [one])["neutral"]
    assert (signature.reviewer, signature.role, signature.date) == ("Ana Ruiz", "translator", "2026-12-01")
    other = text("es", "neutral", [Unit("a", "Hello", "", ("¡Hola",))])
    assert approvals.signed(tmp_path, "es", [other]) == {}


def test_nobody_signs_without_a_name_for_their_own_translation_or_for_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "locales" / "es").mkdir(parents=True)
    whole = text("es", "neutral", [Unit("a", "Hello", "", ("Hola",))])
    gap = text("es", "neutral", [Unit("a", "Hello", "", ())])
    for one, name, role in ((whole, " ", "nurse"), (whole, "Ana", ""), (whole, "ana RUIZ", "nurse"), (gap, "B", "c")):
        with pytest.raises(BadInput):
            approvals.sign(tmp_path, [one], name, role, ON, ["Ana Ruiz <ana@x.example>"])
    assert list(approvals.ledger(tmp_path, "es")) == []


def test_a_broken_ledger_names_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "locales" / "es"
    folder.mkdir(parents=True)
    (folder / approvals.LEDGER).write_text("{}\n")
    with pytest.raises(BadFile) as wrong:
        list(approvals.ledger(tmp_path, "es"))
    assert wrong.value.line == 1


def test_a_reviewer_is_told_from_the_translator_by_the_words_of_their_names() -> None:
    cases = [
        ("Ana Ruiz", "Ana Ruiz <a@b.example>", True),
        ("Dr. ana RUIZ", "Ana Ruiz", True),
        ("Ana", "Ana Ruiz", True),
        ("Ana Roca", "Ana Ruiz", False),
        ("Ana Ruiz", "machine draft, not reviewed", False),
        ("محمد علي", "محمد علي <m@b.example>", True),
        ("", "Ana Ruiz", False),
        ("Ana Ruiz", "", False),
    ]
    for reviewer, translator, same in cases:
        assert same_person(reviewer, translator) is same, (reviewer, translator)


def test_a_difference_joins_to_what_was_and_to_what_is() -> None:
    cases = [
        ("Your visit is tomorrow, %(time)s.", "Your visit is on %(day)s, %(time)s."),
        ("", "new"), ("gone", ""), ("您的治疗是明天", "您的治疗是今天"), ("a  b%%", "a b%"),
        ("موعدكم غدا", "موعدكم اليوم"),
    ]  # fmt: skip
    for old, new in cases:
        found = pieces(old, new)
        assert "".join(one.text for one in found if one.kind != "new") == old
        assert "".join(one.text for one in found if one.kind != "gone") == new
    assert [one.text for one in pieces("您的治疗是明天", "您的治疗是今天") if one.kind == "new"] == ["今"]


def test_changes_name_what_came_went_and_differs_and_nothing_else() -> None:
    same, old, new = Unit("a", "A", "", ("x",)), Unit("b", "B", "", ("y",)), Unit("b", "B", "", ("z",))
    found = changes([same, old, Unit("c", "C", "", ("w",))], [same, new, Unit("d", "D", "", ("v",))])
    assert [(one.key, one.had, one.has) for one in found] == [("b", True, True), ("c", True, False), ("d", False, True)]
