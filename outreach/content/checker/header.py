"""The first entry of a catalog: whose language, which letters, how it counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from gettext import c2py

from outreach.content import plurals
from outreach.content.checker.findings import Fault

MOST_FORMS = 6
_RULE = re.compile(r"nplurals=(\d{1,12});plural=(.{1,500}?);?", re.DOTALL)
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?\s*([+-]\d{2}:?\d{2}|Z)?")
_CODE = re.compile(r"[a-z]{2,3}(?:[-_](?:[A-Z][a-z]{3}))?(?:[-_](?:[A-Z]{2}|[0-9]{3}))?(?:@[a-z]+)?")
_TEMPLATE = ("YEAR-MO-DA", "FULL NAME", "LANGUAGE <", "EMAIL@ADDRESS")
# What catalogs elsewhere are written with, from before CLDR knew "many" or by another reading; right, if not ours.
_USUAL: dict[str, tuple[str, ...]] = {
    "es": ("2:n!=1",), "it": ("2:n!=1",), "fr": ("2:n>1", "2:n!=1"), "pt": ("2:n!=1", "2:n>1"),
    "pt_BR": ("2:n>1", "2:n!=1"),
    "fa": ("1:0", "2:n>1", "2:n!=1"), "hi": ("2:n!=1",), "fil": ("2:n>1", "2:n!=1"), "tl": ("2:n>1",),
    "he": ("2:n!=1", "4:n==1?0:n==2?1:n>10&&n%10==0?2:3", "4:n==1?0:n==2?1:n<0||n>10&&n%10==0?2:3"),
    "ht": ("2:n!=1", "2:n>1"), "ur": ("2:n!=1",), "ko": ("1:0",),
    "my": ("1:0",),
    "ru": (
        "4:n%10==1&&n%100!=11?0:n%10>=2&&n%10<=4&&(n%100<12||n%100>14)?1:n%10==0||n%10>=5&&n%10<=9||n%100>=11&&n%100<=14?2:3",
    ),
    "pl": (
        "4:n==1?0:n%10>=2&&n%10<=4&&(n%100<12||n%100>14)?1:n!=1&&n%10>=0&&n%10<=1||n%10>=5&&n%10<=9||n%100>=12&&n%100<=14?2:3",
    ),
}  # fmt: skip


def fields(text: str) -> dict[str, str]:
    """The lines of the header by their names in small letters."""
    lines = (line.partition(":") for line in text.split("\n"))
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def faults(header: Mapping[str, str], locale: str, ours: bool = True) -> Iterator[Fault]:
    """What is wrong with a header that is there. `locale`: that of the folder."""
    yield from language(header, locale, ours)
    yield from charset(header)
    for name in ("po-revision-date", "pot-creation-date"):
        if (written := header.get(name, "")) and not written.startswith("YEAR") and not _dated(written):
            what = f"the date {written!r} of the header is no date."
            yield Fault("header.date", what, "Write it like 2026-11-21 12:00+0000.")
    if ours and any(mark in value for value in header.values() for mark in _TEMPLATE):
        yield Fault("header.unfilled", "the header still holds the words of an empty template.", "Fill it in.", False)
    yield from plural(header.get("plural-forms", ""), locale, ours)


def language(header: Mapping[str, str], locale: str, ours: bool = True) -> Iterator[Fault]:
    """The header's language against the folder's."""
    said = header.get("language", "")
    if ours and said != locale:
        what = f"the header says Language {header.get('language', 'nothing')!r}, the folder {locale!r}."
        yield Fault("header.language", what, f"Write Language: {locale}, or move the file.")
    elif said and not _CODE.fullmatch(said):
        yield Fault(
            "header.language", f"the header's Language {said!r} is no language code.", "Write one like es or pt_BR."
        )
    elif not ours and said and locale and _first(said) != _first(locale):
        what = f"the header says Language {said!r}, the folder {locale!r}."
        yield Fault("header.language", what, f"Write Language: {locale}, or move the file.")


def _first(tag: str) -> str:
    return re.split("[-_@]", tag)[0].lower().replace("tl", "fil").replace("iw", "he")


def charset(header: Mapping[str, str]) -> Iterator[Fault]:
    """Anything but UTF-8 is read as other letters somewhere on the way."""
    if "charset=utf-8" not in header.get("content-type", "").replace(" ", "").lower():
        what = "the header does not say charset=utf-8."
        yield Fault("header.charset", what, "Write Content-Type: text/plain; charset=utf-8.")


def _dated(written: str) -> bool:
    found = _DATE.fullmatch(written)
    try:
        return bool(found and datetime.fromisoformat(f"{found[1]}T{found[2]}"))
    except ValueError:
        return False


def plural(written: str, locale: str, ours: bool = True) -> Iterator[Fault]:
    """The plural rule: within bounds, without a fault for any number, and that of the language."""
    expected = plurals.HEADERS.get(locale)
    if ours and expected is None:
        yield Fault(
            "header.plural", f"no plural rule is known for {locale!r}.", "Add it to outreach/content/plurals.py."
        )
        return
    remedy = f"Write Plural-Forms: {expected};" if expected else "Write the rule of your language, as CLDR has it."
    if ours and plurals.squeezed(written) != plurals.squeezed(expected or ""):
        why = unsound(written) or "it differs from the table that messages are sent by"
        yield Fault("header.plural", f"the plural rule is not that of {locale}: {why}.", remedy)
        return
    if not written:
        return  # a catalog without plurals needs none
    if why := unsound(written):
        yield Fault("header.plural", f"the plural rule cannot be used: {why}.", remedy)
    elif not ours and (usual := _usual(locale)) and _vector(written) not in [_vector(rule) for rule in usual]:
        yield Fault("header.plural", f"the plural rule is not that of {locale}.", remedy)


def _usual(locale: str) -> list[str]:
    """Every rule that catalogs of a language are rightly written with; none where we know nothing."""
    known = {plurals.HEADERS.get(name) for name in (locale, _first(locale))} - {None}
    others = _USUAL.get(locale) or _USUAL.get(_first(locale)) or ()
    return [
        *map(str, known),
        *(f"nplurals={count}; plural={rule}" for count, _, rule in (o.partition(":") for o in others)),
    ]


def chooser(written: str) -> tuple[int, Callable[[int], int]] | None:
    """How many forms a rule has and the function that chooses one; None where it cannot be used."""
    found = _RULE.fullmatch(plurals.squeezed(written))
    if not found or unsound(written):
        return None
    return int(found[1]), c2py(found[2])


def unsound(written: str) -> str:
    """Why a plural rule cannot be used, or nothing. It is tried for 0 to 1000: a fault would come when sending."""
    found = _RULE.fullmatch(plurals.squeezed(written))
    if not found:
        return "it is not written as nplurals=2; plural=(n != 1)"
    count = int(found[1])
    if not 1 <= count <= MOST_FORMS:
        return f"it asks for {count} forms, and no language has more than {MOST_FORMS}"
    try:
        choose = c2py(found[2])
        chosen = {int(choose(number)) for number in range(1001)}
    except ZeroDivisionError:
        return "it divides by zero"
    except (ValueError, RecursionError, TypeError, OverflowError):
        return "its formula is no plural formula"
    return "" if chosen <= set(range(count)) else f"it chooses form {max(chosen)} of {count}"


def _vector(written: str) -> tuple[int, ...]:
    found = _RULE.fullmatch(plurals.squeezed(written))
    if not found:
        return ()
    choose = c2py(found[2])
    return (int(found[1]), *(int(choose(number)) for number in range(201)))
