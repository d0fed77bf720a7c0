"""One cell of a patient list at a time: its normal form, or the class of its fault; never the value itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from outreach.actions.move import check_start
from outreach.domain import contact, names, window
from outreach.errors import BadInput, Sentence, say

YES = frozenset({"yes", "y", "true", "1", "x", "si", "sí"})
NO = frozenset({"", "no", "n", "false", "0"})
REFUSED = frozenset({"refused", "declined"})
START = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{1,2}:\d{2})(?::00)?")
FARTHEST = timedelta(days=3 * 366)
"""A visit farther away is taken for a slip of the pen."""


@dataclass(frozen=True)
class Rules:
    """What cells are checked against. `language` turns what is written into an offered locale, or raises BadInput.

    `named`: what to write for each of them; the codes of `offered` where nothing else is understood.
    """

    country: str
    zone: str
    language: Callable[[str], str]
    offered: tuple[str, ...]
    now: datetime
    named: tuple[str, ...] = ()

    @property
    def today(self) -> date:
        return window.wall_at(self.now, self.zone).date()


@dataclass
class Fault(BadInput):
    """The class of a fault, and the remedy."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


_NOT_A_NAME = {
    names.Wrong.EMPTY: (say("there is none"), say("give the name the patient goes by")),
    names.Wrong.LONG: (say("longer than 200 characters"), say("give only the name the patient goes by")),
    names.Wrong.LINK: (say("looks like a link"), say("give the name the patient goes by")),
    names.Wrong.SIGN: (say("has pictures or signs in it"), say("give the name the patient goes by")),
    names.Wrong.HIDDEN: (say("has invisible control characters"), say("type the name anew")),
    names.Wrong.NO_LETTER: (say("has no letter in it"), say("give the name the patient goes by")),
}


def identifier(text: str, rules: Rules) -> str:
    if not text:
        raise Fault(say("there is none"),
                    say("give each patient the identifier of your own records: it keeps one person one"))  # fmt: skip
    return visit_identifier(text, rules)


def visit_identifier(text: str, _rules: Rules) -> str:
    if len(text) > 80:
        raise Fault(say("longer than 80 characters"), say("use the short identifier of your own records"))
    return unicodedata.normalize("NFC", text)


def name(text: str, _rules: Rules) -> str:
    """As names.checked; "" for none, which is a fault of the row: see roster."""
    try:
        return names.checked(text) if text else ""
    except names.BadName as error:
        problem, remedy = _NOT_A_NAME[error.wrong]
        raise Fault(problem, remedy) from None


def phone(text: str, rules: Rules) -> str:
    if not text:
        return ""
    if re.fullmatch(r"\d+([.,]\d+)?[eE]\+?\d+", text):
        raise Fault(say("the spreadsheet has made a calculation of it"),
                    say("format the column as text and enter it again"))  # fmt: skip
    try:
        return contact.phone(text, rules.country, lenient=True)
    except BadInput as error:
        raise _split(error, "not a phone number") from None


def email(text: str, _rules: Rules) -> str:
    try:
        return contact.email(text) if text else ""
    except BadInput:
        # The validator's sentence can repeat pieces of the address.
        raise Fault(say("not an e-mail address"), say("write it like name@example.org")) from None


def language(text: str, rules: Rules) -> str:
    try:
        found = rules.language(text) if text else ""
    except BadInput:
        found = None
    if found is None or (found and found not in rules.offered):
        raise Fault(
            say("unknown language"), say("use one of %(languages)s", languages=", ".join(rules.named or rules.offered))
        )
    return found


def zone(text: str, _rules: Rules) -> str:
    if (remedy := _zone_remedy(text)) is not None:
        raise Fault(say("unknown zone"), remedy)
    return text


@lru_cache(maxsize=4096)
def _zone_remedy(text: str) -> Sentence | None:
    """None for a zone that exists. Cached: looking for the nearest name is slow, and files repeat their mistakes."""
    try:
        if text:
            window.zone(text)
    except BadInput as error:
        hint = str(error).rpartition("zone. ")[2]
        if hint.startswith("Did you"):
            return say("use an IANA name like America/Chicago. %(hint)s", hint=hint)
        return say("use an IANA name like America/Chicago")
    return None


def start(text: str, rules: Rules) -> datetime:
    remedy = say("write the time by the clinic's clock as 2026-11-28T10:00")
    if not text:
        raise Fault(say("the infusion has no time"), remedy)
    found = START.fullmatch(text)
    if found is None:
        raise Fault(_what_time(text), remedy)
    try:
        starts = datetime.fromisoformat(f"{found[1]}T{found[2]:0>5}")
    except ValueError:
        raise Fault(say("no such day or hour"), remedy) from None
    if abs(starts - rules.now.replace(tzinfo=None)) > FARTHEST:
        raise Fault(say("more than three years away"), say("check the year"))
    try:
        check_start(starts, rules.zone)
    except BadInput as error:
        raise _split(error, "no such hour") from None
    return starts


def _what_time(text: str) -> Sentence:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return say("a day without a time")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}[T ][\d:.]+ ?(Z|[+-]\d{2}:?\d{2})", text):
        return say("carries an offset from UTC")
    return say("not a date and time that can be read without guessing")


def minutes(text: str, _rules: Rules) -> int:
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= 1440:
        raise Fault(say("not a length in minutes"), say("give whole minutes from 1 to 1440, such as 40"))
    return int(text)


def consent(text: str, _rules: Rules) -> str:
    """yes (signed), refused, or "" (not asked yet)."""
    word = text.casefold()
    if word in REFUSED:
        return "refused"
    return yes_no(text, _rules, say("write yes, no or refused"))


def yes_no(text: str, _rules: Rules, remedy: str = "") -> str:
    word = text.casefold()
    if word not in YES and word not in NO:
        raise Fault(say("neither yes nor no"), remedy or say("write yes or no"))
    return "yes" if word in YES else ""


def signed_on(text: str, rules: Rules) -> str:
    """An ISO date that is not in the future, or ""."""
    if not text:
        return ""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day on paper has no zone
    except ValueError:
        raise Fault(say("not a date that can be read without guessing"), say("write it as 2026-11-28")) from None
    if day > rules.today:
        raise Fault(say("a date in the future"), say("give the day on which the paper was signed"))
    return day.isoformat()


def form(text: str, _rules: Rules) -> str:
    if len(text) > 80:
        raise Fault(say("longer than 80 characters"), say("give the form's short name and version"))
    return text


def wording(text: str, _rules: Rules) -> str:
    word = text.casefold()
    if word not in ("", "full", "neutral"):
        raise Fault(say("unknown wording"), say("write full or neutral, or leave it empty for the clinic's"))
    return word


def _split(error: BadInput, otherwise: str) -> Fault:
    """Our sentences say what is wrong first and what would be right after it."""
    problem, _, remedy = str(error).partition(". ")
    return Fault(problem[:1].lower() + problem[1:].rstrip(".") or otherwise, remedy.rstrip(".") or "check it")
