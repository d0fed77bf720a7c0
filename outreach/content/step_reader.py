"""The steps of a sequence file, read one by one, keeping every mistake instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from outreach.content.yaml_lines import line_of, suggest
from outreach.domain.approval import TOPICS
from outreach.domain.channel import Channel
from outreach.domain.sequence import Step
from outreach.domain.timing import BadRule, When, parse_unless, parse_until, parse_when
from outreach.errors import BadFile

KEYS = (
    "key", "when", "once_per", "useful_until", "channels", "unless", "anchor", "again_when_moved", "asks", "calendar",
    "optional", "late", "instructions",
)  # fmt: skip
REQUIRED = ("key", "when", "once_per", "useful_until", "channels")
ANCHORS = {"first infusion": "first", "last infusion": "last"}
# What a step may be told once per, by what calls for it.
ONCE_PER: dict[str | None, tuple[str, ...]] = {
    None: ("infusion", "course"),
    "enrolment": ("address",),
    "agreed": ("address",),
    "moved": ("change",),
    "cancelled": ("change",),
    "stopped": ("message",),
    "restarted": ("message",),
    "help": ("message",),
    "urgent": ("message",),
    "coming": ("message",),
    "change": ("message",),
    "call": ("message",),
    "gone": ("message",),
    "still": ("message",),
    "other": ("message",),
    "staff": ("message",),
    "escalated": ("message",),
}
ONCE = ("infusion", "course", "address", "change", "message")


@dataclass
class StepReader:
    """Walks one file, keeping every mistake; `name` is the step being read."""

    path: Path
    known: Collection[str] | None
    mistakes: list[BadFile] = field(default_factory=list)
    name: str = ""

    def wrong(self, line: int, what: str, remedy: str) -> None:
        step = f"step {self.name}: " if self.name else ""
        self.mistakes.append(BadFile(self.path, line, step + what, remedy))

    def steps(self, tree: Any) -> list[Step]:
        self._unknown(tree, ("name", "about", "steps"))
        if tree.get("name") != self.path.stem:
            self.wrong(line_of(tree, "name"), "the name is not the file's.", f"Write name: {self.path.stem}.")
        entries = tree.get("steps")
        if not isinstance(entries, list) or not entries:
            self.wrong(line_of(tree, "steps"), "there are no steps.", "Write steps: and one entry per message.")
            return []
        return [step for index, entry in enumerate(entries) if (step := self._step(entry, index, entries))]

    def _step(self, entry: Any, index: int, entries: Any) -> Step | None:
        before = len(self.mistakes)
        self.name = f"number {index + 1}"
        if not isinstance(entry, dict):
            self.wrong(line_of(entries, index), "this is not a step.", "Write key:, when: and so on, one per line.")
            return None
        self._key(entry, entries[:index])
        self._unknown(entry, KEYS)
        for missing in (key for key in REQUIRED[1:] if entry.get(key) is None):
            self.wrong(line_of(entry), f"{missing} is missing.", f"Add a line {missing}: ...")
        when, unless = self._rule(entry, "when", parse_when), self._rule(entry, "unless", parse_unless)
        step: dict[str, Any] = {
            "key": self.name,
            "when": when if isinstance(when, When) else None,
            "trigger": when if isinstance(when, str) else None,
            "once_per": self._choice(entry, "once_per", ONCE),
            "useful_until": self._rule(entry, "useful_until", parse_until),
            "channels": self._channels(entry),
            "anchor": ANCHORS.get(self._choice(entry, "anchor", list(ANCHORS)) or ""),
            "unless_next_within": unless if isinstance(unless, timedelta) else None,
            "unless_told": unless if isinstance(unless, str) else None,
            "late": self._choice(entry, "late", ("send",)) == "send",
            "again_when_moved": self._flag(entry, "again_when_moved"),
            "calendar": self._flag(entry, "calendar"),
            "optional": self._flag(entry, "optional"),
            "answers": self._answers(entry),
            "topics": self._topics(entry),
        }
        if len(self.mistakes) == before:
            self._together(entry, Step(**step))
        return Step(**step) if len(self.mistakes) == before else None

    def _key(self, entry: Any, earlier: Any) -> None:
        key = entry.get("key")
        if not isinstance(key, str) or not key:
            self.wrong(line_of(entry, "key"), "key is missing.", "Add a line key: with the message's folder name.")
            return
        self.name = key
        line = line_of(entry, "key")
        if any(isinstance(other, dict) and other.get("key") == key for other in earlier):
            self.wrong(line, "this step is here twice.", "Remove one, or give it the key of another message.")
        if self.known is not None and key not in self.known:
            self.wrong(line, f'there is no message "{key}" under templates/messages.', suggest(key, sorted(self.known)))

    def _unknown(self, entry: Any, keys: Collection[str]) -> None:
        for key in entry:
            if key not in keys:
                self.wrong(line_of(entry, key), f'"{key}" is not a word we know here.', suggest(str(key), keys))

    def _rule(self, entry: Any, key: str, parse: Any) -> Any:
        if entry.get(key) is None:
            return None
        try:
            return parse(str(entry[key]))
        except BadRule as fault:
            self.wrong(line_of(entry, key), f"{key}: {fault.what}", fault.remedy)
            return None

    def _choice(self, entry: Any, key: str, choices: Collection[str]) -> str | None:
        value = entry.get(key)
        if value is not None and value not in choices:
            self.wrong(line_of(entry, key), f'{key}: "{value}" is not one of ours.', suggest(str(value), choices))
        return value if isinstance(value, str) else None

    def _channels(self, entry: Any) -> tuple[Channel, ...]:
        given, names = entry.get("channels"), [channel.value for channel in Channel]
        if given is None:
            return ()
        if not isinstance(given, list) or not given:
            self.wrong(line_of(entry, "channels"), "channels must be a list.", f"Write channels: [{', '.join(names)}].")
            return ()
        for bad in (one for one in given if one not in names):
            self.wrong(line_of(entry, "channels"), f'"{bad}" is not a channel.', suggest(str(bad), names))
        return tuple(dict.fromkeys(Channel(one) for one in given if one in names))

    def _flag(self, entry: Any, key: str) -> bool:
        value = entry.get(key, False)
        if not isinstance(value, bool):
            self.wrong(line_of(entry, key), f'{key}: "{value}" is neither true nor false.', f"Write {key}: true.")
        return value is True

    def _answers(self, entry: Any) -> tuple[str, ...]:
        given = entry.get("asks", [])
        good = isinstance(given, list) and all(type(one) is int and 1 <= one <= 9 for one in given)
        if not good or len(set(map(str, given))) != len(given):
            self.wrong(line_of(entry, "asks"), "asks must be a list of different digits.", "Write asks: [1, 2].")
            return ()
        return tuple(str(one) for one in given)

    def _topics(self, entry: Any) -> tuple[str, ...]:
        given = entry.get("instructions", list(TOPICS))
        if not isinstance(given, list):
            what, remedy = "instructions must be a list.", f"Write instructions: [{', '.join(TOPICS)}]."
            self.wrong(line_of(entry, "instructions"), what, remedy)
            return ()
        for bad in (one for one in given if one not in TOPICS):
            self.wrong(line_of(entry, "instructions"), f'"{bad}" is not a topic.', suggest(str(bad), TOPICS))
        return tuple(one for one in TOPICS if one in given)

    def _together(self, entry: Any, step: Step) -> None:
        """What is right by itself but not beside the rest."""
        allowed = ONCE_PER[step.trigger]
        if step.once_per not in allowed:
            remedy = f"Write once_per: {' or '.join(allowed)}."
            self.wrong(line_of(entry, "once_per"), f'{step.once_per} does not fit "{entry["when"]}".', remedy)
        if (step.once_per == "course") != (step.anchor is not None):
            remedy = "Add anchor: first infusion (or last infusion)." if step.anchor is None else "Remove anchor."
            self.wrong(line_of(entry, "anchor"), "anchor and once_per: course belong together.", remedy)
        for key, given in (("again_when_moved", step.again_when_moved), ("unless", step.unless_next_within)):
            if given and step.once_per != "infusion":
                self.wrong(line_of(entry, key), f"{key} needs once_per: infusion.", "Remove one of the two.")
        for key, given in (("optional", step.optional), ("late", step.late)):
            if given and step.when is None:
                self.wrong(line_of(entry, key), f"only what has a time may be {key}.", f"Remove {key}.")
        if step.when is not None and not step.when.before and step.useful_until.text == "start":
            what = "a message after the infusion cannot be useful until its start."
            self.wrong(line_of(entry, "useful_until"), what, "Write how long after, such as 1 day later.")
