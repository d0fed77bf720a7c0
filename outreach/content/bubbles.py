"""A text message as sample readers get it while its words are typed: its segments, and what makes it dear."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from outreach.content.candidate import TYPED_BY_STAFF, Use, filled
from outreach.content.checker.length import BUDGET, SOURCE_BUDGET
from outreach.content.compose import SOURCE, Words
from outreach.content.values import Values
from outreach.content.workbench import Shelf
from outreach.domain.channel import Channel
from outreach.domain.segments import GSM7, SIZES, count
from outreach.errors import BadInput

_MANY = 0.12
"""From this share of a text on (Vietnamese), marking what forces UCS-2 would tell nobody anything."""


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


def sms(words: Words, shelf: Shelf, use: Use, key: str, samples: Mapping[str, Values]) -> list[Bubble]:
    """The text for each sample reader."""
    said = words.voices[shelf.locale].catalog.form(key) or ""
    made = []
    for sample, values in samples.items():
        if use.message == TYPED_BY_STAFF and key.startswith("canned."):
            values = values._replace(text=filled(said, words, shelf, values))
        try:
            content = words.compose(use.message, Channel.SMS, shelf.locale, use.wording, values, hint=use.hint)
        except BadInput as error:
            made.append(Bubble(sample, problem=str(error)))
        else:
            made.append(_bubble(sample, content.text, shelf))
    return made


def _bubble(sample: str, text: str, shelf: Shelf) -> Bubble:
    sized = count(text)
    one, many = SIZES[sized.encoding]
    room = one if sized.segments == 1 else many * sized.segments
    budget = SOURCE_BUDGET if shelf.locale == SOURCE else BUDGET
    script = len(sized.forcing) > _MANY * len(text) or not _latin(shelf.language.own_name)
    runs = (Run(text, False),) if script or sized.encoding == GSM7 else _runs(text, {at for at, _ in sized.forcing})
    return Bubble(sample, runs, sized.encoding, sized.units, sized.segments, room, budget, script)


def _latin(word: str) -> bool:
    return "LATIN" in unicodedata.name(word[0], "")


def _runs(text: str, dear: set[int]) -> tuple[Run, ...]:
    made: list[Run] = []
    for at, char in enumerate(text):
        if made and made[-1].dear == (at in dear):
            made[-1] = Run(made[-1].text + char, at in dear)
        else:
            made.append(Run(char, at in dear))
    return tuple(made)
