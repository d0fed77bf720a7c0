"""Languages, and how each writes days, times, telephone numbers and foreign runs inside right-to-left text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock_time
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

from outreach.content.yaml_lines import line_of, read_yaml
from outreach.errors import BadFile, BadInput

FSI, PDI, RLM = "\u2068", "\u2069", "\u200f"
_ISOLATED = re.compile(f"{FSI}([^{FSI}{PDI}]*){PDI}")
# What people and phones write for a language, where it is not simply its name with another separator.
ALIASES = {
    "zh": "zh_Hans", "zh_cn": "zh_Hans", "zh_sg": "zh_Hans", "zh_tw": "zh_Hant", "zh_hk": "zh_Hant", "zh_mo": "zh_Hant",
    "pt": "pt_BR", "pt_pt": "pt_BR", "tl": "fil", "iw": "he", "in": "id",
}  # fmt: skip
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Language:
    """One row of config/languages.yaml. `direction` is ltr or rtl; `clock` 12 or 24.

    `formats` names whose dates Babel writes. `times`, `halves`, `days`, `months` and `dates` are our own where Babel
    has none for this language, or others than its speakers write (Haitian Creole gets French dates, Korean "PM 2:05").
    """

    locale: str
    name: str
    own_name: str
    direction: str
    formats: str
    clock: int
    times: str = ""
    halves: tuple[str, ...] = ()
    dates: str = ""
    days: tuple[str, ...] = ()
    months: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """As HTML and mail headers write it: zh-Hans."""
        return self.locale.replace("_", "-")


def load_languages(path: Path) -> dict[str, Language]:
    """The language table. Raises BadFile naming the row at fault."""
    rows = read_yaml(path)
    return {str(locale): _language(path, str(locale), row, line_of(rows, locale)) for locale, row in rows.items()}


def _language(path: Path, locale: str, row: Any, line: int) -> Language:
    def wrong(what: str, remedy: str) -> BadFile:
        return BadFile(path, line, f"{locale}: {what}", remedy)

    if not isinstance(row, dict):
        raise wrong("this is no row of the table.", "Give name, own_name, direction, formats and clock.")
    try:
        own = {key: tuple(row.get(key, ())) for key in ("halves", "days", "months")}
        language = Language(
            locale, row["name"], row["own_name"], row["direction"], row["formats"], int(row["clock"]),
            times=row.get("times", ""), dates=row.get("dates", ""), **own,
        )  # fmt: skip
        pattern = Locale.parse(language.formats).time_formats["short"].pattern
    except (KeyError, TypeError) as error:
        raise wrong(f"{error} is missing.", "Give name, own_name, direction, formats and clock.") from error
    except (ValueError, UnknownLocaleError) as error:
        raise wrong(str(error), "Choose a locale whose dates Babel knows.") from error
    if language.direction not in ("ltr", "rtl") or language.clock not in (12, 24):
        raise wrong("direction or clock is unknown.", "Write ltr or rtl, and 12 or 24.")
    if language.clock == 12 and "h" not in pattern and not language.times:
        remedy = "Choose formats that do (es_US), write times and halves, or clock: 24."
        raise wrong(f"{language.formats} has no 12-hour clock.", remedy)
    if bool(language.times) != (len(language.halves) == 2):
        raise wrong("times and halves belong together.", 'Write times: "{half} {hour}:{minute}" and halves: [AM, PM].')
    if bool(language.dates) != (len(language.days) == 7 and len(language.months) == 12):
        raise wrong("dates, days and months belong together.", "Give dates, 7 days (Monday first) and 12 months.")
    return language


def resolve(tag: str, offered: Iterable[str]) -> str:
    """The offered locale that a written language means (es-MX, zh-CN, PT). Raises BadInput naming the choice."""
    known = {name.lower(): name for name in offered}
    wanted = tag.strip().replace("-", "_").lower()
    while wanted:
        found = known.get(wanted) or known.get(ALIASES.get(wanted, "").lower())
        if found:
            return found
        wanted = wanted.rpartition("_")[0]
    raise BadInput(f"The language {tag!r} is not offered; choose one of {', '.join(sorted(known.values()))}.")


def day(language: Language, moment: datetime) -> str:
    """Weekday, day, month and year, as the language writes them; never 3/8, which two countries read as two days."""
    return _own_day(language, moment.date()) if language.dates else _day(language.formats, moment.date())


def time(language: Language, moment: datetime) -> str:
    """The time of day by the language's clock."""
    if language.times:
        return _own_time(language, moment.hour, moment.minute)
    return _time(language.formats, language.clock, moment.hour, moment.minute)


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@lru_cache(maxsize=4096)
def _day(formats: str, when: date) -> str:
    return format_date(when, "full", locale=_locale(formats)).replace(RLM, "")


