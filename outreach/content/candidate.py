"""Words as somebody is typing them: one unit's forms laid over the others, and what sample readers would see of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from outreach.content import catalogs
from outreach.content.catalogs import Catalog
from outreach.content.checker import forms as plural_forms
from outreach.content.checker.placeholders import PLACEHOLDER, names
from outreach.content.compose import SOURCE, Wording, Words
from outreach.content.grounds import Grounds
from outreach.content.values import Teller, Values
from outreach.content.voice import Voice
from outreach.content.workbench import Shelf
from outreach.domain.channel import Channel
from outreach.domain.message import Content
from outreach.errors import BadInput

Medium = Literal["sms", "email", "page"]
USUAL = "pre.tomorrow"
"""The message around words that belong to none: the layout of an e-mail, the neutral wording, the patient's page."""
TYPED_BY_STAFF = "staff.message"


class Use(NamedTuple):
    """Where a unit can be seen: in which message, in which media, with which wording. `hint`: at the end of a text."""

    message: str
    media: tuple[Medium, ...]
    wording: Wording = "full"
    hint: bool = False


class Reading(NamedTuple):
    """A form with a sample reader's values. `numbers`: for which it stands, where it is one of several."""

    text: str
    numbers: tuple[int, ...]


def uses(grounds: Grounds, key: str) -> Use | None:
    """Where a unit can be seen; None for what stands alone: small words of the patient's own pages."""
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
            message, wording = (_hidden(grounds, part), "neutral") if folder == "neutral" else (folder, "full")
            media |= dict.fromkeys(_MEDIA[part])
    return Use(message, tuple(media), "neutral" if wording == "neutral" else "full", hint) if message else None


def _hidden(grounds: Grounds, part: str) -> str:
    """A message that the neutral wording of this part stands in for; "" where there is none (any more)."""
    parts, shown = grounds.house.parts, [USUAL, *sorted(grounds.messages)]
    return next((one for one in shown if (own := parts.get(f"messages/{one}/{part}")) and not own.neutral), "")


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
        Reading(filled(form, words, shelf, counted(values, own[0] if own else None)), own)
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


def filled(form: str, words: Words, shelf: Shelf, values: Values) -> str:
    """A form with these values; a placeholder that nobody knows stays as it is written."""
    shown = shown_values(words, shelf, values)
    return PLACEHOLDER.sub(lambda found: shown.get(found[1], found[0]) if found[1] else "%", form)
