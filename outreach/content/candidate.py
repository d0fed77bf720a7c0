"""Words as somebody is typing them: one unit's forms laid over the others, and what sample readers would see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from outreach.content import catalogs
from outreach.content.catalogs import Catalog
from outreach.content.checker import forms as plural_forms
from outreach.content.checker.length import BUDGET, SOURCE_BUDGET
from outreach.content.checker.placeholders import PLACEHOLDER, names
from outreach.content.compose import SOURCE, Wording, Words
from outreach.content.grounds import Grounds
from outreach.content.values import Teller, Values
from outreach.content.voice import Voice
from outreach.content.workbench import Shelf
from outreach.domain.channel import Channel
from outreach.domain.message import Content
from outreach.domain.segments import GSM7, SIZES, count
from outreach.errors import BadInput

Medium = Literal["sms", "email", "page"]
USUAL = "pre.tomorrow"
"""The message around words that belong to none: the layout of an e-mail, the neutral wording, the patient's page."""
TYPED_BY_STAFF = "staff.message"
_FOREIGN_SCRIPT = 0.3
"""From this share on, what forces UCS-2 is the alphabet itself, and marking each letter would tell nobody anything."""


class Use(NamedTuple):
    """Where a unit can be seen: in which message, in which media, with which wording. `hint`: at the end of a text."""

    message: str
    media: tuple[Medium, ...]
    wording: Wording = "full"
    hint: bool = False


class Run(NamedTuple):
    """A piece of a text; `dear`: its characters force the whole text into the dear encoding."""

    text: str
    dear: bool


@dataclass(frozen=True)
class Bubble:
    """An SMS for one sample reader. `script`: it is the alphabet that needs UCS-2. `problem`: why it cannot be made."""

    sample: str
    runs: tuple[Run, ...] = ()
    encoding: str = ""
    units: int = 0
    segments: int = 0
    room: int = 0
    budget: int = BUDGET
    script: bool = False
    problem: str = ""

    @property
    def over(self) -> bool:
        return self.segments > self.budget

    @property
    def dear(self) -> tuple[str, ...]:
        """The characters that are marked, each once."""
        return tuple(dict.fromkeys(char for run in self.runs if run.dear for char in run.text))


class Reading(NamedTuple):
    """A form with a sample reader's values. `numbers`: for which it stands, where it is one of several."""

    text: str
    numbers: tuple[int, ...]


def uses(grounds: Grounds, key: str) -> Use | None:
    """Where a unit can be seen; None for small words of the patient's own pages, which stand alone."""
    media: dict[Medium, None] = {}
    message, wording, hint = "", "full", False
    for name in grounds.places[key]:
        kind, _, rest = name.partition("/")
        folder, _, part = rest.partition("/")
        if kind == "layouts":
            message = USUAL
            media["email"] = None
        elif name == "messages/page/hint.txt":
            message, hint = (USUAL, True) if key == "hint.stop" else ("", False)
            media["sms"] = None
        elif folder == "canned":
            message = TYPED_BY_STAFF
            media["sms"] = None
        elif folder != "page":
            message, wording = (USUAL, "neutral") if folder == "neutral" else (folder, "full")
            media |= dict.fromkeys(_MEDIA[part])
    return Use(message, tuple(media), "neutral" if wording == "neutral" else "full", hint) if message else None


_MEDIA: dict[str, tuple[Medium, ...]] = {"sms.txt": ("sms",), "subject.txt": ("email",), "body.md": ("email", "page")}


def others(grounds: Grounds, use: Use) -> tuple[Medium, ...]:
    """The media of the same message that a unit does not stand in."""
    there = {"sms": "sms.txt", "email": "subject.txt", "page": "body.md"}
    parts = grounds.house.parts
    media: tuple[Medium, ...] = ("sms", "email", "page")
    return tuple(m for m in media if m not in use.media and f"messages/{use.message}/{there[m]}" in parts)


def candidate(grounds: Grounds, shelf: Shelf, key: str, forms: tuple[str, ...]) -> Words:
    """Words in which one unit says what is typed. What other units lack is said in English, so that there is something
    to see; a unit that nothing is typed for yet, too."""
    said = {one: _usable(line.forms, line.unit.plural or line.unit.text) for one, line in shelf.lines.items()}
    unit = shelf.lines[key].unit
    said[key] = _usable(forms, unit.plural or unit.text)
    catalog = Catalog(shelf.locale, said, shelf.standard.choose)
    voice = Voice(shelf.language, catalog, grounds.house.parts, grounds.house.units)
    return Words(grounds.house.parts, grounds.house.units, {shelf.locale: voice}, quick=False)


def _usable(forms: tuple[str, ...], english: str) -> tuple[str, ...]:
    """The forms, English in the place of each that is empty; English alone where all are."""
    return tuple(form or english for form in forms) if any(forms) else (english,)


def fitting(grounds: Grounds, key: str) -> dict[str, Values]:
    """The sample readers, as they must be for this unit to be seen: some are said only where no next visit is booked,
    or where the clinic has instructions of its own."""
    if key not in grounds.fits:
        grounds.fits[key] = next((more for more in _VARIANTS if _seen(grounds, key, more)), {})
    return {name: values._replace(**grounds.fits[key]) for name, values in grounds.samples.items()}


