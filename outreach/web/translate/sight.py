"""What the page of one unit shows: what is known of it, and what patients would see of the words as they are typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from outreach.content import bubbles, candidate
from outreach.content.bubbles import Bubble
from outreach.content.candidate import Medium, Reading
from outreach.content.checker.findings import Fault, bare
from outreach.content.compose import Words
from outreach.content.facts import Fact
from outreach.content.grounds import SAMPLES, Grounds
from outreach.content.values import Values
from outreach.content.workbench import Line, Shelf
from outreach.errors import BadInput
from outreach.web.translate.patient_page import TEMPLATES, template_of

USUAL_SAMPLE = "typical"
FRAMED: tuple[Medium, ...] = ("email", "page")


@dataclass(frozen=True)
class Frame:
    """An e-mail or a page, shown in a frame of its own. `touched`: the unit stands in it."""

    medium: Medium
    address: str
    touched: bool


@dataclass(frozen=True)
class Sight:
    """`forms`: the words as they are typed; `numbers`: those that each form stands for. `number`: the one that frames
    and texts show, None where the unit has one form. `problem`: why an e-mail cannot be made of these words,
    else its `subject`."""

    forms: tuple[str, ...]
    numbers: list[tuple[int, ...]]
    faults: tuple[Fault, ...]
    sample: str
    number: int | None
    bubbles: list[Bubble]
    readings: list[Reading]
    frames: list[Frame]
    touched: tuple[Medium, ...]
    message: str
    subject: str = ""
    problem: str = ""

    @property
    def blocking(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.blocking]

    @property
    def advice(self) -> list[Fault]:
        return [fault for fault in self.faults if not fault.blocking]


@dataclass(frozen=True)
class About:
    """What a translator should know of a unit. `terms`: English terms of the glossary that stand in it, with how they
    are said; `avoid`: words that the language's glossary forbids, with why."""

    comment: str
    facts: list[Fact]
    terms: list[tuple[str, str]]
    keep: list[str]
    avoid: list[tuple[str, str]]
    placeholders: list[tuple[str, str]]
    parts: tuple[str, ...]


def typed(line: Line, fields: Mapping[str, str]) -> tuple[str, ...]:
    """The forms that a form sent, as a catalog holds them; those of the file where it sent none."""
    if not any(f"form.{index}" in fields for index in range(len(line.forms))):
        return line.forms
    sent = (fields.get(f"form.{index}", "") for index in range(len(line.forms)))
    return tuple(form.replace("\r\n", "\n").replace("\r", "\n") for form in sent)


def look(grounds: Grounds, shelf: Shelf, line: Line, fields: Mapping[str, str]) -> Sight:
    """Everything that follows from the words in the fields."""
    forms, key = typed(line, fields), line.unit.key
    sample = fields.get("sample", "") if fields.get("sample") in SAMPLES else USUAL_SAMPLE
    numbers = candidate.numbers(shelf, len(line.forms))
    samples = candidate.fitting(grounds, key)
    number = _number(fields.get("number", ""), samples[sample], line.unit.plural)
    samples = {name: candidate.counted(values, number) for name, values in samples.items()}
    words = candidate.candidate(grounds, shelf, key, forms)
    use = candidate.uses(grounds, key)
    texts = bubbles.sms(words, shelf, use, key, samples) if use and "sms" in use.media else []
    frames, subject, problem = list[Frame](), "", ""
    asked = urlencode({"sample": sample, "number": "" if number is None else number} | _sent(forms))
    place = f"/translate/{shelf.locale}/{key}"
    if use:
        there = (*use.media, *candidate.others(grounds, use))
        frames = [
            Frame(medium, f"{place}/{medium}.html?{asked}", medium in use.media) for medium in FRAMED if medium in there
        ]
        subject, problem = _subject(words, shelf.locale, use, samples[sample]) if "email" in use.media else ("", "")
    elif template_of(key) in TEMPLATES:
        frames.append(Frame("page", f"{place}/page.html?{asked}", True))
    return Sight(
        forms, numbers, shelf.faults(line, forms), sample, number, texts,
        candidate.readings(words, shelf, forms, samples[sample]), [] if problem else frames,
        use.media if use else (), use.message if use else "", subject, problem,
    )  # fmt: skip


def about(grounds: Grounds, shelf: Shelf, line: Line) -> About:
    """What stands around a unit, whatever is typed."""
    unit, glossary = line.unit, shelf.standard.glossary
    english = bare(f"{unit.text} {unit.plural}")
    return About(
        grounds.comments.get(unit.key, ""),
        [grounds.facts[name] for name in grounds.rests.get(unit.key, ()) if name in grounds.facts],
        [
            (wanted.written, " / ".join(_written(one.written) for one in said))
            for wanted, said in glossary.required
            if wanted.pattern.search(english)
        ],
        [kept.written for kept in glossary.keep if kept.pattern.search(english)],
        [(_written(wrong.written), wrong.says) for wrong in glossary.forbidden],
        candidate.placeholders(grounds, shelf, unit.key, line.forms),
        grounds.places[unit.key],
    )


def _sent(forms: tuple[str, ...]) -> dict[str, str]:
    return {f"form.{index}": form for index, form in enumerate(forms)}


def _number(asked: str, values: Values, plural: str) -> int | None:
    if not plural:
        return None
    if asked.isascii() and asked.isdecimal() and len(asked) < 5:
        return int(asked)
    return values.visit_minutes if "%(minutes)s" in plural else values.frequency


def _written(term: str) -> str:
    """A term of the glossary as people read it: the beginning of words is shown with what may follow left open."""
    return term.strip("*") + ("…" if term.endswith("*") else "")


def _subject(words: Words, locale: str, use: candidate.Use, values: Values) -> tuple[str, str]:
    """The subject; or why there is no e-mail."""
    try:
        return candidate.subject(words, locale, use, values), ""
    except BadInput as error:
        return "", str(error)
