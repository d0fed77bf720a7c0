"""The form of the clinic's settings: what was typed, turned into values or into sentences beside the fields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import time
from functools import cache, partial
from typing import Any

import phonenumbers
from babel import Locale

from outreach.actions.adjust import SAID, TEXTS
from outreach.domain import contact
from outreach.domain.approval import Unapproved
from outreach.domain.response import MODES
from outreach.domain.timing import parse_clock
from outreach.domain.window import QuietHours, zone_names
from outreach.errors import BadInput, say
from outreach.web.console.typed import Reading, one_of, whole

FIELDS = TEXTS + SAID
LONGEST = {"name": 60, "address": 200, "directions": 1000}
WORDINGS = ("full", "neutral")
MOST = {"most_a_day": 50, "most_a_week": 200}


def read(
    fields: Mapping[str, str], stored: Mapping[str, Any], locales: Collection[str], laws: Collection[str]
) -> tuple[dict[str, Any], Reading]:
    """(values, reading): the values are whole where nothing is in `reading.wrong`.

    What was typed as it stands stays as it stands, even where it would be written otherwise today.
    """
    form = Reading({name: text.replace("\r\n", "\n") for name, text in fields.items()}, FIELDS)
    shown = typed(stored)
    country = form.get("country", lambda text: one_of(text, phonenumbers.SUPPORTED_REGIONS)) or stored["country"]
    readers: dict[str, Callable[[str], Any]] = {
        "name": partial(_line, most=LONGEST["name"]),
        "phone": lambda text: contact.call(text, country),
        "emergency": lambda text: _emergency(text, country),
        "zone": lambda text: one_of(text, zone_names()),
        "country": str,
        "locale": lambda text: one_of(text, locales),
        "wording": lambda text: one_of(text, WORDINGS),
        "quiet_from": _clock,
        "quiet_to": _clock,
        "law": lambda text: one_of(text, laws),
        "carrier_answers": lambda text: one_of(text, MODES),
        "join_open": bool,
        "unapproved": lambda text: one_of(text, list(Unapproved)),
    }
    for name in ("address", "directions"):
        readers[name] = partial(_lines, most=LONGEST[name], needed=name == "address")
    for name, most in MOST.items():
        readers[name] = partial(whole, least=1, most=most)
    values: dict[str, Any] = {}
    for name in FIELDS:
        unchanged = form.typed[name] == shown[name].strip()
        values[name] = stored[name] if unchanged else form.get(name, readers[name])
    _together(form, values)
    return values, form


def typed(stored: Mapping[str, Any]) -> dict[str, str]:
    """The values as the form shows them."""
    return {name: _shown(value) for name, value in stored.items()}


def _shown(value: Any) -> str:
    if isinstance(value, bool):  # a box: ticked or not
        return "1" if value else ""
    return f"{value:%H:%M}" if isinstance(value, time) else str(value)


@cache
def countries(locale: str) -> list[tuple[str, str]]:
    """Every country whose numbers can be read, in the reader's language."""
    names = Locale.parse(locale).territories
    return sorted(((code, names.get(code, code)) for code in phonenumbers.SUPPORTED_REGIONS), key=lambda one: one[1])


def _together(form: Reading, values: Mapping[str, Any]) -> None:
    """What is right by itself and not beside the other field."""
    evening, morning = values["quiet_from"], values["quiet_to"]
    if evening is not None and morning is not None:
        try:
            QuietHours.outside(evening, morning)
        except BadInput:
            form.fault("quiet_from", say("This must be later than the beginning; midnight is the end of the day."))
    a_day, a_week = values["most_a_day"], values["most_a_week"]
    if a_day is not None and a_week is not None and a_week < a_day:
        form.fault("most_a_week", say("A week cannot hold fewer messages than a day."))


def _clock(text: str) -> time:
    try:
        return parse_clock(text[:5])
    except BadInput:
        raise BadInput(say("Write hours and minutes, such as 08:00.")) from None


def _emergency(text: str, country: str) -> str:
    digits = re.sub(r"[\s-]", "", text)
    return digits if re.fullmatch(r"[0-9]{2,6}", digits) else contact.call(text, country)


def _line(text: str, most: int) -> str:
    """One line with single spaces, of letters that can be seen."""
    return _lines(" ".join(text.split()), most, needed=True)


def _lines(text: str, most: int, needed: bool) -> str:
    made = unicodedata.normalize("NFC", text).strip()
    if needed and not made:
        raise BadInput(say("This must not be empty."))
    if len(made) > most:
        raise BadInput(say("This has %(n)s characters; %(most)s is the most.", n=len(made), most=most))
    if any(unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs") and char not in "\n\u200c\u200d" for char in made):
        raise BadInput(say("This holds invisible characters. Type it anew, do not paste it."))
    return made
