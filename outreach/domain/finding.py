"""Finding a patient by what the front desk knows: names, numbers and identifiers turned into words that can be met.

A name is found by any beginning of any of its parts, in any script: case, accents, tones and Arabic vowel signs do not
count, neither do the forms of alef and hamza; where a script has no spaces, each character is a beginning. A number is
found whole in any notation, or by its last four digits and more; an e-mail address whole or by the beginning of what
stands before the @; the clinic's own identifier whole or by its beginning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from outreach.domain.channel import Channel
from outreach.domain.contact import index_form, phone
from outreach.domain.folding import LETTERS, MARKS
from outreach.errors import BadInput

MOST = 24
"""Characters of a beginning that count; what is typed beyond them is not compared."""
LEAST_DIGITS = 4
_JOINED = re.compile(r"[-'\u00b4`\u2018\u2019\u02b9-\u02bf\u055a\u05be\u05f3\u05f4\u2010-\u2015\u2212\uff07\uff0d]")
_NO_SPACES = re.compile(
    "[\u1100-\u115f\ua960-\ua97c\u3041-\u309f\u3105-\u312f\u31a0-\u31bf\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"
)
_NUMBER = re.compile(r"[\d\s()+./-]+")
_ARTICLE = "ال"
_KANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}  # katakana as hiragana


def of_name(name: str) -> set[str]:
    """Everything a name is found by."""
    return {term for word in _words(name) for start in _starts(word) for term in _beginnings("".join(word)[start:])}


def of_external(external: str) -> set[str]:
    """Everything the clinic's own identifier is found by."""
    return set(_beginnings(_squeezed(external)))


def of_address(channel: Channel, value: str) -> set[str]:
    """Everything a number (E.164) or e-mail address is found by."""
    if channel is Channel.EMAIL:
        return {_whole(index_form(channel, value)), *_beginnings(_squeezed(value.rpartition("@")[0]))}
    digits = value.lstrip("+")
    return {digits[start:] for start in range(len(digits) - LEAST_DIGITS + 1)}


def wanted(text: str, country: str) -> list[frozenset[str]]:
    """What `text` may mean: each a set of words that must all be met. Empty: it holds nothing to look for."""
    text = text.strip()[:200]
    if "@" in text:
        return [frozenset({_email(text)})] if _email(text) else []
    words = frozenset(piece[:MOST] for word in _words(text) for piece in word)
    meanings = [words, frozenset({_squeezed(text)[:MOST]}), *_numbers(text, country)]
    return list(dict.fromkeys(meaning for meaning in meanings if meaning and "" not in meaning))


def _numbers(text: str, country: str) -> Iterator[frozenset[str]]:
    ascii_text = "".join(str(unicodedata.digit(char)) if char.isdecimal() else char for char in text)
    digits = "".join(filter(str.isdigit, ascii_text))
    if not _NUMBER.fullmatch(ascii_text) or len(digits) < LEAST_DIGITS:
        return
    yield frozenset({digits})
    try:
        yield frozenset({phone(ascii_text, country, lenient=True).lstrip("+")})
    except BadInput:
        return


def _email(text: str) -> str:
    try:
        return _whole(index_form(Channel.EMAIL, text))
    except BadInput:
        return _squeezed(text.rpartition("@")[0])[:MOST]


def _whole(address: str) -> str:
    return f"={address}"  # no beginning holds this sign


def _words(text: str) -> list[list[str]]:
    """Words, each as the pieces that a hyphen or an apostrophe joins."""
    return [pieces for word in _fold(text).split() if (pieces := [piece for piece in word.split("-") if piece])]


def _squeezed(text: str) -> str:
    return "".join("".join(word) for word in _words(text))


def _starts(word: list[str]) -> set[int]:
    """Where in a word (its pieces run together) somebody may begin to type."""
    starts, at = set(), 0
    for piece in word:
        starts |= {at, *(at + found.start() for found in _NO_SPACES.finditer(piece))}
        starts |= {at + found.end() for found in _NO_SPACES.finditer(piece)} & {
            at + number for number, char in enumerate(piece) if char.isascii()
        }
        if piece.startswith(_ARTICLE) and len(piece) > len(_ARTICLE) + 1:
            starts.add(at + len(_ARTICLE))
        at += len(piece)
    return starts


def _beginnings(text: str) -> Iterable[str]:
    return (text[:length] for length in range(1, min(len(text), MOST) + 1))


def _fold(text: str) -> str:
    """One form for all spellings. Decomposed throughout: then a beginning of what is typed is one of what is stored.

    Marks that may stand in any order are dropped, so that half a character typed is still a beginning of the whole.
    """
    for _ in range(2):  # what a compatibility form hides may have a case and marks of its own
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
        text = text.casefold()
    text = MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(LETTERS).translate(_KANA)
    return "".join(_kept(char) for char in text)


def _kept(char: str) -> str:
    if _JOINED.match(char):
        return "-"
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category in ("Cf", "Me") or unicodedata.combining(char):
        return ""
    return " " if category[0] in "PSZC" else char