@lru_cache(maxsize=4096)
def _own_day(language: Language, when: date) -> str:
    weekday, month = language.days[when.weekday()], language.months[when.month - 1]
    return language.dates.format(weekday=weekday, day=when.day, month=month, year=when.year)


@lru_cache(maxsize=8192)
def _own_time(language: Language, hour: int, minute: int) -> str:
    return language.times.format(half=language.halves[hour >= 12], hour=hour % 12 or 12, minute=f"{minute:02}")


@lru_cache(maxsize=8192)
def _time(formats: str, clock: int, hour: int, minute: int) -> str:
    locale = _locale(formats)
    width = "HH:mm" if clock == 24 and "h" in locale.time_formats["short"].pattern else "short"
    return format_time(clock_time(hour, minute), width, locale=locale).replace(RLM, "")


@lru_cache(maxsize=1024)
def phone(written: str) -> str:
    """A number as people read it, with its country code; what is no number (911, "press 0") stays as written."""
    try:
        number = phonenumbers.parse(written, None)
    except phonenumbers.NumberParseException:
        return written
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@lru_cache(maxsize=1024)
def plain(value: str) -> str:
    """A value without direction marks or controls of its own: ours come after, and must be the only ones."""
    if not value.isprintable():
        value = _BIDI.sub("", _CONTROLS.sub(" ", value))
    return value.strip()


def isolated(language: Language, value: str) -> str:
    """A value that keeps its order inside right-to-left text: 555-010-0199 would show as 0199-010-555."""
    if language.direction == "ltr" or not value or (value.isascii() and value.isdigit()):
        return value
    if all(char.isalpha() or char.isspace() for char in value):
        return value
    return f"{FSI}{value}{PDI}"


_OWN_ISOLATE = re.compile(f"{FSI}([^{FSI}{PDI}]*){PDI}|(\\+?\\d[\\d ().-]{{4,}}\\d)")


def written(language: Language, value: str) -> str:
    """What somebody wrote, perhaps with a ready answer in it: in right-to-left text numbers keep their order.

    Isolates that came along with a ready answer stay, a number typed by hand gets its own; all other marks go.
    """
    return plain(value) if language.direction == "ltr" else isolated(language, _numbered(value))


def _numbered(value: str) -> str:
    parts, end = list[str](), 0
    for found in _OWN_ISOLATE.finditer(value):
        before, inside = value[end : found.start()], plain(found[1] or found[2] or "")
        parts += [_BIDI.sub("", _CONTROLS.sub(" ", before)), f"{FSI}{inside}{PDI}" if inside else ""]
        end = found.end()
    return "".join([*parts, _BIDI.sub("", _CONTROLS.sub(" ", value[end:]))]).strip()


def own_way(language: Language, line: str) -> str:
    """A line of whichever language among those of this one: where it runs the other way it does so by itself, and in
    right-to-left text its numbers keep their order."""
    kinds = Counter(map(unicodedata.bidirectional, line))
    runs = "ltr" if kinds["L"] >= kinds["R"] + kinds["AL"] else "rtl"
    if runs != language.direction:
        return f"{FSI}{plain(line)}{PDI}" if plain(line) else ""
    return plain(line) if runs == "ltr" else _numbered(line)


def as_bdi(html: str) -> str:
    """Isolates as elements, which webmail keeps. The direction is written out, because a number has no letter to tell
    it by."""
    return _ISOLATED.sub(lambda found: f'<bdi dir="{_direction(found[1])}">{found[1]}</bdi>', html)


def _direction(text: str) -> str:
    kinds = (unicodedata.bidirectional(char) for char in text)
    return "ltr" if next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") == "L" else "rtl"


def opened(language: Language, text: str) -> str:
    """A line that begins with a Latin name but is right-to-left says so, or a phone lays it out from the left."""
    if language.direction == "ltr":
        return text
    return "\n".join(RLM + line if _starts_latin(line) else line for line in text.split("\n"))


def _starts_latin(line: str) -> bool:
    depth = 0
    for char in line:
        depth += (char == FSI) - (char == PDI)
        kind = unicodedata.bidirectional(char)
        if depth == 0 and kind in ("L", "R", "AL"):
            return kind == "L"
    return False
