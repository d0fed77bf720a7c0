"""Shared link shorteners (config/shorteners.yaml): which words hold one, and what staff are told about it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from outreach.content.yaml_lines import line_of, read_yaml
from outreach.errors import BadFile, BadInput, say

_NAME = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


@dataclass(frozen=True)
class Shorteners:
    """The names that may not be linked to."""

    pattern: re.Pattern[str]

    def found(self, text: str) -> str:
        """The first shortener in a text, with its subdomain; "" for none. Wide letters and capitals hide nothing."""
        found = self.pattern.search(unicodedata.normalize("NFKC", text).casefold())
        return found[0] if found else ""

    def refuse(self, text: str) -> None:
        """BadInput with what would be right, where a text holds one."""
        if name := self.found(text):
            raise BadInput(
                say("%(name)s shortens links for everybody. Carriers refuse such texts, and nobody sees where the link"
                    " leads: write the whole address of your own page, or leave it out.", name=name)
            )  # fmt: skip


@lru_cache
def load(path: Path) -> Shorteners:
    """The list of a file. BadFile: a name that is none, or no name and no source at all."""
    tree = read_yaml(path)
    names = tree.get("names") if isinstance(tree, dict) else None
    if not isinstance(names, list) or not names or not tree.get("sources"):
        raise BadFile(path, 0, "there are no names, or no sources.", "Give both: names: [bit.ly], and who says so.")
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BadFile(path, line_of(tree, "names"), f'"{name}" is no name of a host.', "Write it such as bit.ly.")
    hosts = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    # Not within another host's name or a mail address; a full stop at the end of a sentence may follow.
    return Shorteners(re.compile(rf"(?<![\w.@-])(?:[\w-]+\.)*(?:{hosts})(?![\w@-]|\.\w)"))
