"""The ideas that replies are understood by, out of config/concepts: one file for each language, and the rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

from outreach.content.yaml_lines import line_of, read_yaml, suggest
from outreach.domain.concepts import NEAR, Means, Rule, Sense
from outreach.domain.folding import fold
from outreach.domain.patterns import Form
from outreach.domain.wording import ALARMS
from outreach.errors import BadFile

RULES = "rules.yaml"
KEYS = (
    "means",
    "about",
    "each",
    "within",
    "ordered",
    "unless",
    "most",
    "tight",
    "last",
    "needs",
    "never",
    "own",
    "then",
)
OF_RULES = ("rules", "guards", "spared", "shared", "english", "everyday")
OF_LANGUAGE = ("source", "review", "also", "variants", "toned", "concepts")
_LETTER = re.compile("[a-zA-Z\u00c0-\u024f\u0430-\u044f\u0621-\u063a\u4e00-\u9fff\uac00-\ud7a3]")
"""What surely is a letter: to fold thirty thousand words to see that each has one takes a third of a second."""


def load_sense(folder: Path) -> Sense:
    """The rules and every language's words; without the folder, nothing is sensed. BadFile at the first mistake."""
    if not folder.is_dir():
        return Sense()
    path = folder / RULES
    tree = _known(path, read_yaml(path), OF_RULES)
    rules = [_rule(path, tree["rules"], at) for at in range(len(tree["rules"]))]
    guards = tuple(tree.get("guards", ()))
    named = {
        name
        for rule in rules
        for names in (*rule.each, rule.unless, rule.never, rule.needs, rule.then)
        for name in names
    } | set(guards)
    files = {file: _language(file) for file in sorted(folder.glob("*.yaml")) if file.name != RULES}
    pairs = [pair for each in files.values() for pair in str(each.get("variants", "")).split()]
    variants = {ord(pair[0]): pair[1] for pair in pairs}
    also = {file.stem: tuple(each.get("also", ())) for file, each in files.items()}
    forms = [form for file, each in files.items() for form in _forms(file, each, named, variants)]
    return Sense(
        forms,
        rules,
        map(fold, tree.get("spared", ())),
        tree.get("shared", ()),
        variants,
        also,
        english=(tree.get("english", ()), tree.get("everyday", ())),
    )


def _language(path: Path) -> Any:
    tree = _known(path, read_yaml(path), OF_LANGUAGE)
    for key in ("source", "concepts"):
        if not tree.get(key):
            raise BadFile(path, line_of(tree), f"{key} is missing.", f"Add a line {key}: ...")
    return tree


def _forms(path: Path, tree: Any, named: set[str], variants: dict[int, str]) -> list[Form]:
    """The forms of a language, with letters of `variants` as the others they are read as."""
    found: list[Form] = []
    locale = path.stem
    for name, texts in tree["concepts"].items():
        if name not in named:
            raise BadFile(path, line_of(tree["concepts"], name), f'no rule asks for "{name}".', suggest(name, named))
        for at, text in enumerate(texts):
            if not isinstance(text, str) or not (_LETTER.match(text) or fold(text)):
                raise BadFile(path, line_of(texts, at), f'"{text}" is not text.', "Write it in quotes.")
            toned = text in tree.get("toned", ())
            found += [Form(name, locale, one.translate(variants), toned) for one in _spellings(text)]
    return found


def _spellings(text: str) -> tuple[str, ...]:
    """An apostrophe is often left out: can't, cant."""
    plain = text.replace("\u2019", "'")
    return (plain, plain.replace("'", "")) if "'" in plain else (plain,)


def _rule(path: Path, rules: Any, at: int) -> Rule:
    rule = _known(path, rules[at], KEYS)
    if rule.get("means") not in get_args(Means):
        raise BadFile(path, line_of(rules, at), "means is missing.", suggest(str(rule.get("means")), get_args(Means)))
    if (rule["means"] == "urgent") != (rule.get("about") in ALARMS):
        raise BadFile(path, line_of(rules, at), f'about: "{rule.get("about")}".', suggest("", ALARMS))
    return Rule(
        rule["means"], tuple(tuple(one.split("|")) for one in rule["each"]), rule.get("about", ""),
        int(rule.get("within", NEAR)), bool(rule.get("ordered", False)), tuple(rule.get("unless", ())),
        int(rule.get("most", 0)), tuple(rule.get("never", ())), tuple(rule.get("needs", ())),
        bool(rule.get("tight", False)), bool(rule.get("last", False)), tuple(rule.get("then", ())),
        own=bool(rule.get("own", False)),
    )  # fmt: skip


def _known(path: Path, tree: Any, keys: tuple[str, ...]) -> Any:
    for key in tree:
        if key not in keys:
            raise BadFile(path, line_of(tree, key), f'"{key}" is not a word we know here.', suggest(str(key), keys))
    return tree
