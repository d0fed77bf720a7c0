"""The words patients answer with, out of config/replies.yaml: reviewed data with a source for every group."""

from __future__ import annotations

import hashlib
from itertools import product
from pathlib import Path
from typing import Any, get_args

from outreach.content.concepts import load_sense
from outreach.content.yaml_lines import line_of, read_yaml, suggest
from outreach.domain.folding import fold, symbols
from outreach.domain.replies import ReplyWords
from outreach.domain.wording import ALARMS, Kind, Word
from outreach.errors import BadFile

KINDS = get_args(Kind)
KEYS = ("kind", "locale", "words", "source", "review", "anywhere", "marks_matter", "bare", "ambiguous", "about")
MAY_ALSO = ("stop", "urgent", "change")  # a stop wins over these; with any other meaning it would be missed
FLAGS = ("anywhere", "marks_matter", "bare", "ambiguous")


def load_replies(path: Path) -> ReplyWords:
    """The reply words in a file; BadFile with line and remedy at the first mistake."""
    tree = read_yaml(path)
    for key in tree:
        if key not in ("courtesies", "groups"):
            raise BadFile(
                path, line_of(tree, key), f'"{key}" is not a word we know here.', "Write courtesies or groups."
            )
    groups = tree.get("groups")
    if not isinstance(groups, list) or not groups:
        raise BadFile(
            path, line_of(tree, "groups"), "there are no groups.", "Write groups: and one entry per language."
        )
    words = tuple(word for at in range(len(groups)) for word in _group(path, groups, at))
    _no_clash(path, words)
    courtesies = _texts(path, tree, "courtesies") if "courtesies" in tree else ()
    sense = load_sense(path.with_name("concepts"))
    said = "\n".join([*sorted(courtesies), *map(repr, words), sense.digest])
    return ReplyWords(words, frozenset(courtesies), hashlib.sha256(said.encode()).hexdigest(), sense)


def _group(path: Path, groups: Any, at: int) -> list[Word]:
    group = groups[at]
    if not isinstance(group, dict):
        raise BadFile(path, line_of(groups, at), "this is not a group.", f"Write {', '.join(KEYS[:4])}, one per line.")
    for key in group:
        if key not in KEYS:
            raise BadFile(path, line_of(group, key), f'"{key}" is not a word we know here.', suggest(str(key), KEYS))
    for key in KEYS[:4]:
        if not group.get(key):
            raise BadFile(path, line_of(group), f"{key} is missing.", f"Add a line {key}: ...")
    if group["kind"] not in KINDS:
        raise BadFile(path, line_of(group, "kind"), f'kind: "{group["kind"]}".', suggest(str(group["kind"]), KINDS))
    about = str(group.get("about", ""))
    if (group["kind"] == "urgent") != (about in ALARMS):
        raise BadFile(
            path,
            line_of(group),
            f'about: "{about}".',
            f"An urgent group, and no other, says what it is about: {', '.join(ALARMS)}.",
        )
    flags = {key: _flag(path, group, key) for key in FLAGS}
    texts = [each for text in _texts(path, group, "words") for each in _each(text)]
    reviewed = "review" not in group
    return [Word(group["kind"], text, str(group["locale"]), reviewed=reviewed, about=about, **flags) for text in texts]


def _each(text: str) -> list[str]:
    """`borr*|quit* ~ lista|número` is four phrases."""
    halves = [[one.strip() for one in half.split("|")] for half in text.split("~")]
    return [" ~ ".join(chosen) for chosen in product(*halves)]


def _flag(path: Path, group: Any, key: str) -> bool:
    value = group.get(key, False)
    if not isinstance(value, bool):
        raise BadFile(path, line_of(group, key), f'{key}: "{value}" is neither true nor false.', f"Write {key}: true.")
    return value


def _texts(path: Path, node: Any, key: str) -> tuple[str, ...]:
    texts = node[key]
    if not isinstance(texts, list):
        raise BadFile(path, line_of(node, key), f"{key} must be a list.", f"Write {key}: [ONE, TWO].")
    for at, text in enumerate(texts):
        if not isinstance(text, str):
            # YAML reads an unquoted NO or 1 as something else than a word.
            raise BadFile(path, line_of(texts, at), f'"{text}" is not text.', f'Write it in quotes: "{text}".')
        if not fold(text) and not symbols(text):
            raise BadFile(path, line_of(texts, at), "a word has no letters.", "Remove it.")
    return tuple(texts)


def _no_clash(path: Path, words: tuple[Word, ...]) -> None:
    """A word that stops must not also start, help or agree, in any language; nor may a digit be a word."""
    stops = {word.folded: word for word in words if word.kind == "stop" and word.folded}
    for word in words:
        if word.kind not in MAY_ALSO and (stop := stops.get(word.folded)):
            what = f'"{word.text}" ({word.locale}) means {word.kind}, and stop in {stop.locale}.'
            raise BadFile(path, 0, what, "Keep it for stop only.")
        if word.folded.isdigit() and word.kind != "urgent":
            raise BadFile(path, 0, f'"{word.text}" is a digit.', "Digits answer questions; use a word.")
