"""Numbers, times and telephone numbers: the same as in English, in Latin digits."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from outreach.content.checker.findings import Fault, Pair

_TIME = re.compile(r"(?<!\d)(\d{1,2})\s*[:.h]\s*(\d{2})(?!\d)")
_PHONE = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){6,}")
_NUMBER = re.compile(r"\d+(?:[.,'’\u00a0\u202f ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?")
_VALUE = re.compile(
    r"%%|%\(\w+\)[#0 +-]*\d*(?:\.\d+)?[a-zA-Z]?|%\d+\$\S|%[-+#0 ]*\d*(?:\.\d+)?[a-zA-Z]|%\{\w+\}|\{[^{}]*\}"
)
_MARKED = re.compile(r"https?://\S+|&#\w+;|<[^<>]*>")
_HALF = re.compile(r"(?<!\d)(\d{1,2})(:\d{2})?\s*([ap])\.?\s?m\b\.?", re.IGNORECASE)
_ENGLISH = {
    "zero": 0, "no": 0, "one": 1, "a": 1, "an": 1, "two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "first": 1, "second": 2, "third": 3,
    "once": 1, "twice": 2, "half": 2, "dozen": 12,
}  # fmt: skip


def faults(pair: Pair) -> Iterator[Fault]:
    """Numbers that were changed, dropped or added in one form."""
    yield from _ours(pair) if pair.ours else _others(pair)


def _ours(pair: Pair) -> Iterator[Fault]:
    source, form = _VALUE.sub(" ", pair.english), _VALUE.sub(" ", pair.form)
    wanted, given = sorted(re.findall(r"\d+", source)), sorted(re.findall(r"\d+", form))
    if pair.plural:
        yield from _counted(pair, set(given) - set(wanted))
    elif wanted != given:
        what = f"the numbers differ: English {_listed(wanted)}, here {_listed(given)}."
        yield Fault("number.changed", what, "Write the same numbers with the digits 0 to 9.")
    else:
        yield from _ordered(source, form)


def _listed(numbers: list[str]) -> str:
    return ", ".join(numbers) or "none"


def _counted(pair: Pair, given: set[str]) -> Iterator[Fault]:
    """A form may write its number out only where it stands for that number alone."""
    for number in sorted(given - set(re.findall(r"\d+", _VALUE.sub(" ", pair.source)))):
        if pair.number is None or number != str(pair.number):
            what = f"the number {number} is written into a form that stands for other numbers too."
            yield Fault("plural.hard_coded", what, "Put the placeholder in its place.")


def _ordered(source: str, form: str) -> Iterator[Fault]:
    """The same digits, but another time or telephone number: 0199-555 for 555-0199."""
    for pattern, rule, name in ((_PHONE, "phone", "telephone number"), (_TIME, "time", "time")):
        wanted = Counter(re.sub(r"\D", "", found[0]) for found in pattern.finditer(source))
        given = Counter(re.sub(r"\D", "", found[0]) for found in pattern.finditer(form))
        if wanted - given:
            missing = next(iter(wanted - given))
            what = f"the {name} {missing} of the English text is not there as it was."
            yield Fault(f"number.{rule}", what, "Write its digits in the same order; do not turn them to look right.")
            return


def _others(pair: Pair) -> Iterator[Fault]:
    english = _plain(pair.source if pair.lone and not _plain(pair.english) else pair.english)
    source, form = _plain(pair.english), _plain(pair.form)
    wanted, given = _numbers(source), _numbers(form)
    if pair.plural:
        allowed = wanted | _numbers(_plain(pair.source))
        one = {str(pair.number)} if pair.number is not None else set()
        extra = {number for number in given if number not in allowed and number not in one and number != "0"}
        if "1" in extra and not pair.lone:
            what = "the number 1 is written into a form that stands for other numbers too."
            yield Fault("plural.hard_coded", what, "Put the placeholder in its place.")
        return
    if not wanted and len(english.split()) < 3:
        return  # "June" is 6월
    if wanted == given or _digits(source) == _digits(form):
        yield from _ordered(source, form)
        return
    if _without_zeros(_as_24(source)) == _without_zeros(_as_24(form)):
        return
    written = {str(_ENGLISH[word]) for word in re.findall(r"[a-z]+", english.lower()) if word in _ENGLISH}
    extra = {number for number in given - wanted if number not in written}
    missing = {number for number in wanted - given if number not in ("0", "1")}  # written out: none, one
    if missing or extra:
        what = f"the numbers differ: English {_listed(sorted(wanted))}, here {_listed(sorted(given))}."
        yield Fault("number.changed", what, "Write the same numbers.")


def _plain(text: str) -> str:
    """A text with Latin digits only and without what is no number to a reader."""
    text = _VALUE.sub(" ", _MARKED.sub(" ", text))
    return "".join(
        str(unicodedata.digit(char)) if char.isdigit() and unicodedata.category(char) == "Nd" else char for char in text
    )


def _numbers(text: str) -> Counter[str]:
    return Counter(re.sub(r"\D", "", found).lstrip("0") or "0" for found in _NUMBER.findall(text))


def _without_zeros(text: str) -> Counter[str]:
    found = _numbers(text)
    return Counter({number: count for number, count in found.items() if number != "0"})


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _as_24(text: str) -> str:
    return _HALF.sub(lambda found: f"{int(found[1]) % 12 + 12 * (found[3].lower() == 'p')}{found[2] or ':00'}", text)
