"""What is other in words than it was: pieces that stayed, went and came, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from outreach.domain.approval import Unit

Kind = Literal["same", "gone", "new"]
# A placeholder is one piece. Letters of scripts without spaces stand alone: a whole sentence is no word.
_PIECE = re.compile(
    r"%\(\w+\)s|[\u2e80-\u9fff\uac00-\ud7af]|(?:[^\W\u2e80-\u9fff\uac00-\ud7af]|[\u0300-\u036f\u064b-\u0652'’])+|\s+|.",
    re.DOTALL,
)


class Piece(NamedTuple):
    """A run of text: in both, only in the earlier, only in the later words."""

    kind: Kind
    text: str


class Change(NamedTuple):
    """One unit that is other than it was: its English and each of its forms. `had` False: it is new; `has`: it went."""

    key: str
    english: list[Piece]
    forms: list[list[Piece]]
    had: bool
    has: bool


def pieces(old: str, new: str) -> list[Piece]:
    """`old` and `new` as one line of pieces; joined without the new ones it is `old`, without the gone ones `new`."""
    before, after = _PIECE.findall(old), _PIECE.findall(new)
    found: list[Piece] = []
    for tag, low, high, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("same", "".join(after[start:end])))
            continue
        if high > low:
            found.append(Piece("gone", "".join(before[low:high])))
        if end > start:
            found.append(Piece("new", "".join(after[start:end])))
    return found


def changes(old: Sequence[Unit], new: Sequence[Unit]) -> list[Change]:
    """The units that differ, in the order of their keys."""
    return list(_changes({unit.key: unit for unit in old}, {unit.key: unit for unit in new}))


def _changes(had: dict[str, Unit], has: dict[str, Unit]) -> Iterator[Change]:
    for key in sorted(had.keys() | has.keys()):
        before, after = had.get(key), has.get(key)
        if before == after:
            continue
        english = [(one.source + ("\n" + one.plural if one.plural else "")) if one else "" for one in (before, after)]
        forms = [one.forms if one else () for one in (before, after)]
        count = max(map(len, forms))
        padded = [(*said, *[""] * (count - len(said))) for said in forms]
        yield Change(
            key, pieces(*english), [pieces(*pair) for pair in zip(*padded, strict=True)],
            before is not None, after is not None,
        )  # fmt: skip
