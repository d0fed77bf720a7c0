"""What was typed into a form, read field by field: all faults at once, each beside its field, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import TypeVar

from outreach.errors import BadInput, OutreachError, Sentence, say

Got = TypeVar("Got")


class Reading:
    """`typed`: the form's fields as they were; `wrong`: a sentence for each field at fault, "" for the whole."""

    def __init__(self, typed: Mapping[str, str], fields: Collection[str]) -> None:
        self.typed = {name: typed.get(name, "").strip() for name in fields}
        self.wrong: dict[str, str] = {}

    def get(self, name: str, read: Callable[[str], Got]) -> Got | None:
        """The field through `read`; None and a sentence in `wrong` when it raises BadInput."""
        try:
            return read(self.typed[name])
        except BadInput as error:
            self.fault(name, sentence(error))
            return None

    def fault(self, name: str, text: str) -> None:
        self.wrong.setdefault(name, text)


def sentence(error: OutreachError) -> str:
    """An error's words, still translatable where they were made so."""
    return error.args[0] if error.args and isinstance(error.args[0], Sentence) else str(error)


def one_of(text: str, offered: Collection[str]) -> str:
    """BadInput for what is not offered."""
    if text not in offered:
        raise BadInput(say("Choose one from the list."))
    return text


def whole(text: str, least: int, most: int) -> int:
    """A number in plain digits within bounds."""
    if not (text.isascii() and text.isdigit() and least <= int(text[:6]) <= most and len(text) <= 6):
        raise BadInput(say("Give a whole number from %(least)s to %(most)s.", least=least, most=most))
    return int(text)


def date_of(text: str) -> date | None:
    """YYYY-MM-DD of this century, else None."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None
