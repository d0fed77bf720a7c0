"""How long each SMS gets with the longest values, against its budget of segments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from outreach.content.compose import SOURCE, Values, Words
from outreach.content.yaml_lines import read_yaml
from outreach.domain.channel import Channel
from outreach.errors import BadFile

SOURCE_BUDGET, BUDGET = 2, 3


@dataclass(frozen=True)
class Finding:
    """One SMS in one language and wording, as long as it gets."""

    locale: str
    key: str
    wording: str
    encoding: str
    segments: int
    text: str

    @property
    def budget(self) -> int:
        return SOURCE_BUDGET if self.locale == SOURCE else BUDGET

    @property
    def over(self) -> bool:
        return self.segments > self.budget


def longest(path: Path) -> Values:
    """The values of config/longest.yaml."""
    try:
        return Values(**read_yaml(path))
    except TypeError as error:
        raise BadFile(path, 0, f"the longest values cannot be read ({error}).", "Give the fields of Values.") from error


def measure(words: Words, path: Path) -> list[Finding]:
    """Every SMS in every complete language and both wordings."""
    values = longest(path)
    found = []
    for locale in words.locales:
        for key in words.keys:
            for wording in ("full", "neutral"):
                content = words.compose(key, Channel.SMS, locale, wording, values)
                found.append(Finding(locale, key, wording, content.encoding, content.segments, content.text))
    return found
