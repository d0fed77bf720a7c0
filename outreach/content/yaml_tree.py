"""YAML into plain values that know their lines: read by libyaml; in Python it took each process a second.

Of YAML 1.2 as people write it by hand: mappings, lists, texts, numbers, true and false, days. No tags, no aliases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from outreach.errors import BadFile

DEEPEST = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in Python, slower, where PyYAML came without libyaml
_LOOK = "Look at indentation, colons and quotes."
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
"""YAML 1.2: NO and on are words, which reply keywords and countries need them to be."""
_WHOLE = re.compile(r"[-+]?[0-9]+")
_BROKEN = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d\S*)?")


class Mapped(dict[Any, Any]):
    """A mapping; `line` (from 1) is where it begins, `lines` where each key stands."""

    line: int
    lines: dict[Any, int]


class Listed(list[Any]):
    """A list; `line` (from 1) is where it begins, `lines` where each of its values begins."""

    line: int
    lines: list[int]


def tree(path: Path, text: str) -> Any:
    """The one document of a file; None where it is empty. Raises BadFile with the line."""
    try:
        events = yaml.parse(text, Loader=_LOADER)
        return _Builder(path, events).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise BadFile(path, line, f"this is not YAML: {error.problem}.", _LOOK) from None
    except (yaml.YAMLError, ValueError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadFile(path, 0, f"this is not YAML: {problem}.", _LOOK) from None


class _Builder:
    """Builds values from events, holding the open mappings and lists itself: no file is too deep for Python."""

    def __init__(self, path: Path, events: Iterator[Any]) -> None:
        self.path, self.events = path, events
        self.open: list[Mapped | Listed] = []
        self.keys: list[Any] = []  # of each open mapping, the key that waits for its value
        self.whole: Any = None

    def document(self) -> Any:
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.ScalarEvent):
                self._place(self._scalar(event), event)
            elif isinstance(event, yaml.MappingStartEvent):
                self._begin(Mapped(), event)
            elif isinstance(event, yaml.SequenceStartEvent):
                self._begin(Listed(), event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self.open.pop()
                self.keys.pop()
            elif isinstance(event, yaml.AliasEvent):
                raise self._wrong(event, "an alias (*) stands here.", "Write out what it stands for, in quotes if a *.")
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._wrong(event, "a second document begins here.", "Remove the line ---.")
        return self.whole

    def _begin(self, node: Mapped | Listed, event: Any) -> None:
        node.line = event.start_mark.line + 1
        node.lines = {} if isinstance(node, Mapped) else []
        if event.tag is not None:
            raise self._wrong(event, f"the tag {event.tag} stands here.", "Remove it.")
        if len(self.open) == DEEPEST:
            raise self._wrong(event, f"more than {DEEPEST} levels are in each other.", _LOOK)
        self._place(node, event)
        self.open.append(node)
        self.keys.append(_NONE)

    def _place(self, value: Any, event: Any) -> None:
        line = event.start_mark.line + 1
        if not self.open:
            self.whole = value
            return
        into = self.open[-1]
        if isinstance(into, Listed):
            into.append(value)
            into.lines.append(line)
        elif self.keys[-1] is _NONE:
            if isinstance(value, (Mapped, Listed)):
                raise self._wrong(event, "a list or mapping stands in the place of a word.", _LOOK)
            if value in into:
                raise self._wrong(event, f'"{value}" is written twice.', "Keep one of the two.")
            self.keys[-1] = value
            into.lines[value] = line
        else:
            into[self.keys[-1]] = value
            self.keys[-1] = _NONE

    def _scalar(self, event: Any) -> Any:
        if event.tag is not None:
            raise self._wrong(event, f"the tag {event.tag} stands here.", "Remove it; write a text in quotes.")
        text: str = event.value
        if not event.implicit[0]:  # quoted, or a block of lines
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text[0] not in "-+.0123456789":
            return text
        if _WHOLE.fullmatch(text):
            return int(text)
        if _BROKEN.fullmatch(text):
            return float(text)
        if found := _DAY.fullmatch(text):
            try:
                return datetime.fromisoformat(text) if found[1] else date.fromisoformat(text)
            except ValueError:
                raise self._wrong(event, f"{text} is no day.", "Write year, month and day: 2027-01-31.") from None
        return text

    def _wrong(self, event: Any, what: str, remedy: str) -> BadFile:
        return BadFile(self.path, event.start_mark.line + 1, what, remedy)


_NONE = object()
"""No key waits: None is a key of its own."""