_VARIANTS: tuple[dict[str, Any], ...] = ({}, {"next_visit": None}, {"instructions": "Please bring your health card."})
_SENTINEL = "\u203b"


def _seen(grounds: Grounds, key: str, more: Mapping[str, Any]) -> bool:
    """Whether a message says this unit to a reader with these values."""
    use, house = uses(grounds, key), grounds.house
    if use is None:
        return True
    english = catalogs.identity(SOURCE, house.units)
    catalog = Catalog(SOURCE, {**english.forms, key: (_SENTINEL,)}, english.choose)
    voice = Voice(house.languages[SOURCE], catalog, house.parts, house.units)
    context = Teller(voice).context(grounds.samples["typical"]._replace(**more), use.media[0])
    parts = [name for name in grounds.places[key] if name.startswith("messages/") and "/page/" not in name]
    try:
        return not parts or any(_SENTINEL in voice.render(name, context) for name in parts)
    except BadInput:
        return False


def counted(values: Values, number: int | None) -> Values:
    """The same with another number in the place of those that choose a plural form."""
    return values if number is None else values._replace(visit_minutes=number, frequency=number)


def sms(words: Words, shelf: Shelf, use: Use, key: str, samples: Mapping[str, Values]) -> list[Bubble]:
    """The text for each sample reader."""
    said = words.voices[shelf.locale].catalog.form(key) or ""
    made = []
    for sample, values in samples.items():
        if use.message == TYPED_BY_STAFF and key.startswith("canned."):
            values = values._replace(text=_filled(said, words, shelf, values))
        try:
            content = words.compose(use.message, Channel.SMS, shelf.locale, use.wording, values, hint=use.hint)
        except BadInput as error:
            made.append(Bubble(sample, problem=str(error)))
        else:
            made.append(_bubble(sample, content.text, SOURCE_BUDGET if shelf.locale == SOURCE else BUDGET))
    return made


def _bubble(sample: str, text: str, budget: int) -> Bubble:
    sized = count(text)
    one, many = SIZES[sized.encoding]
    room = one if sized.segments == 1 else many * sized.segments
    script = len(sized.forcing) > _FOREIGN_SCRIPT * len(text)
    runs = (Run(text, False),) if script or sized.encoding == GSM7 else _runs(text, {at for at, _ in sized.forcing})
    return Bubble(sample, runs, sized.encoding, sized.units, sized.segments, room, budget, script)


def _runs(text: str, dear: set[int]) -> tuple[Run, ...]:
    made: list[Run] = []
    for at, char in enumerate(text):
        if made and made[-1].dear == (at in dear):
            made[-1] = Run(made[-1].text + char, at in dear)
        else:
            made.append(Run(char, at in dear))
    return tuple(made)


def subject(words: Words, locale: str, use: Use, values: Values) -> str:
    """The subject of an e-mail whose body can be made too; quicker than the whole of it. Raises BadInput."""
    voice, folder = words.voices[locale], "neutral" if use.wording == "neutral" else use.message
    context = Teller(voice).context(values, "email")
    voice.render(f"messages/{folder}/body.md", context)
    return voice.render(f"messages/{folder}/subject.txt", context).strip()


def email(words: Words, locale: str, use: Use, values: Values) -> Content:
    """Raises BadInput."""
    return words.compose(use.message, Channel.EMAIL, locale, use.wording, values)


def readings(words: Words, shelf: Shelf, forms: tuple[str, ...], values: Values) -> list[Reading]:
    """Each form that is there, with its values put in; of a plural, with the first number that it stands for."""
    stands = numbers(shelf, len(forms))
    return [
        Reading(_filled(form, words, shelf, counted(values, own[0] if own else None)), own)
        for form, own in zip(forms, stands, strict=True)
        if form
    ]


def numbers(shelf: Shelf, forms: int) -> list[tuple[int, ...]]:
    """For each form the first numbers that it stands for; nothing for a unit of one form."""
    if forms < 2:
        return [()] * forms
    return [tuple(found) for found in plural_forms.numbers(shelf.standard.choose, forms).values()]


def placeholders(grounds: Grounds, shelf: Shelf, key: str, forms: tuple[str, ...]) -> list[tuple[str, str]]:
    """Those of the English as they are written, each with what it is for a usual reader ("" where that is unknown)."""
    unit = shelf.lines[key].unit
    values = fitting(grounds, key)["typical"]
    shown = shown_values(candidate(grounds, shelf, key, forms), shelf, values)
    return [(f"%({name})s", shown.get(name, "")) for name in sorted(names(unit.text + unit.plural))]


def shown_values(words: Words, shelf: Shelf, values: Values) -> Mapping[str, str]:
    """What stands for each placeholder, as it reads in this language."""
    told = Teller(words.voices[shelf.locale]).context(values, "sms")
    return {name: str(value) for name, value in told.items() if isinstance(value, (str, int))}


def _filled(form: str, words: Words, shelf: Shelf, values: Values) -> str:
    shown = shown_values(words, shelf, values)
    return PLACEHOLDER.sub(lambda found: shown.get(found[1], found[0]) if found[1] else "%", form)
