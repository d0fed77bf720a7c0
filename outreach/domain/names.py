"""The name a patient goes by: what is refused because it would mislead whoever reads it, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum

from outreach.errors import BadInput, Sentence, say

LONGEST = 200
_TURNS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_LINK = re.compile(r"://|(?i:\bwww\.)|[^\W_]\.[a-z]{2,}(?![\w.])|@")
_MARKUP = re.compile(r"[<>{}]")
_INSIDE = {"\u200c", "\u200d"}  # Persian and Indic names are written with them


class Wrong(Enum):
    """Why something is no name, for whoever says it in words of their own."""

    EMPTY = "empty"
    LONG = "long"
    LINK = "link"
    SIGN = "sign"
    HIDDEN = "hidden"
    NO_LETTER = "no letter"


class BadName(BadInput):
    """Not a name."""

    def __init__(self, text: str, wrong: Wrong) -> None:
        super().__init__(text)
        self.wrong = wrong


def _no_sign(char: str) -> Sentence:
    return say("A name cannot hold pictures or signs such as %(sign)s. Leave them out.", sign=char)


def checked(text: str) -> str:
    """The name with single spaces. BadName says what is wrong: a phone would show it as a link, turn it around ..."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise BadName(say("Give the name the patient goes by."), Wrong.EMPTY)
    if len(name) > LONGEST:
        raise BadName(
            say("This has %(n)s characters; a name may have %(most)s. Shorten it.", n=len(name), most=LONGEST),
            Wrong.LONG,
        )
    if _TURNS.search(name):
        text = say("This holds invisible signs that turn text around. Type the name anew, do not paste it.")
        raise BadName(text, Wrong.HIDDEN)
    if found := _MARKUP.search(name):
        raise BadName(_no_sign(found[0]), Wrong.SIGN)
    if _LINK.search(name):
        text = say("This does not look like a name: a phone could show it as a link. Write only the name.")
        raise BadName(text, Wrong.LINK)
    for char in name:
        category = unicodedata.category(char)
        if category in ("So", "Sk") and char not in "`´^¨":
            raise BadName(_no_sign(char), Wrong.SIGN)
        if category in ("Cc", "Co", "Cs") or (category == "Cf" and char not in _INSIDE):
            text = say("This holds invisible characters. Type the name anew, do not paste it.")
            raise BadName(text, Wrong.HIDDEN)
    if not any(unicodedata.category(char)[0] == "L" for char in name):
        raise BadName(say("There is no letter in this. Give the name the patient goes by."), Wrong.NO_LETTER)
    return name
