"""How long a form is: segments with the longest values, subjects, sentences that were dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from outreach.content.checker.findings import Fault, Pair, bare
from outreach.content.checker.placeholders import PLACEHOLDER
from outreach.content.formats import Language, opened
from outreach.domain.segments import Segments, count, normalise
from outreach.errors import BadInput

SUBJECT = 78
SOURCE_BUDGET, BUDGET = 2, 3
_SENTENCE = re.compile(r"[.!?。！？؟।۔]+(?=\s|$|[”»\"')）」])|[。！？]")
# How much shorter than English a whole translation is at least, in characters; a dropped sentence goes below it.
_SHORTEST = {"zh": 0.2, "ja": 0.3, "ko": 0.3, "ar": 0.6, "fa": 0.6, "he": 0.55, "th": 0.5}
_OTHERS = 0.8


class Room(NamedTuple):
    """The longest values of one locale as they are shown, and how many segments an SMS of it may take. `language`:
    adds what a right-to-left line begins with."""

    values: Mapping[str, str]
    budget: int = BUDGET
    language: Language | None = None


def faults(pair: Pair, room: Room | None = None) -> Iterator[Fault]:
    """Too long, or shorter than the English allows."""
    if room and pair.sms:
        yield from segments(pair.form, room)
    if pair.key.endswith(".subject") and len(PLACEHOLDER.sub("", pair.form)) > SUBJECT:
        what = f"the subject has {len(pair.form)} characters."
        yield Fault("length.subject", what, f"Mail programs cut it after {SUBJECT}: say the main thing first.", False)
    yield from _dropped(pair)


def segments(form: str, room: Room) -> Iterator[Fault]:
    """An SMS over its budget."""
    sized = measured(form, room)
    if sized and sized.segments > room.budget:
        dear = "".join(sorted({char for _, char in sized.forcing}))[:12]
        because = f", because of {dear}" if sized.encoding != "GSM-7" and len(dear) < 6 else ""
        what = (
            f"the SMS takes {sized.segments} segments ({sized.units} units of {sized.encoding}{because}) with the "
            f"longest values; {room.budget} are allowed."
        )
        yield Fault("length.segments", what, "Say the same in fewer words; keep the warning, the hedge and STOP.")


def measured(form: str, room: Room) -> Segments | None:
    """The size of a form with its values put in; a value that is not known counts twenty letters."""
    filled = PLACEHOLDER.sub(lambda found: room.values.get(found[1], "n" * 20) if found[1] else "%", form)
    try:
        return count(normalise(opened(room.language, filled) if room.language else filled))
    except BadInput:
        return None  # its characters are told of elsewhere


def _dropped(pair: Pair) -> Iterator[Fault]:
    english, form = (" ".join(bare(text).split()) for text in (pair.english, pair.form))
    if len(english) < 30 or not form:
        return
    wanted, given = (len(_SENTENCE.findall(text)) for text in (english, form))
    if not pair.ours and (not given or pair.plural):
        return
    least = _SHORTEST.get(pair.locale.partition("_")[0], _OTHERS)
    if given < wanted and len(form) < least * len(english) * (0.9 if wanted > 3 else 1):
        what = f"the English text has {wanted} sentences, this one {given}, and it is much shorter."
        yield Fault("length.sentence", what, "Look whether a sentence was left out.")
