"""Words as they are typed: what sample readers would see of every unit, in which messages, and what it costs."""

from __future__ import annotations

import pytest

from outreach.content import bubbles, candidate
from outreach.content.compose import TOKEN, Words
from outreach.content.grounds import Grounds
from outreach.content.workbench import Shelf, Workbench
from outreach.domain.segments import count
from outreach.settings import ROOT


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return Workbench(ROOT)


def made(bench: Workbench, locale: str, key: str, *forms: str) -> tuple[Grounds, Shelf, Words]:
    grounds, shelf = bench.grounds(), bench.shelf(locale)
    return grounds, shelf, candidate.candidate(grounds, shelf, key, forms or shelf.line(key).forms)


def texts(bench: Workbench, locale: str, key: str, *forms: str) -> list[bubbles.Bubble]:
    grounds, shelf, words = made(bench, locale, key, *forms)
    use = candidate.uses(grounds, key)
    assert use is not None
    return bubbles.sms(words, shelf, use, key, candidate.fitting(grounds, key))


def test_every_unit_of_a_message_is_seen_somewhere_in_its_previews(bench: Workbench) -> None:
    """Also those that are said only where no next visit is booked, or where the clinic has its own instructions."""
    grounds = bench.grounds()
    parts = [part for part in grounds.house.parts.values() if part.units]
    first = {part.units[0].key for part in parts}  # one of each template, and all of those that choose
    conditional = [{unit.key for unit in part.units} for part in parts if "{% if" in part.source]
    mark, unseen = "ZZMARKZZ", []
    for key, line in bench.shelf("es").lines.items():
        use = candidate.uses(grounds, key)
        if use is None or not (key in first or any(key in one for one in conditional)):
            continue
        shelf = bench.shelf("es")
        words = candidate.candidate(grounds, shelf, key, tuple(mark for _ in line.forms))
        samples = candidate.fitting(grounds, key)
        shown = "".join(run.text for one in bubbles.sms(words, shelf, use, key, samples) for run in one.runs) \
            if "sms" in use.media else ""  # fmt: skip
        if "email" in use.media:
            mail = candidate.email(words, "es", use, samples["typical"])
            shown += f"{mail.subject} {mail.html}"
        if mark not in shown:
            unseen.append(key)
    assert unseen == []


def test_what_is_typed_is_seen_and_nothing_else_changes(bench: Workbench) -> None:
    typed = "%(clinic)s: موعدكم غدا %(day)s %(time)s، %(address)s. %(phone)s"
    short, typical, longest = texts(bench, "ar", "pre.tomorrow.sms", typed)
    assert "موعدكم غدا" in typical.runs[0].text
    assert short.units < typical.units < longest.units
    assert (short.encoding, short.script, short.dear) == ("UCS-2", True, ())
    assert typical.segments == count(typical.runs[0].text).segments
    assert "موعدكم غدا" not in texts(bench, "ar", "pre.tomorrow.sms")[1].runs[0].text
    assert "موعدكم غدا" not in texts(bench, "ar", "visit.moved.sms")[1].runs[0].text


def test_what_forces_the_dear_encoding_is_marked_in_its_place(bench: Workbench) -> None:
    typed = "%(clinic)s: Su infusión es %(day)s, %(time)s. Lugar: %(address)s. Llame: %(phone)s."
    typical = texts(bench, "es", "pre.tomorrow.sms", typed)[1]
    assert [run.text for run in typical.runs if run.dear] == ["ó"]
    assert "".join(run.text for run in typical.runs).startswith("Harbourview Clinic: Su infusión es")
    plain = texts(bench, "es", "pre.tomorrow.sms", typed.replace("ó", "o"))[1]
    assert (plain.encoding, plain.segments, plain.dear) == ("GSM-7", 1, ())
    assert typical.segments > plain.segments
    assert all(one.over is (one.segments > one.budget) for one in texts(bench, "es", "pre.tomorrow.sms", typed * 3))
    assert texts(bench, "es", "pre.tomorrow.sms", typed * 3)[2].over


def test_words_that_cannot_be_shown_say_why_in_place_of_a_text(bench: Workbench) -> None:
    broken = texts(bench, "es", "pre.tomorrow.sms", "%(clinc)s: mañana")
    assert all("clinc" in one.problem and not one.runs for one in broken)
    empty = texts(bench, "es", "pre.tomorrow.sms", "")
    assert "Your infusion is tomorrow" in "".join(run.text for run in empty[1].runs)


def test_each_form_is_read_with_a_number_of_its_own(bench: Workbench) -> None:
    grounds, shelf, words = made(bench, "ar", "pre.the_day.body.long")
    forms = shelf.line("pre.the_day.body.long").forms
    read = candidate.readings(words, shelf, forms, grounds.samples["typical"])
    assert [one.numbers[0] for one in read] == [0, 1, 2, 3, 11, 100]
    assert "3" in read[3].text
    assert "100" in read[5].text
    use = candidate.uses(grounds, "pre.the_day.body.long")
    assert use is not None
    mail = candidate.email(words, "ar", use, candidate.counted(grounds.samples["typical"], 2))
    assert read[2].text in (mail.text or "")


def test_a_ready_answer_is_shown_within_the_text_that_staff_send(bench: Workbench) -> None:
    typical = texts(bench, "es", "canned.where")[1]
    said = "".join(run.text for run in typical.runs)
    assert said.startswith("Harbourview Clinic: ")
    assert "1200 North Harbour Street" in said
    assert TOKEN not in said


def test_placeholders_are_told_with_what_will_stand_in_their_place(bench: Workbench) -> None:
    grounds, shelf, _ = made(bench, "es", "pre.tomorrow.sms")
    told = dict(candidate.placeholders(grounds, shelf, "pre.tomorrow.sms", shelf.line("pre.tomorrow.sms").forms))
    assert told["%(clinic)s"] == "Harbourview Clinic"
    assert "mayo" in told["%(day)s"]
